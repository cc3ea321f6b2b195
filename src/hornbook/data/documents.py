"""Where the documents of a text start and end: a separator stands between two of them (no torch)."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Below it a file is read; above it is mapped, which costs more than reading a small one.
MAPPED_FROM = 1 << 20


@contextmanager
def text_bytes(path: str | Path, size: int) -> Iterator[bytes | mmap.mmap]:
    """Give the bytes of a text file of `size` bytes: in memory where it is small, mapped where it is not."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        if size < MAPPED_FROM:
            yield file.read()
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def documents(data: bytes | mmap.mmap, separator: str | None) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end, next) of each document: its text is start … end, and what follows its separator and the line
    break behind it begins at next. Stretches of nothing but white space are no documents."""
    mark = separator.encode() if separator else b""
    start = 0
    while start < len(data):
        end = data.find(mark, start) if mark else -1
        following = end = len(data) if end < 0 else end
        if end < len(data):
            following += len(mark)
            following += data[following : following + 1] == b"\n"
        if _has_text(data, start, end):
            yield start, end, following
        start = following


def document_starts(path: Path, separator: str | None) -> Iterator[int]:
    """Yield where each document of a file starts."""
    with text_bytes(path, path.stat().st_size) as data:
        for start, _, _ in documents(data, separator):
            yield start


def _has_text(data: bytes | mmap.mmap, start: int, end: int) -> bool:
    while start < end:
        if data[start : min(start + 64, end)].strip():
            return True
        start += 64
    return False
