"""Text files as sources of documents: checked, counted and cut into a training and a validation part.

One pass over each file finds its SHA-256, checks that it is UTF-8 and counts its documents; what was found is kept in
the cache under the file's size and time, so that a second run over the same 12 GB starts at once. The split is the
design's: the last share of the documents, or, under 20 documents, the last share of the bytes cut at a line. No torch.
Packed files and files of records (corpora.py) become plain text in the cache first, which training then maps.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import math
import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hornbook.data.sections import Errors
from hornbook.data.text_reader import Corpus
from hornbook.errors import DataError
from hornbook.fileio import atomic_write, cache_folder, canonical_json, open_atomic, sha256_bytes

__all__ = ["FEW_DOCUMENTS", "Part", "Source", "copy_part", "inspect", "split"]

BLOCK = 1 << 23
FEW_DOCUMENTS = 20
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Source:
    """A text file and what one pass over it found."""

    path: str
    num_bytes: int
    sha256: str
    num_documents: int


@dataclass(frozen=True)
class Part:
    """The bytes `start` … `end` of a source; the whole of it where that is everything."""

    source: Source
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        """Whether the part is the file itself."""
        return self.start == 0 and self.end == self.source.num_bytes


def inspect(
    path: str | Path,
    separator: str | None,
    *,
    errors: Errors = "strict",
    field: str = "text",
    progress: Progress = lambda done: None,
) -> Source:
    """Read a text file once; one that is packed, or of records, becomes plain text in the cache first.

    Args:
        path: the file, of any kind that `Corpus` reads.
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
        known = Source(**json.loads(memory.read_text(encoding="utf-8")))
        if Path(known.path).stat().st_size == known.num_bytes:
            return known
    except (OSError, ValueError, TypeError):
        pass  # not seen before, or an entry that cannot be used: look at the file
    plain = status.st_size == 0 or Corpus(path).is_plain
    text_path = path.resolve() if plain else _as_text(path, separator, field, errors, progress)
    digest, size = _scan(text_path, str(path), errors == "strict", progress if plain else lambda done: None)
    if size == 0:
        raise DataError(f"{path} is empty; training needs text")
    documents = sum(1 for _ in _document_starts(text_path, separator))
    if documents == 0:
        raise DataError(f"{path} holds nothing but white space and separators; training needs text")
    source = Source(str(text_path), size, digest, documents)
    atomic_write(memory, canonical_json(asdict(source)))
    return source


def split(sources: Sequence[Source], separator: str | None, share: float) -> tuple[list[Part], list[Part]]:
    """Cut the text into a training and a validation part.

    Args:
        sources: in order.
        separator: the string between documents.
        share: how much validation gets, 0 … 1: the last ⌈share · documents⌉ documents; under 20 documents the last
            `share` of the bytes, cut at a line.

    Raises:
        DataError: one of the two would be empty.
    """
    documents = sum(source.num_documents for source in sources)
    if documents >= FEW_DOCUMENTS:
        number = documents - math.ceil(share * documents)
        file, place = _find_document(sources, separator, number)
    else:
        file, place = _find_line(sources, share)
    training = [Part(source, 0, source.num_bytes) for source in sources[:file]]
    validation = [Part(source, 0, source.num_bytes) for source in sources[file + 1 :]]
    if place > 0:
        training.append(Part(sources[file], 0, place))
    if place < sources[file].num_bytes:
        validation.insert(0, Part(sources[file], place, sources[file].num_bytes))
    if not training or not validation:
        raise DataError(
            f"{documents} documents cannot be cut so that data.validation = {share} leaves something on both sides; "
            "give more text, or a text of its own with --data.validation-text"
        )
    return training, validation


def copy_part(part: Part, target: Path) -> None:
    """Write a part to a file of its own. Raises OSError."""
    with open(part.source.path, "rb") as source, open_atomic(target) as out:  # noqa: PTH123
        source.seek(part.start)
        left = part.end - part.start
        while left > 0:
            block = source.read(min(BLOCK, left))
            if not block:
                raise DataError(f"{part.source.path} became shorter while it was read; start again")
            out.write(block)
            left -= len(block)


def _scan(path: Path, name: str, strict: bool, progress: Progress) -> tuple[str, int]:
    digest = hashlib.sha256()
    done, rest = 0, b""
    with open(path, "rb") as file:  # noqa: PTH123
        while block := file.read(BLOCK):
            digest.update(block)
            if strict:
                rest = _check_utf8(rest + block, done - len(rest), name, last=False)
            done += len(block)
            progress(done)
    if strict:
        _check_utf8(rest, done - len(rest), name, last=True)
    return digest.hexdigest(), done


def _check_utf8(block: bytes, offset: int, name: str, *, last: bool) -> bytes:
    """Check a block that starts at byte `offset`; return its unfinished end."""
    try:
        _, used = codecs.utf_8_decode(block, "strict", last)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not UTF-8: byte {offset + error.start:,} is 0x{block[error.start]:02x} ({error.reason}); "
            "convert the file, or use --data.errors replace"
        ) from None
    return block[used:]


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


def _find_document(sources: Sequence[Source], separator: str | None, number: int) -> tuple[int, int]:
    for file, source in enumerate(sources):
        if number < source.num_documents:
            for i, start in enumerate(_document_starts(Path(source.path), separator)):
                if i == number:
                    return file, start
        number -= source.num_documents
    return len(sources) - 1, sources[-1].num_bytes


def _find_line(sources: Sequence[Source], share: float) -> tuple[int, int]:
    total = sum(source.num_bytes for source in sources)
    place = total - math.ceil(share * total)
    for file, source in enumerate(sources):
        if place < source.num_bytes or file == len(sources) - 1:
            return file, _line_at(Path(source.path), min(place, source.num_bytes))
        place -= source.num_bytes
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


def _as_text(path: Path, separator: str | None, field: str, errors: Errors, progress: Progress) -> Path:
    """Return a file that is packed, or of records, as plain text, in the cache."""
    status = path.stat()
    key = canonical_json([str(path.resolve()), status.st_size, status.st_mtime_ns, separator, field, errors])
    target = cache_folder() / "unpacked" / f"{sha256_bytes(key.encode())[:16]}-{path.stem}"
    if target.exists():
        return target
    corpus = Corpus(path, field=field, separator=separator or "\n", errors=errors)
    with open_atomic(target) as out:
        for chunk in corpus:
            out.write(chunk)
            progress(corpus.read_bytes)
    return target
