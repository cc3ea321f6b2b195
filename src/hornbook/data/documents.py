"""Where the documents of a text file start and end: a separator stands between two of them (no torch)."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path


def document_starts(path: Path, separator: str | None) -> Iterator[int]:
    """Yield where each document starts: after a separator and the line break behind it, if text follows."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:  # noqa: PTH123
        mark = separator.encode() if separator else b""
        start = 0
        while start < len(data):
            end = data.find(mark, start) if mark else -1
            end = len(data) if end < 0 else end
            if _has_text(data, start, end):
                yield start
            start = end + len(mark) if mark else end
            if end < len(data) and data[start : start + 1] == b"\n":
                start += 1


def _has_text(data: mmap.mmap, start: int, end: int) -> bool:
    while start < end:
        if data[start : min(start + 64, end)].strip():
            return True
        start += 64
    return False
