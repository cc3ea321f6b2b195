"""The two parts of a data set as one text each: documents of any number of files, with the separator between them.

Validation is drawn by the seed: of N documents, those whose 64-bit keyed hashes are the ⌈share · N⌉ smallest. So it is
a matter of a document's content and the seed, not of file names or order, and equal documents fall on one side, but
for the key at which the count is reached. No torch.
"""

from __future__ import annotations

import hashlib
import math
import mmap
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hornbook.data.documents import documents, text_bytes
from hornbook.data.scan import BLOCK, TextFile
from hornbook.data.split import FEW_DOCUMENTS, TextSlice, split_files
from hornbook.errors import DataError
from hornbook.fileio import open_atomic

WHITE = b" \t\n\r\x0b\x0c"


class TextStream:
    """Text written piece by piece, with a separator wherever a piece does not bring one.

    Args:
        file: where it goes.
        separator: the string between documents; None: a line break.
    """

    def __init__(self, file: BinaryIO, separator: str | None):
        self.file, self.mark = file, (separator or "\n").encode()
        self._tail = self.mark

    def write(self, data: bytes | mmap.mmap, start: int, end: int) -> None:
        """Append the document `data[start:end]`, after a separator unless one ends what is there."""
        if not (self._tail.endswith(self.mark) or self._tail.rstrip().endswith(self.mark)):
            self.file.write(self.mark)
        for place in range(start, end, BLOCK):
            self.file.write(data[place : min(place + BLOCK, end)])
        self._tail = data[max(start, end - len(self.mark) - 64) : end]


def document_key(content: bytes | memoryview, seed: int) -> int:
    """Return 64 bits of BLAKE2b of a document's text, keyed with the seed; white space around the text is no part."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=str(seed).encode()).digest(), "big")


def draw(keys: Sequence[int] | array[int], share: float) -> np.ndarray:
    """Return which of the documents validation gets: those of the ⌈share · N⌉ smallest keys, later ones of equals."""
    values = np.array(keys, np.uint64)
    order = len(values) - 1 - np.argsort(values[::-1], kind="stable")
    drawn = np.zeros(len(values), bool)
    drawn[order[: math.ceil(share * len(values))]] = True
    return drawn


def write_split(
    files: Sequence[TextFile],
    separator: str | None,
    share: float,
    seed: int | None,
    targets: tuple[Path, Path],
) -> None:
    """Split texts and write the training and the validation part.

    Args:
        files: in order.
        separator: the string between documents.
        share: how much of the documents validation gets, 0 … 1.
        seed: draws them; None: they are the last ones. Under 20 documents it is the last `share` of the bytes, cut at
            a line, either way.
        targets: the two files to write.

    Raises:
        DataError: one of the two would be empty.
    """
    if seed is None or sum(file.num_documents for file in files) < FEW_DOCUMENTS:
        for slices, target in zip(split_files(files, separator, share), targets, strict=True):
            write_slices(slices, separator, target)
        return
    drawn = draw(_keys(files, separator, seed), share)
    if drawn.all():
        raise DataError(f"data.validation = {share} of {len(drawn)} documents leaves nothing to train on; take less")
    with open_atomic(targets[0]) as training, open_atomic(targets[1]) as validation:
        parts = TextStream(training, separator), TextStream(validation, separator)
        for number, (data, start, _, following) in enumerate(_all_documents(files, separator)):
            parts[int(drawn[number])].write(data, start, following)


def write_slices(slices: Iterable[TextSlice], separator: str | None, target: Path) -> None:
    """Write stretches of files as one text."""
    with open_atomic(target) as file:
        stream = TextStream(file, separator)
        for piece in slices:
            with text_bytes(piece.file.path, piece.file.num_bytes) as data:
                if len(data) < piece.end:
                    raise DataError(f"{piece.file.path} became shorter while it was read; start again")
                stream.write(data, piece.start, piece.end)


def _all_documents(
    files: Sequence[TextFile], separator: str | None
) -> Iterator[tuple[bytes | mmap.mmap, int, int, int]]:
    for file in files:
        with text_bytes(file.path, file.num_bytes) as data:
            count = 0
            for start, end, following in documents(data, separator):
                yield data, start, end, following
                count += 1
            if count != file.num_documents or len(data) != file.num_bytes:
                raise DataError(f"{file.path} changed while it was read; start again")


def _keys(files: Sequence[TextFile], separator: str | None, seed: int) -> array[int]:
    keys = array("Q")
    for data, start, end, _ in _all_documents(files, separator):
        while data[start] in WHITE:
            start += 1
        while data[end - 1] in WHITE:
            end -= 1
        with memoryview(data) as whole, whole[start:end] as content:  # not copied: a document may be large
            keys.append(document_key(content, seed))
    return keys
