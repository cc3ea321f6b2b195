"""Text that comes as a stream of chunks (a `Corpus`, a generator, a socket) through the native counter and encoder.

Chunks are gathered to blocks of a few megabytes and cut where the text may be cut without changing its pre-tokens: at
the end of a word or number under a named pattern, at special tokens under a free one. The result is that of the whole
text at once, however it is chunked (tests/property/test_streams.py).

Left out: a stream's own parallel reading; unpacking is one thread's work, counting several's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from hornbook.tokenizer import _core
from hornbook.tokenizer.free_pattern import batches
from hornbook.tokenizer.patterns import resolve
from hornbook.tokenizer.special import byte_finder, documents_of
from hornbook.tokenizer.utf8 import Errors, checked, encoded

__all__ = ["BLOCK_BYTES", "Tally", "blocks", "count_stream", "encode_stream", "independent", "read_file"]

BLOCK_BYTES = 4 << 20
Chunk = str | bytes


def read_file(path: Path) -> Iterator[bytes]:
    """Yield a file in chunks of a megabyte. Raises OSError."""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


def blocks(chunks: Iterable[bytes], special_tokens: Sequence[str], size: int | None = None) -> Iterator[bytes]:
    """Yield the text in blocks that may be counted or encoded apart under any named pattern.

    Args:
        chunks: the text, cut anywhere, also inside a character.
        special_tokens: never cut through.
        size: bytes of a block; longer where no safe place is in sight (one endless word).
    """
    size = BLOCK_BYTES if size is None else size
    pending = bytearray()
    searched, wanted = 0, size
    margin = 8 + max((len(token.encode()) for token in special_tokens), default=0)
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            pending += chunk[start : start + size]
            if len(pending) < wanted:
                continue
            cut = _core.last_cut(bytes(pending), searched, list(special_tokens))
            if cut > searched:
                yield bytes(pending[:cut])
                del pending[:cut]
                searched, wanted = 0, size
            else:  # look again when there is a good deal more
                searched = max(0, len(pending) - margin)
                wanted = len(pending) * 5 // 4
    if pending:
        yield bytes(pending)


def reported(chunks: Iterable[Chunk], progress: Callable[[int, int], Any] | None) -> Iterator[Chunk]:
    """Pass chunks on and tell `progress` (done, total): of the files behind a `Corpus`, else of the stream so far."""
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        if progress is not None:
            done_of_files = getattr(chunks, "read_bytes", done)
            progress(done_of_files, getattr(chunks, "total_bytes", None) or done_of_files)


def count_stream(
    total: _core.Counts,
    chunks: Iterable[Chunk],
    pattern: str,
    special_tokens: Sequence[str],
    threads: int,
    errors: Errors,
) -> None:
    """Add the pre-tokens of a stream under a named pattern to `total`, counted on several threads.

    Raises:
        DataError: malformed UTF-8 with errors="strict" (names the byte of the stream).
    """
    special = list(special_tokens)
    idle: SimpleQueue[_core.Counts] = SimpleQueue()
    tables = [total, *(_core.Counts() for _ in range(threads - 1))]
    for table in tables:
        idle.put(table)

    def work(block: bytes) -> None:
        table = idle.get()
        try:
            table.add_text(block, pattern, special)
        finally:
            idle.put(table)

    under_way: set[Future[None]] = set()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="hornbook-count")
    try:
        for block in blocks(checked(chunks, errors), special):
            if len(under_way) > 2 * threads:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
            under_way.add(pool.submit(work, block))
        for future in under_way:
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)  # after an interrupt only the blocks that are being counted are waited for
    for table in tables[1:]:
        total.merge(table)


def independent(
    chunks: Iterable[Chunk], pattern: str, special_tokens: Sequence[str], errors: Errors
) -> Iterator[bytes]:
    """Yield the text in pieces whose ids, one after the other, are the text's under this pattern, named or free."""
    if resolve(pattern).name in _core.native_patterns:
        yield from blocks(checked(chunks, errors), special_tokens)
    else:
        yield from batches(documents_of(checked(chunks, errors), special_tokens))


class Described:
    """A stream on its way to a token file: iterates over it, tells progress, and says in the end what it was."""

    def __init__(self, chunks: Iterable[Chunk], progress: Callable[[int], Any] | None) -> None:
        self._chunks = chunks
        tell = None if progress is None else (lambda done, _: progress(done))
        self._reported = reported(chunks, tell)
        self._digest, self._size = hashlib.sha256(), 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._reported:
            chunk = encoded(chunk) if isinstance(chunk, str) else chunk
            self._digest.update(chunk)
            self._size += len(chunk)
            yield chunk

    def entry(self) -> dict[str, Any]:
        """Return the manifest's entry: the files behind a `Corpus`, size and SHA-256 of the text as it streamed."""
        files = getattr(self._chunks, "files", None)
        path = ", ".join(files) if files else "a stream"
        return {"path": path, "bytes": self._size, "sha256": self._digest.hexdigest()}


class Tally:
    """What the manifest of a token file says of the text: bytes of ordinary text, and documents, block by block."""

    def __init__(self, special_tokens: Sequence[str]) -> None:
        self._special = byte_finder(special_tokens)
        self.num_bytes = 0
        self._closed, self._open = 0, False

    @property
    def num_documents(self) -> int:
        """Stretches between special tokens that hold more than ASCII whitespace."""
        return self._closed + self._open

    def add(self, block: bytes) -> None:
        """Take the next block, which cuts no special token."""
        end = 0
        for match in self._special.finditer(block):
            self._stretch(block[end : match.start()])
            self._closed, self._open = self._closed + self._open, False
            end = match.end()
        self._stretch(block[end:])

    def _stretch(self, text: bytes) -> None:
        self.num_bytes += len(text)
        if not self._open and text:
            self._open = not text.isspace()


def encode_stream(
    chunks: Iterable[Chunk],
    encode: Callable[[bytes], np.ndarray],
    special_tokens: Sequence[str],
    errors: Errors,
    tally: Tally,
) -> Iterator[np.ndarray]:
    """Yield the ids of a stream under a named pattern, block by block, counting bytes and documents into `tally`."""
    for block in blocks(checked(chunks, errors), special_tokens):
        tally.add(block)
        yield encode(block)
