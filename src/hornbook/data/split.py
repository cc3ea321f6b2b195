"""Text files cut into a training and a validation part.

The split is the design's: the last share of the documents, or, under 20 documents, the last share of the bytes cut at
a line. No torch.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hornbook.data.documents import document_starts
from hornbook.data.scan import BLOCK, TextFile
from hornbook.errors import DataError
from hornbook.fileio import open_atomic
from hornbook.format import counted

FEW_DOCUMENTS = 20


@dataclass(frozen=True)
class TextSlice:
    """The bytes `start` … `end` of a file; the whole of it where that is everything."""

    file: TextFile
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        """Whether the slice is the whole file."""
        return self.start == 0 and self.end == self.file.num_bytes


def split_files(
    files: Sequence[TextFile], separator: str | None, share: float
) -> tuple[list[TextSlice], list[TextSlice]]:
    """Cut the text into a training and a validation part.

    Args:
        files: in order.
        separator: the string between documents.
        share: how much validation gets, 0 … 1: the last ⌈share · documents⌉ documents; under 20 documents the last
            `share` of the bytes, cut at a line.

    Raises:
        DataError: one of the two would be empty.
    """
    documents = sum(file.num_documents for file in files)
    if documents >= FEW_DOCUMENTS:
        number, place = _find_document(files, separator, documents - math.ceil(share * documents))
    else:
        number, place = _find_line(files, share)
    training = [TextSlice(file, 0, file.num_bytes) for file in files[:number]]
    validation = [TextSlice(file, 0, file.num_bytes) for file in files[number + 1 :]]
    if place > 0:
        training.append(TextSlice(files[number], 0, place))
    if place < files[number].num_bytes:
        validation.insert(0, TextSlice(files[number], place, files[number].num_bytes))
    if not training or not validation:
        raise DataError(
            f"{counted(documents, 'document')} cannot be cut so that data.validation = {share} leaves something on "
            "both sides; give more text, or a text of its own with --data.validation-text"
        )
    return training, validation


def copy_slice(piece: TextSlice, target: Path) -> None:
    """Write a slice to a file of its own. Raises OSError."""
    with open(piece.file.path, "rb") as file, open_atomic(target) as out:  # noqa: PTH123
        file.seek(piece.start)
        left = piece.end - piece.start
        while left > 0:
            block = file.read(min(BLOCK, left))
            if not block:
                raise DataError(f"{piece.file.path} became shorter while it was read; start again")
            out.write(block)
            left -= len(block)


def _find_document(files: Sequence[TextFile], separator: str | None, number: int) -> tuple[int, int]:
    for i, file in enumerate(files):
        if number < file.num_documents:
            for document, start in enumerate(document_starts(Path(file.path), separator)):
                if document == number:
                    return i, start
        number -= file.num_documents
    return len(files) - 1, files[-1].num_bytes


def _find_line(files: Sequence[TextFile], share: float) -> tuple[int, int]:
    total = sum(file.num_bytes for file in files)
    place = total - math.ceil(share * total)
    for i, file in enumerate(files):
        if place < file.num_bytes or i == len(files) - 1:
            return i, _line_at(Path(file.path), min(place, file.num_bytes))
        place -= file.num_bytes
    raise AssertionError("unreachable: the last file holds the place")


def _line_at(path: Path, place: int) -> int:
    """Return the start of a line near `place`: the next one, else the one it is in, else a character's start."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:  # noqa: PTH123
        if place == 0 or data[place - 1 : place] == b"\n":
            return place
        following = data.find(b"\n", place) + 1
        if 0 < following < len(data):
            return following
        before = data.rfind(b"\n", 0, place) + 1
        if before > 0:
            return before
        while place > 0 and data[place] & 0xC0 == 0x80:
            place -= 1
        return place
