"""The tokenizer: text to token ids and back.

Encoding cuts the text at special tokens (leftmost first, at one place the longest), each stretch into pre-tokens by the
pattern, and applies the merges in order of creation inside each pre-token (CS336 handout §2.6). `reference.py` says it
in plain Python and the tests hold this to it. The work is done by an engine (`engines.py`): here the arguments are
checked, and ids become text again.

Left out: normalisation, added tokens with stripping rules, truncation and padding, and token offsets.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hornbook.errors import FormatError, TokenizerError
from hornbook.tokenizer import encode_files, formats
from hornbook.tokenizer.engines import engine_class
from hornbook.tokenizer.formats.gpt2 import read_gpt2
from hornbook.tokenizer.formats.own import fingerprint, write_own
from hornbook.tokenizer.formats.parts import TokenizerParts
from hornbook.tokenizer.patterns import find_pattern
from hornbook.tokenizer.special import AllowedSpecial, check_special_tokens, chosen, place_special
from hornbook.tokenizer.text import pieces_of, resolve_threads
from hornbook.tokenizer.token_file import TokenFile
from hornbook.tokenizer.token_header import token_dtype
from hornbook.tokenizer.utf8 import Chunk, Errors


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
        self.pattern: str = find_pattern(pattern).text
        self.assumed: str = ""  # by the reader of the file that it came from, see TokenizerParts
        engine = engine_class(self.pattern)
        self.engine = engine(self.vocab, self.merges, self.special_token_ids, self.pattern, cache_bytes)

    @property
    def vocab_size(self) -> int:
        """The highest id + 1: what a model's embedding needs."""
        return max(self.vocab) + 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the id arrays: uint16 while every id fits, else uint32."""
        return token_dtype(self.vocab_size)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the tokenizer's content in its own format: equal exactly for tokenizers that give equal ids."""
        return fingerprint(self.parts())

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
        tokenizer.assumed = parts.assumed
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
            special_tokens: the files do not say them; those that they lack are appended. None takes what lies beside
                the files (hornbook.json), as does the pattern.

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
        return cls.from_parts(formats.read_parts(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write hornbook's own format into the folder `path`, in one step. Raises OSError."""
        write_own(self.parts(), path)

    def encode(self, text: str, *, allowed_special: AllowedSpecial = "all") -> list[int]:
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
        allowed = None if allowed_special == "all" else chosen(allowed_special, self.special_tokens)
        return self.engine.encode(text, allowed)

    def encode_array(
        self, text: str | bytes, num_threads: int | None = 1, *, allowed_special: AllowedSpecial = "all"
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
        allowed = None if allowed_special == "all" else chosen(allowed_special, self.special_tokens)
        return self.engine.encode_array(text, allowed, resolve_threads(num_threads))

    def encode_batch(
        self, texts: Sequence[str], num_threads: int | None = None, *, allowed_special: AllowedSpecial = "all"
    ) -> list[np.ndarray]:
        """Return the ids of many texts, one array each, on several threads. Raises as `encode`."""
        for text in texts:
            if not isinstance(text, str):
                raise TokenizerError(f"encode_batch takes a sequence of str; one is {type(text).__name__}")
        allowed = None if allowed_special == "all" else chosen(allowed_special, self.special_tokens)
        return self.engine.encode_batch(texts, allowed, resolve_threads(num_threads))

    def encode_pretokens(self, pretokens: Sequence[bytes]) -> np.ndarray:
        """Return the ids of pre-tokens that are cut already, one after the other; the pattern is not asked."""
        return self.engine.encode_pretokens(pretokens)

    def encode_iterable(self, iterable: Iterable[str], *, allowed_special: AllowedSpecial = "all") -> Iterator[int]:
        """Yield the ids of a text that comes in chunks (lines of a file, say), as if it came whole.

        However the text is cut, the ids are those of `encode("".join(iterable))`: what a later chunk could still change
        is held back. Memory stays bounded as long as letters and numbers end now and then; with a pattern that the core
        does not scan, as long as special tokens come.

        Raises:
            TokenizerError: see `encode`.
        """
        allowed = None if allowed_special == "all" else chosen(allowed_special, self.special_tokens)
        arrays = self.engine.encode_chunks(pieces_of(iterable), allowed)
        return itertools.chain.from_iterable(ids.tolist() for ids in arrays)

    def encode_file(
        self,
        path: str | os.PathLike[str] | Iterable[Chunk],
        out_path: str | os.PathLike[str],
        *,
        num_threads: int | None = None,
        errors: Errors = "strict",
        progress: Callable[[int], Any] | None = None,
    ) -> TokenFile:
        """Encode a UTF-8 file of any size into a token file, with bounded memory.

        Args:
            path: the text; or the text as a stream: an iterable of chunks of str or bytes, such as a
                `hornbook.data.text_reader.TextReader`.
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
        return encode_files.encode_file(self, path, out_path, num_threads, errors, progress)

    def encode_to_array(
        self, path: str | os.PathLike[str], *, num_threads: int | None = None, errors: Errors = "strict"
    ) -> np.ndarray:
        """Return the ids of a UTF-8 file in memory, as one array of `dtype`. Raises as `encode_file`."""
        return encode_files.encode_to_array(self, path, num_threads, errors)

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
