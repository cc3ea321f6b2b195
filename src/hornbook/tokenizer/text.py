"""Text on its way to be counted or encoded: files and streams as chunks, chunks as blocks that may be worked on apart.

Chunks come as they may (a `TextReader`, a generator, a socket). Blocks are cut where that changes no pre-token: at the
end of a word or number under a named pattern, at special tokens under any other. So the result is that of the whole
text at once, however it is chunked (tests/property/test_text_streams.py).

Left out: reading a stream on several threads; unpacking is one thread's work, counting and encoding several's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from hornbook.errors import DataError, TokenizerError
from hornbook.tokenizer import _core
from hornbook.tokenizer.patterns import is_native
from hornbook.tokenizer.special import byte_finder, documents_of
from hornbook.tokenizer.utf8 import Chunk, encoded

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Iterable[Chunk]
"""A path, a list of paths, or the text itself as any other iterable of chunks."""

BLOCK_BYTES = 4 << 20
_BATCH = 500_000  # bytes of the whole documents that make a block under a free pattern
_PIECE = 1 << 14  # characters of a piece of `pieces_of`: enough to be fast, and few ids at a time


def is_chunks(source: Source) -> TypeGuard[Iterable[Chunk]]:
    """Return whether `source` is text in chunks, not the name of one or more files."""
    return not isinstance(source, str | os.PathLike | list | tuple)


def file_paths(source: Any) -> list[Path]:
    """Return the files that a path or a list of paths names. Raises DataError for an empty list."""
    paths = [Path(source)] if isinstance(source, str | os.PathLike) else [Path(path) for path in source]
    if not paths:
        raise DataError("there is no file to read; name at least one")
    return paths


def resolve_threads(num_threads: int | None) -> int:
    """Return how many threads to use: as given, or as many as this process has cores. Raises TokenizerError."""
    if num_threads is None:
        return _core.available_cores()
    if isinstance(num_threads, bool) or not isinstance(num_threads, int) or num_threads < 1:
        raise TokenizerError(f"num_threads is a whole number of at least 1, or None, not {num_threads!r}")
    return min(num_threads, 256)


def read_file(path: Path) -> Iterator[bytes]:
    """Yield a file in chunks of a megabyte. Raises OSError."""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


def pieces_of(chunks: Iterable[str]) -> Iterator[bytes]:
    """Yield chunks of str as UTF-8 in small pieces. Raises TokenizerError for another type or a lone surrogate."""
    for chunk in chunks:
        if not isinstance(chunk, str):
            raise TokenizerError(f"encode_iterable takes chunks of str; one is {type(chunk).__name__}")
        for start in range(0, len(chunk), _PIECE):
            yield encoded(chunk[start : start + _PIECE])


def with_progress(chunks: Iterable[Chunk], progress: Callable[[int, int], Any] | None) -> Iterator[Chunk]:
    """Pass chunks on and call `progress` (done, total): of a `TextReader`'s files, else of the stream so far."""
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if progress is not None:
            done_of_files = getattr(chunks, "read_bytes", done)
            progress(done_of_files, getattr(chunks, "total_bytes", None) or done_of_files)


def safe_blocks(chunks: Iterable[bytes], pattern: str, special_tokens: Sequence[str]) -> Iterator[bytes]:
    """Yield the text in blocks whose pre-tokens, one block after the other, are the text's under this pattern.

    Args:
        chunks: well-formed UTF-8, cut anywhere.
        pattern: of any kind; under one that the core does not scan, a block is whole documents.
        special_tokens: never cut through.
    """
    if is_native(pattern):
        return word_blocks(chunks, special_tokens, BLOCK_BYTES)
    documents = (text for text, _ in documents_of(chunks, special_tokens))
    return map(b"".join, batches(documents, _BATCH))


def word_blocks(chunks: Iterable[bytes], special_tokens: Sequence[str], least: int) -> Iterator[bytes]:
    """Yield the text in blocks cut at the end of a word or number, which suits every named pattern.

    Args:
        chunks: well-formed UTF-8, cut anywhere.
        special_tokens: never cut through.
        least: bytes of a block; 0 for all that is certain after each chunk. Longer where no safe place is in sight.
    """
    special = list(special_tokens)
    margin = 8 + max((len(token.encode()) for token in special), default=0)
    pending = bytearray()
    searched, wanted = 0, least
    for chunk in chunks:
        for start in range(0, len(chunk), BLOCK_BYTES):
            pending += chunk[start : start + BLOCK_BYTES]
            if len(pending) < wanted:
                continue
            text = bytes(pending)
            cut = _core.last_cut(text, searched, special)
            if cut > searched:
                yield text[:cut]
                del pending[:cut]
                searched, wanted = 0, least
            else:  # nothing certain yet: look again when there is more, not at each of many small chunks
                searched = max(0, len(pending) - margin)
                wanted = len(pending) * 5 // 4 if len(pending) > _PIECE else least
    if pending:
        yield bytes(pending)


def batches(texts: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Gather texts to lists of `size` bytes or more; the last may be smaller."""
    batch: list[bytes] = []
    held = 0
    for text in texts:
        batch.append(text)
        held += len(text)
        if held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


class DocumentCounter:
    """What the manifest of a token file says of the text: bytes of ordinary text, and documents, block by block."""

    def __init__(self, special_tokens: Sequence[str]) -> None:
        self._special = byte_finder(special_tokens)
        self.num_bytes = 0
        self._closed, self._open = 0, False

    @property
    def num_documents(self) -> int:
        """Stretches between special tokens that hold more than ASCII whitespace."""
        return self._closed + self._open

    def counted(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on blocks, which cut no special token, and count what is in them."""
        for block in blocks:
            end = 0
            for match in self._special.finditer(block):
                self._stretch(block[end : match.start()])
                self._closed, self._open = self._closed + self._open, False
                end = match.end()
            self._stretch(block[end:])
            yield block

    def _stretch(self, text: bytes) -> None:
        self.num_bytes += len(text)
        if not self._open and text:
            self._open = not text.isspace()
