"""Text files: checked, counted and cut into a training and a validation part.

One pass over each file finds its SHA-256, checks that it is UTF-8 and counts its documents; what was found is kept in
the cache under the file's size and time, so that a second run over the same 12 GB starts at once. The split is the
design's: the last share of the documents, or, under 20 documents, the last share of the bytes cut at a line. No torch.
Packed files and files of records (text_reader.py) become plain text in the cache first, which training then maps.
"""

from __future__ import annotations

import hashlib
import math
import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hornbook.data.text_reader import TextReader
from hornbook.errors import DataError
from hornbook.fileio import atomic_write, cache_folder, canonical_json, open_atomic, read_json_object, sha256_bytes
from hornbook.format import counted
from hornbook.tokenizer.utf8 import Errors, checked

BLOCK = 1 << 23
FEW_DOCUMENTS = 20


@dataclass(frozen=True)
class TextFile:
    """A text file and what one pass over it found."""

    path: str
    num_bytes: int
    sha256: str
    num_documents: int


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


def scan_file(
    path: str | Path,
    separator: str | None,
    *,
    errors: Errors = "strict",
    field: str = "text",
    progress: Callable[[int], None] = lambda done: None,
) -> TextFile:
    """Read a text file once; one that is packed, or of records, becomes plain text in the cache first.

    Args:
        path: the file, of any kind that `TextReader` reads.
        separator: the string between documents; None: the file is one document.
        errors: "strict": bytes that are not UTF-8 are an error; "replace": they become U+FFFD when they are encoded.
        field: of jsonl and parquet, the field that holds the text.
        progress: is called with the bytes read so far.

    Raises:
        DataError: the file is empty, holds only white space, or is not UTF-8 (the byte is named).
        OSError: it is missing or cannot be read.
    """
    path = Path(path)
    status = path.stat()
    key = canonical_json([str(path.resolve()), status.st_size, status.st_mtime_ns, separator, errors, field])
    memory = cache_folder() / "inspected" / f"{sha256_bytes(key.encode())[:32]}.json"
    try:
        known = TextFile(**read_json_object(memory))
        if Path(known.path).stat().st_size == known.num_bytes:
            return known
    except (OSError, ValueError, TypeError):
        pass  # not seen before, or an entry that cannot be used: look at the file
    plain = status.st_size == 0 or TextReader(path).is_plain
    text_path = path.resolve() if plain else _as_text(path, separator, field, errors, progress)
    digest, size = _checksum(text_path, str(path), errors == "strict", progress if plain else lambda done: None)
    if size == 0:
        raise DataError(f"{path} is empty; training needs text")
    documents = sum(1 for _ in _document_starts(text_path, separator))
    if documents == 0:
        raise DataError(f"{path} holds nothing but white space and separators; training needs text")
    found = TextFile(str(text_path), size, digest, documents)
    atomic_write(memory, canonical_json(asdict(found)))
    return found


def split(files: Sequence[TextFile], separator: str | None, share: float) -> tuple[list[TextSlice], list[TextSlice]]:
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


def _checksum(path: Path, name: str, strict: bool, progress: Callable[[int], None]) -> tuple[str, int]:
    digest, done = hashlib.sha256(), 0
    with open(path, "rb") as file:  # noqa: PTH123
        blocks = iter(lambda: file.read(BLOCK), b"")
        for block in checked(blocks, "strict", name) if strict else blocks:
            digest.update(block)
            done += len(block)
            progress(done)
    return digest.hexdigest(), done


def _document_starts(path: Path, separator: str | None) -> Iterator[int]:
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


def _find_document(files: Sequence[TextFile], separator: str | None, number: int) -> tuple[int, int]:
    for i, file in enumerate(files):
        if number < file.num_documents:
            for document, start in enumerate(_document_starts(Path(file.path), separator)):
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


def _as_text(path: Path, separator: str | None, field: str, errors: Errors, progress: Callable[[int], None]) -> Path:
    """Return a file that is packed, or of records, as plain text, in the cache."""
    status = path.stat()
    key = canonical_json([str(path.resolve()), status.st_size, status.st_mtime_ns, separator, field, errors])
    target = cache_folder() / "unpacked" / f"{sha256_bytes(key.encode())[:16]}-{path.stem}"
    if target.exists():
        return target
    corpus = TextReader(path, field=field, separator=separator or "\n", errors=errors)
    with open_atomic(target) as out:
        for chunk in corpus:
            out.write(chunk)
            progress(corpus.read_bytes)
    return target
