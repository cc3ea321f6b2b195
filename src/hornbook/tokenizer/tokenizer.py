"""The tokenizer: text to token ids and back, by the native core.

Encoding cuts the text at special tokens (leftmost first, at one place the longest), each stretch into pre-tokens by the
pattern, and applies the merges in order of creation inside each pre-token (CS336 handout §2.6). `reference.py` says it
in plain Python and the tests hold this to it. The core remembers what it has encoded, in a cache of bounded size that
never changes the ids. A pattern that the core does not scan is cut by the `regex` library: here for one text, in
processes for a file.

Left out: normalisation, added tokens with stripping rules, truncation and padding, and token offsets.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hornbook.errors import FormatError, TokenizerError, did_you_mean
from hornbook.fileio import sha256_file
from hornbook.tokenizer import _core, formats, free_pattern, streams
from hornbook.tokenizer.formats.gpt2 import read_gpt2
from hornbook.tokenizer.formats.own import fingerprint, write_own
from hornbook.tokenizer.formats.parts import TokenizerParts
from hornbook.tokenizer.patterns import resolve, split
from hornbook.tokenizer.special import check_special_tokens, documents_of, place_special, split_special
from hornbook.tokenizer.token_file import TokenFile, TokenFileWriter
from hornbook.tokenizer.training import _threads
from hornbook.tokenizer.utf8 import Errors, check_errors, checked, encoded, lone_surrogate

__all__ = ["Tokenizer"]

Allowed = Literal["all", "none"] | Collection[str]

# encode_iterable works through its input in pieces of so many characters: enough to be fast, and few ids at a time.
_PIECE = 1 << 14
# A free pattern's pre-tokens become ids so many at a time: as Python objects they take ten times the text's memory.
_PRETOKENS = 1 << 16


class Tokenizer:
    """A byte-level BPE tokenizer.

    Args:
        vocab: id → bytes. Ids may have holes. An ordinary entry that no merge makes is never produced by `encode`.
        merges: pairs of byte strings in order of creation.
        special_tokens: texts that get one id each. Those that `vocab` lacks are appended at max id + 1 in this order;
            one whose bytes several entries have owns the lowest id.
        pattern: `gpt2`, `cl100k`, `o200k`, or a regular expression.
        cache_bytes: the most that each thread's memory of encoded pre-tokens may take.

    Raises:
        TokenizerError: a merge whose sides no earlier merge makes or whose result is not in `vocab`; an empty or
            repeated special token; a pattern that cannot be used.
    """

    def __init__(
        self,
        vocab: Mapping[int, bytes],
        merges: Iterable[tuple[bytes, bytes]],
        special_tokens: Sequence[str] | None = None,
        *,
        pattern: str = "gpt2",
        cache_bytes: int = 128 << 20,
    ) -> None:
        self.special_tokens: list[str] = list(special_tokens or [])
        check_special_tokens(self.special_tokens)
        self.vocab: dict[int, bytes] = dict(vocab)
        self.merges: list[tuple[bytes, bytes]] = [(bytes(left), bytes(right)) for left, right in merges]
        if any(not isinstance(i, int) or not 0 <= i < 2**32 - 1 for i in self.vocab) or not self.vocab:
            raise TokenizerError("a vocabulary maps at least one id, a whole number from 0 to 4,294,967,294, to bytes")
        self.special_token_ids: dict[str, int] = place_special(self.vocab, self.special_tokens)
        self._resolved = resolve(pattern)
        self.pattern: str = self._resolved.text
        self._is_native = self._resolved.name in _core.native_patterns
        encoder = _core.Encoder16 if max(self.vocab) < 65_536 else _core.Encoder32
        # 65,535 means "elsewhere" to the core's cache only as a count; as an id it is an id like any other.
        self._native = encoder(
            self.vocab,
            self.merges,
            list(self.special_token_ids.items()),
            self.pattern if self._is_native else "",
            cache_bytes,
        )

    @property
    def vocab_size(self) -> int:
        """The highest id + 1: what a model's embedding needs."""
        return max(self.vocab) + 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the id arrays: uint16 while every id fits, else uint32."""
        return np.dtype(np.uint16 if max(self.vocab) < 65_536 else np.uint32)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the tokenizer's content in its own format: equal exactly for tokenizers that give equal ids."""
        if not hasattr(self, "_fingerprint"):
            self._fingerprint = fingerprint(self.parts())
        return self._fingerprint

    def __repr__(self) -> str:
        return f"Tokenizer({len(self.vocab):,} entries, {len(self.merges):,} merges, pattern={self.pattern!r})"

    def parts(self) -> TokenizerParts:
        """Return what the tokenizer is made of, for the formats. Raises FormatError where it lacks one of the bytes."""
        return TokenizerParts(
            vocab=self.vocab, merges=self.merges, special_tokens=self.special_token_ids, pattern=self.pattern
        )

    @classmethod
    def from_parts(cls, parts: TokenizerParts) -> Tokenizer:
        """Build a tokenizer from what a format holds."""
        tokenizer = cls(parts.vocab, parts.merges, list(parts.special_tokens), pattern=parts.pattern)
        if tokenizer.special_token_ids != parts.special_tokens:
            raise FormatError("a special token of this file has another id than the lowest entry with its bytes")
        return tokenizer

    @classmethod
    def from_files(
        cls,
        vocab_filepath: str | os.PathLike[str],
        merges_filepath: str | os.PathLike[str],
        special_tokens: Sequence[str] | None = None,
    ) -> Tokenizer:
        """Read GPT-2's two files, `vocab.json` and `merges.txt`.

        Args:
            vocab_filepath: JSON, token → id.
            merges_filepath: one merge per line.
            special_tokens: the files do not say them; those that they lack are appended.

        Raises:
            FormatError: damaged files.
            OSError: files that cannot be read.
        """
        return cls.from_parts(read_gpt2(vocab_filepath, merges_filepath, special_tokens))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tokenizer:
        """Read a tokenizer: hornbook's own folder, `tokenizer.json`, `*.tiktoken`, or a folder with one of them.

        Raises:
            FormatError: nothing there is a tokenizer, or it is damaged.
            OSError: a file cannot be read.
        """
        return cls.from_parts(formats.read(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write hornbook's own format into the folder `path`, in one step. Raises OSError."""
        write_own(self.parts(), path)

    def encode(self, text: str, *, allowed_special: Allowed = "all") -> list[int]:
        """Return the ids of a text.

        Args:
            text: any str without lone surrogates.
            allowed_special: the special tokens that become their ids: "all", "none" or some of them. The others are
                ordinary text.

        Raises:
            TokenizerError: a lone surrogate, an unknown name in `allowed_special`, or a byte that `vocab` lacks.
        """
        if not isinstance(text, str):
            raise TokenizerError(f"encode takes a str, not {type(text).__name__} (encode_array takes bytes too)")
        allowed = None if allowed_special == "all" else self._allowed(allowed_special)
        try:
            if self._is_native:
                return self._native.encode(text, allowed)
            return self._encode_free(text, allowed).tolist()
        except UnicodeEncodeError as error:
            raise lone_surrogate(error) from None

    def encode_array(
        self, text: str | bytes, num_threads: int | None = 1, *, allowed_special: Allowed = "all"
    ) -> np.ndarray:
        """Return the ids of a text as an array, uint16 or uint32 (see `dtype`), shape (num_tokens,).

        Args:
            text: a str, or bytes: a byte that is in no well-formed UTF-8 sequence is a character by itself.
            num_threads: for long texts; None: as many as this process has cores. The ids do not depend on it.
            allowed_special: see `encode`.

        Raises:
            TokenizerError: see `encode`.
        """
        if not isinstance(text, str | bytes):
            raise TokenizerError(f"encode_array takes a str or bytes, not {type(text).__name__}")
        allowed = None if allowed_special == "all" else self._allowed(allowed_special)
        try:
            if self._is_native:
                return self._native.encode_array(text, allowed, _threads(num_threads))
            return self._encode_free(text, allowed)
        except UnicodeEncodeError as error:
            raise lone_surrogate(error) from None

    def encode_batch(
        self, texts: Sequence[str], num_threads: int | None = None, *, allowed_special: Allowed = "all"
    ) -> list[np.ndarray]:
        """Return the ids of many texts, one array each, on several threads. Raises as `encode`."""
        allowed = None if allowed_special == "all" else self._allowed(allowed_special)
        for text in texts:
            if not isinstance(text, str):
                raise TokenizerError(f"encode_batch takes a sequence of str; one is {type(text).__name__}")
        try:
            if self._is_native:
                return self._native.encode_batch(texts, allowed, _threads(num_threads))
            return [self._encode_free(text, allowed) for text in texts]
        except UnicodeEncodeError as error:
            raise lone_surrogate(error) from None

    def encode_pretokens(self, pretokens: Sequence[bytes]) -> np.ndarray:
        """Return the ids of pre-tokens that are cut already, one after the other; the pattern is not asked."""
        ends = np.cumsum([len(pretoken) for pretoken in pretokens], dtype=np.uint64)
        return self._native.encode_pieces(b"".join(pretokens), ends)

    def encode_iterable(self, iterable: Iterable[str], *, allowed_special: Allowed = "all") -> Iterator[int]:
        """Yield the ids of a text that comes in chunks (lines of a file, say), as if it came whole.

        However the text is cut, the ids are those of `encode("".join(iterable))`: what a later chunk could still change
        is held back. Memory stays bounded as long as letters and numbers end now and then; with a pattern that the core
        does not scan, as long as special tokens come.

        Raises:
            TokenizerError: see `encode`.
        """
        allowed = None if allowed_special == "all" else self._allowed(allowed_special)
        if not self._is_native:
            return self._encode_free_iterable(iterable, allowed)
        return self._encode_native_iterable(iterable, allowed)

    def encode_file(
        self,
        path: str | os.PathLike[str] | Iterable[str | bytes],
        out_path: str | os.PathLike[str],
        *,
        num_threads: int | None = None,
        errors: Errors = "strict",
        progress: Callable[[int], Any] | None = None,
    ) -> TokenFile:
        """Encode a UTF-8 file of any size into a token file, with bounded memory.

        Args:
            path: the text; or the text as a stream: an iterable of chunks of str or bytes, such as a
                `hornbook.data.text_reader.Corpus`.
            out_path: the token file, `….npy`; its manifest gets `….json`. Both appear whole or not at all.
            num_threads: None: as many as this process has cores. The ids do not depend on it.
            errors: "strict" or "replace", for malformed UTF-8.
            progress: called now and then with the bytes done.

        Returns:
            The token file, open. Its `num_documents` counts the stretches between special tokens that hold more than
            whitespace, its `num_bytes` the bytes of ordinary text.

        Raises:
            DataError: malformed UTF-8 with errors="strict" (names the byte offset).
            OSError: a file that cannot be read or written.
        """
        check_errors(errors)
        threads = _threads(num_threads)
        if not isinstance(path, str | os.PathLike):
            return self._encode_stream(path, out_path, threads, errors, progress)
        source = Path(path)
        with TokenFileWriter(out_path, vocab_size=self.vocab_size) as writer:
            if self._is_native:
                count, num_bytes, num_documents = self._native.encode_file_to(
                    str(source), writer.file.fileno(), threads, errors == "replace", progress
                )
                writer.appended(count)
            else:
                processes = threads if source.stat().st_size >= free_pattern.SMALL else 1
                tally = streams.Tally(self.special_tokens)
                for ids in self._encode_free_pieces(
                    self._documents(source, errors),
                    processes,
                    tally,
                ):
                    writer.append(ids)
                num_bytes, num_documents = tally.num_bytes, tally.num_documents
            entry = {"path": str(source), "bytes": source.stat().st_size, "sha256": sha256_file(source)}
            writer.finish(
                tokenizer_fingerprint=self.fingerprint,
                sources=[entry],
                num_bytes=num_bytes,
                num_documents=num_documents,
            )
        if progress is not None:
            progress(source.stat().st_size)
        return TokenFile.open(out_path)

    def encode_to_array(
        self, path: str | os.PathLike[str], *, num_threads: int | None = None, errors: Errors = "strict"
    ) -> np.ndarray:
        """Return the ids of a UTF-8 file in memory, as one array of `dtype`. Raises as `encode_file`."""
        check_errors(errors)
        threads = _threads(num_threads)
        if self._is_native:
            return self._native.encode_file(os.fspath(path), threads, errors == "replace", None)
        source = Path(path)
        processes = threads if source.stat().st_size >= free_pattern.SMALL else 1
        tally = streams.Tally(self.special_tokens)
        parts = self._encode_free_pieces(self._documents(source, errors), processes, tally)
        return np.concatenate([np.empty(0, self.dtype), *parts])

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of a sequence of ids. Raises TokenizerError for an id that the vocabulary lacks."""
        if isinstance(ids, np.ndarray):
            ids = ids.tolist()
        try:
            return b"".join(map(self.vocab.__getitem__, ids))
        except KeyError as error:
            raise TokenizerError(
                f"there is no token with id {error.args[0]}: the vocabulary has {len(self.vocab):,} entries, "
                f"ids up to {max(self.vocab):,}"
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of a sequence of ids, malformed bytes as U+FFFD. Raises as `decode_bytes`."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def _allowed(self, allowed_special: Allowed) -> list[int]:
        # Indices of the special tokens that count.
        if isinstance(allowed_special, str):
            if allowed_special != "none":
                raise TokenizerError(
                    f'allowed_special is "all", "none" or a collection of special tokens, not {allowed_special!r}'
                )
            return []
        for token in allowed_special:
            if token not in self.special_token_ids:
                hint = did_you_mean(str(token), self.special_tokens)
                raise TokenizerError(f"{token!r} is not a special token of this tokenizer{hint}")
        chosen = set(allowed_special)
        return [index for index, token in enumerate(self.special_tokens) if token in chosen]

    def _encode_native_iterable(self, iterable: Iterable[str], allowed: list[int] | None) -> Iterator[int]:
        pending, searched, patience = b"", 0, 0
        margin = 8 + max((len(token.encode()) for token in self.special_tokens), default=0)
        try:
            for chunk in iterable:
                if not isinstance(chunk, str):
                    raise TokenizerError(f"encode_iterable takes chunks of str; one is {type(chunk).__name__}")
                for start in range(0, len(chunk), _PIECE):
                    pending += chunk[start : start + _PIECE].encode()
                    if len(pending) < patience:
                        continue
                    stable = self._native.stable_length(pending, searched, allowed)
                    if stable:
                        yield from self._native.encode_array(pending[:stable], allowed).tolist()
                        pending, searched, patience = pending[stable:], 0, 0
                    else:  # nothing certain yet: look again when there is more, not at each of many small chunks
                        searched = max(0, len(pending) - margin)
                        patience = len(pending) * 5 // 4 if len(pending) > _PIECE else 0
        except UnicodeEncodeError as error:
            raise lone_surrogate(error) from None
        yield from self._native.encode_array(pending, allowed).tolist()

    def _encode_free_iterable(self, iterable: Iterable[str], allowed: list[int] | None) -> Iterator[int]:
        for piece, is_special in documents_of(map(encoded, iterable), self._texts(allowed)):
            if is_special:
                yield self.special_token_ids[piece.decode()]
            else:
                yield from self._encode_free(piece.decode(), []).tolist()

    def _texts(self, allowed: list[int] | None) -> list[str]:
        return self.special_tokens if allowed is None else [self.special_tokens[index] for index in allowed]

    def _encode_free(self, text: str | bytes, allowed: list[int] | None) -> np.ndarray:
        if isinstance(text, bytes):
            text = text.decode("utf-8", errors="surrogateescape")
        else:
            encoded(text)  # raises for a lone surrogate
        parts = [np.empty(0, self.dtype)]
        for piece, is_special in split_special(text, self._texts(allowed)):
            if is_special:
                parts.append(np.array([self.special_token_ids[piece]], self.dtype))
                continue
            pretokens = (pretoken.encode("utf-8", "surrogateescape") for pretoken in split(piece, self.pattern))
            while some := list(itertools.islice(pretokens, _PRETOKENS)):
                parts.append(self.encode_pretokens(some))
        return np.concatenate(parts)

    def _documents(self, path: Path, errors: Errors) -> Iterator[tuple[bytes, bool]]:
        return documents_of(checked(streams.read_file(path), errors, path), self.special_tokens)

    def _encode_free_pieces(
        self, pieces: Iterable[tuple[bytes, bool]], processes: int, tally: streams.Tally
    ) -> Iterator[np.ndarray]:
        """Yield the ids of a text in pieces (text, is it special), whole documents at a time."""

        def counted() -> Iterator[bytes]:
            for batch in free_pattern.batches(pieces):
                tally.add(batch)
                yield batch

        if processes > 1:
            yield from free_pattern.encode(counted(), self, processes)
        else:
            for batch in counted():
                yield self._encode_free(batch, None)

    def _encode_stream(
        self,
        chunks: Iterable[str | bytes],
        out_path: str | os.PathLike[str],
        threads: int,
        errors: Errors,
        progress: Callable[[int], Any] | None,
    ) -> TokenFile:
        tally = streams.Tally(self.special_tokens)
        source = streams.Described(chunks, progress)
        if self._is_native:
            parts = streams.encode_stream(
                source,
                lambda block: self._native.encode_array(block, None, threads),
                self.special_tokens,
                errors,
                tally,
            )
        else:
            parts = self._encode_free_pieces(documents_of(checked(source, errors), self.special_tokens), threads, tally)
        with TokenFileWriter(out_path, vocab_size=self.vocab_size) as writer:
            for ids in parts:
                writer.append(ids)
            writer.finish(
                tokenizer_fingerprint=self.fingerprint,
                sources=[source.entry()],
                num_bytes=tally.num_bytes,
                num_documents=tally.num_documents,
            )
        return TokenFile.open(out_path)
