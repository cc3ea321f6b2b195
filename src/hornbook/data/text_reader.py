"""Text as people have it: files of several kinds, folders, globs, standard input; read as one stream.

A `TextReader` is an iterable of chunks of bytes whose concatenation is one long UTF-8 text with documents separated by
a special token. It goes wherever a stream of text is taken: `hb.count_pretokens(corpus, …)`,
`tokenizer.encode_file(corpus, …)`.

    kind                                  documents
    .txt .md and whatever else            as in the file: a separator in the text separates them
    .jsonl .ndjson                        one per line, the field `field`
    .json                                 one per record of an array, or of records one after the other
    .csv .tsv                             one per row; the first row names the columns
    .parquet                              one per row, the column `field`  (needs pyarrow)
    packed: .gz .xz .bz2 .zst             the same, unpacked while reading (.zst needs zstandard)

Packing and parquet are known by their first bytes, whatever the name; a byte-order mark is dropped; other kinds are
refused by their name (text_kinds.py).

Between a file and the next a separator is put where the text does not already end with one. Nothing is held but the
chunk (and the record) under way. Malformed UTF-8 is an error that names the file and the byte; errors="replace" is the
way round it. Left out: archives of many files, other encodings than UTF-8, downloading.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from hornbook.data.records import FieldReader, parquet, records
from hornbook.data.special_text import SpecialText
from hornbook.data.text_files import StrPath, find_files, is_stream, names_of, open_source, shown
from hornbook.data.text_kinds import HEAD_BYTES, Kind, foreign, kind_of, packing_of
from hornbook.data.unpacking import CHUNK_BYTES, peek, unpack
from hornbook.encodings import BOM
from hornbook.errors import DataError
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tokenizer.utf8 import Errors, check_errors, checked

VERSION = 2
"""Changes when the same file gives another text; what the cache knows of a text goes by it."""


class TextReader:
    """One long text from many sources, streamed.

    Args:
        sources: see `find_files`.
        field: name of the field or column that holds the text of a record; `a.b.c` for a nested one (records.py).
        separator: put after each record, and between files; a special token of the tokenizer.
        errors: "strict", or "replace" for U+FFFD in place of malformed UTF-8.
        kind: "text", "jsonl", "json", "csv", "tsv" or "parquet" for sources whose names do not say it; None goes by
            first bytes and name.
        special: what becomes of special tokens in the text; it brings the separator. None: they stay as they are.

    Raises:
        DataError, FileNotFoundError: as `find_files`.

    Example:
        >>> corpus = TextReader("reviews/*.jsonl.gz", field="body")  # doctest: +SKIP
        >>> hb.count_pretokens(corpus, ["<|endoftext|>"])  # doctest: +SKIP
    """

    def __init__(
        self,
        sources: StrPath | Sequence[StrPath],
        *,
        field: str = "text",
        separator: str = END_OF_TEXT,
        errors: Errors = "strict",
        kind: Kind | None = None,
        special: SpecialText | None = None,
    ) -> None:
        check_errors(errors)
        self.left_out: list[str] = []
        """Files of folders that are not read (`find_files`)."""
        self.files = find_files(sources, self.left_out)
        self.field, self.separator, self.kind = field, special.mark if special else separator, kind
        self.special = special
        self._fields = FieldReader(field, errors, special)
        self.errors: Errors = errors
        self.read_bytes = 0
        """Bytes of the files (as they lie, packed) that the last iteration has taken so far."""
        self.records = 0
        """Records of the last iteration that hold text."""
        self.cut_records = 0
        """Records of the last iteration that hold the separator themselves, and so are several documents."""
        self._taken: set[str] = set()

    @property
    def total_bytes(self) -> int | None:
        """Size of all files as they lie; None where a stream is among them."""
        if any(map(is_stream, self.files)):
            return None
        return sum(Path(file).stat().st_size for file in self.files)

    @property
    def is_plain(self) -> bool:
        """True for files of plain text only, which can be read in place and by several threads."""
        return self.special is None and all(not is_stream(file) and self._is_plain(file) for file in self.files)

    @property
    def is_plain_file(self) -> bool:
        """True for one file of plain text, which the tokenizer encodes in place."""
        return len(self.files) == 1 and self.is_plain

    def _is_plain(self, file: str) -> bool:
        with open(file, "rb") as stream:  # noqa: PTH123
            head = stream.read(HEAD_BYTES)
        strange = packing_of(head, file) or foreign(head) or head.startswith(BOM)
        return not strange and (self.kind or kind_of(head, file)) == "text"

    def __iter__(self) -> Iterator[bytes]:
        """Yield the text in chunks of about a megabyte; a chunk may end inside a character.

        Raises:
            DataError: malformed UTF-8, a damaged archive, a record without the field, nothing but emptiness; at the
                end, special tokens that `special` is to refuse.
            OSError: a file cannot be read.
        """
        self.read_bytes = self.records = self.cut_records = 0
        mark = self.separator.encode()
        ended, empty = True, True  # does the text so far end with a separator? was there any?
        for file in self.files:
            tail = b""
            for chunk in self._read(file):
                if not chunk:
                    continue
                if not ended:
                    yield mark
                ended, empty = True, False  # inside a file no separator is put
                yield chunk
                tail = (tail + chunk)[-len(mark) - 64 :]
            if tail:
                ended = tail.rstrip().endswith(mark)
        if empty:
            raise DataError(f"there is no text in {names_of(self.files)}: it is empty")
        if self.special:
            self.special.check()

    def documents(self) -> Iterator[bytes]:
        """Yield the stretches between separators that hold more than whitespace, one at a time in memory."""
        mark = self.separator.encode()
        rest: list[bytes] = []
        tail = b""  # a separator may lie across two chunks
        for chunk in self:
            *whole, last = (tail + chunk).split(mark)
            for document in whole:
                yield from _if_text(b"".join([*rest, document]))
                rest = []
            keep = max(0, len(last) - len(mark) + 1)
            rest.append(last[:keep])
            tail = last[keep:]
        yield from _if_text(b"".join([*rest, tail]))

    def sample(self, number: int, seed: int = 0) -> list[bytes]:
        """Return `number` documents drawn at random without replacement, in the order of the text; all if fewer.

        One pass, and only the sample in memory (Vitter's reservoir, algorithm R). The same seed draws the same ones.
        """
        draw = random.Random(seed)
        chosen: list[tuple[int, bytes]] = []
        for index, document in enumerate(self.documents()):
            place = index if index < number else draw.randrange(index + 1)
            if place < number:
                chosen[place : place + 1] = [(index, document)]
        return [document for _, document in sorted(chosen)]

    def _read(self, file: str) -> Iterator[bytes]:
        """Yield the text of one file: unpacked, its kind found, without a byte-order mark."""
        before = self.read_bytes
        head, packed = peek(self._blocks(file), HEAD_BYTES)
        packing = packing_of(head, file)
        head, blocks = peek(unpack(packed, packing, file), HEAD_BYTES)
        if other := foreign(head):
            what, way_out = other
            raise DataError(f"{names_of([file])} is {what}, which hornbook does not read: {way_out}")
        kind = self.kind or kind_of(head, file)
        if kind == "parquet":
            if packing:
                raise DataError(f"{names_of([file])} is parquet packed by {packing}: unpack it first")
            self.read_bytes = before
            return self._gather(self._parquet(file))
        text = checked(blocks, self.errors, names_of([file]))
        text = _without_first(text, len(BOM)) if head.startswith(BOM) else text
        if kind == "text":
            return self.special.plain(text, names_of([file])) if self.special else text
        return self._gather(records(kind, text, names_of([file]), self._fields))

    def _parquet(self, file: str) -> Iterator[str]:
        if is_stream(file):
            raise DataError(
                f"parquet is read from its end, and {shown(file)} has none to begin with: save it to a file"
            )
        before, size = self.read_bytes, Path(file).stat().st_size

        def advance(share: float) -> None:
            self.read_bytes = before + round(share * size)

        return parquet(file, self._fields, advance)

    def _gather(self, documents: Iterator[str]) -> Iterator[bytes]:
        mark = self.separator.encode()
        chunk = bytearray()
        for document in documents:
            if document:
                self.records += 1
                self.cut_records += self.separator in document
                chunk += document.encode()
                chunk += mark
            if len(chunk) >= CHUNK_BYTES:
                yield bytes(chunk)
                chunk.clear()
        yield bytes(chunk)

    def _blocks(self, file: str) -> Iterator[bytes]:
        """Yield a file as it lies."""
        if is_stream(file):
            if file in self._taken:
                raise DataError(f"{shown(file)} can be read only once: save it to a file first")
            self._taken.add(file)
        with open_source(file) as stream:
            while block := stream.read(CHUNK_BYTES):
                self.read_bytes += len(block)
                yield block


def _if_text(document: bytes) -> Iterator[bytes]:
    if document.strip():
        yield document


def _without_first(blocks: Iterator[bytes], number: int) -> Iterator[bytes]:
    """Yield a stream without its first bytes, which lie in its first block."""
    yield next(blocks)[number:]
    yield from blocks
