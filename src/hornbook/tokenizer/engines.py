"""The two ways from text to ids behind one interface: a named pattern in the native core, any other by `regex`.

Both apply the merges in the native core, which remembers what it has encoded in a cache of bounded size that never
changes the ids. They differ in who cuts the pre-tokens: the core itself (`_NativeEngine`), or the `regex` library, here
for one text and in processes for many (`_RegexEngine`).

Left out: a choice of engine. A pattern that the core scans is never given to `regex`; the tests do that, as the oracle.
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.tokenizer import _core, regex_pool
from hornbook.tokenizer.formats.parts import TokenizerParts
from hornbook.tokenizer.patterns import is_native, split
from hornbook.tokenizer.special import documents_of, split_special
from hornbook.tokenizer.text import DocumentCounter, read_file, safe_blocks, with_progress, word_blocks
from hornbook.tokenizer.token_header import token_dtype
from hornbook.tokenizer.token_writer import TokenFileWriter
from hornbook.tokenizer.utf8 import Errors, checked, encoded, lone_surrogate

Allowed = list[int] | None
"""Indices of the special tokens that count as such in a text; None: all of them."""

# Pre-tokens of a free pattern become ids so many at a time: as Python objects they take ten times the text's memory.
_PRETOKENS = 1 << 16


class Engine(abc.ABC):
    """Text to ids for one vocabulary. Every method may raise TokenizerError for text that it cannot encode.

    Args:
        vocab: id → bytes, special tokens included.
        merges: in order of creation.
        special_token_ids: special token → id.
        pattern: as `patterns.find_pattern` spells it.
        cache_bytes: the most that each thread's memory of encoded pre-tokens may take.

    Raises:
        TokenizerError: a merge whose sides no earlier merge makes or whose result is not in `vocab`.
    """

    def __init__(
        self,
        vocab: dict[int, bytes],
        merges: list[tuple[bytes, bytes]],
        special_token_ids: dict[str, int],
        pattern: str,
        cache_bytes: int = 128 << 20,
    ) -> None:
        self.vocab, self.merges, self.pattern = vocab, merges, pattern
        self.special_token_ids, self.special_tokens = special_token_ids, list(special_token_ids)
        encoder = _core.Encoder16 if max(vocab) < 65_536 else _core.Encoder32
        specials = list(special_token_ids.items())
        self.encoder = encoder(vocab, merges, specials, pattern if is_native(pattern) else "", cache_bytes)

    def encode_pretokens(self, pretokens: Sequence[bytes]) -> np.ndarray:
        """Return the ids of pre-tokens that are cut already, one after the other."""
        ends = np.cumsum([len(pretoken) for pretoken in pretokens], dtype=np.uint64)
        return self.encoder.encode_pieces(b"".join(pretokens), ends)

    def _tokens(self, allowed: Allowed) -> list[str]:
        return self.special_tokens if allowed is None else [self.special_tokens[index] for index in allowed]

    @abc.abstractmethod
    def encode(self, text: str, allowed: Allowed) -> list[int]:
        """Return the ids of a text; special tokens outside `allowed` are ordinary text."""

    @abc.abstractmethod
    def encode_array(self, text: str | bytes, allowed: Allowed, threads: int) -> np.ndarray:
        """Return the ids of a text, shape (num_tokens,); malformed bytes are characters by themselves."""

    @abc.abstractmethod
    def encode_batch(self, texts: Sequence[str], allowed: Allowed, threads: int) -> list[np.ndarray]:
        """Return the ids of each text, in order; the texts are shared out among threads."""

    @abc.abstractmethod
    def encode_chunks(self, chunks: Iterable[bytes], allowed: Allowed) -> Iterator[np.ndarray]:
        """Yield the ids of a text that comes in chunks, each as soon as no later chunk can change them."""

    @abc.abstractmethod
    def encode_blocks(self, blocks: Iterable[bytes], threads: int) -> Iterator[np.ndarray]:
        """Yield the ids of the blocks of `text.safe_blocks`, in order."""

    @abc.abstractmethod
    def encode_file(self, path: Path, errors: Errors, threads: int) -> np.ndarray:
        """Return the ids of a UTF-8 file, shape (num_tokens,). Raises DataError (`errors`) or OSError."""

    @abc.abstractmethod
    def append_file(
        self, path: Path, writer: TokenFileWriter, errors: Errors, threads: int, progress: Callable[[int], Any] | None
    ) -> tuple[int, int]:
        """Write the ids of a file; return its bytes of ordinary text and its documents."""


def engine_class(pattern: str) -> type[Engine]:
    """Return the native engine for a pattern that the core scans, else the one of the `regex` library."""
    return _NativeEngine if is_native(pattern) else _RegexEngine


class _NativeEngine(Engine):
    """A named pattern: the core cuts the text and applies the merges, on threads."""

    def encode(self, text: str, allowed: Allowed) -> list[int]:
        try:
            return self.encoder.encode(text, allowed)
        except UnicodeEncodeError as error:
            raise lone_surrogate(error) from None

    def encode_array(self, text: str | bytes, allowed: Allowed, threads: int) -> np.ndarray:
        try:
            return self.encoder.encode_array(text, allowed, threads)
        except UnicodeEncodeError as error:
            raise lone_surrogate(error) from None

    def encode_batch(self, texts: Sequence[str], allowed: Allowed, threads: int) -> list[np.ndarray]:
        try:
            return self.encoder.encode_batch(texts, allowed, threads)
        except UnicodeEncodeError as error:
            raise lone_surrogate(error) from None

    def encode_chunks(self, chunks: Iterable[bytes], allowed: Allowed) -> Iterator[np.ndarray]:
        for block in word_blocks(chunks, self._tokens(allowed), 0):
            yield self.encoder.encode_array(block, allowed)

    def encode_blocks(self, blocks: Iterable[bytes], threads: int) -> Iterator[np.ndarray]:
        for block in blocks:
            yield self.encoder.encode_array(block, None, threads)

    def encode_file(self, path: Path, errors: Errors, threads: int) -> np.ndarray:
        return self.encoder.encode_file(str(path), threads, errors == "replace", None)

    def append_file(
        self, path: Path, writer: TokenFileWriter, errors: Errors, threads: int, progress: Callable[[int], Any] | None
    ) -> tuple[int, int]:
        count, num_bytes, num_documents = self.encoder.encode_file_to(
            str(path), writer.file.fileno(), threads, errors == "replace", progress
        )
        writer.appended(count)
        return num_bytes, num_documents


class _RegexEngine(Engine):
    """A free pattern: the `regex` library cuts the text; for large ones in processes, `threads` of them."""

    def encode(self, text: str, allowed: Allowed) -> list[int]:
        return self.encode_array(text, allowed, 1).tolist()

    def encode_array(self, text: str | bytes, allowed: Allowed, threads: int) -> np.ndarray:
        if isinstance(text, bytes):
            text = text.decode("utf-8", errors="surrogateescape")
        else:
            encoded(text)  # refuses a lone surrogate
        parts = [self.encode_pretokens([])]
        for piece, is_special in split_special(text, self._tokens(allowed)):
            parts += [self._special(piece)] if is_special else self._ordinary(piece)
        return np.concatenate(parts)

    def encode_batch(self, texts: Sequence[str], allowed: Allowed, threads: int) -> list[np.ndarray]:
        return [self.encode_array(text, allowed, threads) for text in texts]

    def encode_chunks(self, chunks: Iterable[bytes], allowed: Allowed) -> Iterator[np.ndarray]:
        for piece, is_special in documents_of(chunks, self._tokens(allowed)):
            if is_special:
                yield self._special(piece.decode())
            else:
                yield from self._ordinary(piece.decode())

    def encode_blocks(self, blocks: Iterable[bytes], threads: int) -> Iterator[np.ndarray]:
        large, blocks = regex_pool.is_large(blocks) if threads > 1 else (False, blocks)
        if large:
            parts = TokenizerParts(
                vocab=self.vocab, merges=self.merges, special_tokens=self.special_token_ids, pattern=self.pattern
            )
            return regex_pool.encode(blocks, parts, token_dtype(max(self.vocab) + 1), threads)
        return (self.encode_array(block, None, 1) for block in blocks)

    def encode_file(self, path: Path, errors: Errors, threads: int) -> np.ndarray:
        blocks = safe_blocks(checked(read_file(path), errors, path), self.pattern, self.special_tokens)
        return np.concatenate([self.encode_pretokens([]), *self.encode_blocks(blocks, threads)])

    def append_file(
        self, path: Path, writer: TokenFileWriter, errors: Errors, threads: int, progress: Callable[[int], Any] | None
    ) -> tuple[int, int]:
        report = None if progress is None else lambda done, _: progress(done)
        chunks = checked(with_progress(read_file(path), report), errors, path)
        return append_chunks(self, chunks, writer, threads)

    def _special(self, token: str) -> np.ndarray:
        return np.array([self.special_token_ids[token]], token_dtype(max(self.vocab) + 1))

    def _ordinary(self, text: str) -> Iterator[np.ndarray]:
        pretokens = split(text, self.pattern)
        while some := [word.encode("utf-8", "surrogateescape") for word in itertools.islice(pretokens, _PRETOKENS)]:
            yield self.encode_pretokens(some)


def append_chunks(engine: Engine, chunks: Iterable[bytes], writer: TokenFileWriter, threads: int) -> tuple[int, int]:
    """Write the ids of a text of well-formed UTF-8; return its bytes of ordinary text and its documents."""
    counter = DocumentCounter(engine.special_tokens)
    blocks = safe_blocks(chunks, engine.pattern, engine.special_tokens)
    for ids in engine.encode_blocks(counter.counted(blocks), threads):
        writer.append(ids)
    return counter.num_bytes, counter.num_documents
