"""Texts out of files of records: json lines, a json array, csv, parquet; one document per record.

The field is named by `field`: a key of the record, or a path `a.b.c` into nested ones. What it holds is text, null (no
document), or a chat, a list of {role, content}, which becomes

    user: How do you do?
    <empty line>
    assistant: Very well.

Records stream: one (of parquet: 1,024 rows) is in memory at a time. Left out: formats without a schema of their own
(pickles), templates of chat models, whose special tokens a tokenizer trained here does not have.
"""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from hornbook.data.special_text import SpecialText
from hornbook.data.unpacking import split_lines
from hornbook.errors import DataError, did_you_mean
from hornbook.syntax import trouble
from hornbook.tokenizer.utf8 import Errors, decoded

ROLES, CONTENTS = ("role", "from"), ("content", "value")
"""The keys of a chat's messages, in the two spellings that data sets have."""
_MOST_DIGITS = 4000  # Python's int refuses more than 4,300; nothing is counted with these numbers
_JSON = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) < _MOST_DIGITS else float(digits))


class FieldReader:
    """Takes the text out of records.

    Args:
        field: a key, or a path of keys with dots between.
        errors: "replace" turns lone surrogates into U+FFFD; "strict" refuses them.
        special: counts the special tokens in each text.
    """

    def __init__(self, field: str, errors: Errors, special: SpecialText | None = None) -> None:
        self.field, self.errors, self.special = field, errors, special

    def text(self, record: object, where: str) -> str:
        """Return the text of a record, "" for null. Raises DataError, with `where`, if it has none."""
        return self.as_text(self._find(record, where), where)

    def _find(self, record: object, where: str) -> object:
        if isinstance(record, dict) and self.field in record:
            return record[self.field]
        keys = self.field.split(".") if isinstance(record, dict) else [self.field]
        for key in keys:
            if record is None and len(keys) > 1:
                return None
            if not isinstance(record, dict) or key not in record:
                raise DataError(f"{where} {self.missing(list(record) if isinstance(record, dict) else [])}")
            record = record[key]
        return record

    def missing(self, names: list[str], what: str = "field") -> str:
        """Return what is wrong with a record or a table that has only these fields."""
        hint = did_you_mean(self.field, names) or (f"; it has {', '.join(names[:8])}" if names else "")
        return f"has no {what} {self.field!r}{hint}: name the {what} that holds the text"

    def as_text(self, value: object, where: str) -> str:
        """Return the value of the field as text. Raises DataError for another type or a lone surrogate."""
        if value is None:
            return ""
        if isinstance(value, list) and (messages := [_message(item) for item in value]) and None not in messages:
            value = "\n\n".join(filter(None, messages))
        if not isinstance(value, str):
            raise DataError(f"{where}: {self.field} is {type(value).__name__} where text was expected")
        if self.errors == "replace":
            value = value.encode("utf-8", errors="surrogatepass").decode("utf-8", errors="replace")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            code = ord(value[error.start])
            raise DataError(f"{where}: {self.field} has a lone surrogate (U+{code:04X}): use errors=replace") from None
        if self.special:
            self.special.record(value, where)
        return value


def _message(item: object) -> str | None:
    """Return a message of a chat as a line `role: content`; None if it is none."""
    if not isinstance(item, dict):
        return None
    role = next((item[key] for key in ROLES if key in item), None)
    content = next((item[key] for key in CONTENTS if key in item), None)
    return f"{role}: {content}" if isinstance(role, str) and isinstance(content, str) else None


def records(kind: str, blocks: Iterator[bytes], file: str, reader: FieldReader) -> Iterator[str]:
    """Yield the texts of a stream of well-formed UTF-8 that holds "jsonl", "json", "csv" or "tsv"."""
    if kind == "jsonl":
        return jsonl(blocks, file, reader)
    if kind == "json":
        return json_values(blocks, file, reader)
    return separated_values(blocks, file, reader, "," if kind == "csv" else "\t")


def jsonl(blocks: Iterator[bytes], file: str, reader: FieldReader) -> Iterator[str]:
    """Yield the texts of json lines; empty lines are passed over. Raises DataError, with the line."""
    for number, line in enumerate(split_lines(blocks), start=1):
        if not line.strip():
            continue
        try:
            record = _JSON.decode(line.decode())
        except (ValueError, RecursionError) as error:
            raise DataError(f"{file}, line {number} is not JSON: {trouble(error, line.decode())}") from None
        yield reader.text(record, f"{file}, line {number}")


def json_values(blocks: Iterator[bytes], file: str, reader: FieldReader) -> Iterator[str]:
    """Yield the texts of a json array of records, or of records one after the other. Raises DataError, with the record.

    The array is not held: a record is decoded as soon as its end has come.
    """
    chunks = decoded(blocks, "strict", file)
    text, place, in_array = "", 0, False
    for number in itertools.count(1):
        where = f"{file}, record {number}"
        text, place = _skip(text, place, chunks, " \t\r\n" if number == 1 else ", \t\r\n")
        if number == 1 and text[place : place + 1] == "[":
            in_array = True
            text, place = _skip(text, place + 1, chunks, " \t\r\n")
        if in_array and text[place : place + 1] == "]":
            text, place = _skip(text, place + 1, chunks, " \t\r\n")
            if place < len(text):
                raise DataError(f"{file} goes on behind the end of its JSON array")
            return
        if place == len(text):
            if in_array:
                raise DataError(f"{where} is missing: the JSON array is cut short")
            return
        record, text, place = _decode(text, place, chunks, where)
        yield reader.text(record, where)


def _skip(text: str, place: int, chunks: Iterator[str], what: str) -> tuple[str, int]:
    """Return text and place of the first character that is none of `what`; the end of the text where all are."""
    while True:
        while place < len(text) and text[place] in what:
            place += 1
        if place < len(text) or (chunk := next(chunks, None)) is None:
            return text, place
        text, place = chunk, 0


def _decode(text: str, place: int, chunks: Iterator[str], where: str) -> tuple[object, str, int]:
    """Return the value that begins at `place`, the text that is left, and the place behind the value."""
    while True:
        try:
            value, end = _JSON.raw_decode(text, place)
            return value, text, end
        except (ValueError, RecursionError) as error:
            # Cut through, or wrong? Twice as much text each time, so that a long record is not decoded over and over.
            wrong = not isinstance(error, json.JSONDecodeError) or (
                error.pos + 16 < len(text) and not error.msg.startswith("Unterminated")
            )
            text, place = text[place:], 0
            more: list[str] = []
            while not wrong and sum(map(len, more)) < len(text) and (chunk := next(chunks, None)) is not None:
                more.append(chunk)
            if not more:
                raise DataError(f"{where} is not JSON: {trouble(error, text)}") from None
            text += "".join(more)


def separated_values(blocks: Iterator[bytes], file: str, reader: FieldReader, delimiter: str) -> Iterator[str]:
    """Yield the texts of a csv or tsv file, whose first row names the columns. Raises DataError, with the row."""
    csv.field_size_limit(sys.maxsize)  # the module's own, 128 KiB, is short for a document
    lines = (line.decode() + "\n" for line in split_lines(blocks))
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    try:
        names = next(rows, [])
        if names and reader.field not in names:
            raise DataError(f"{file} {reader.missing(names, 'column')}")
        for number, row in enumerate(rows, start=1):
            if row in ([], [""]):
                continue
            if len(row) != len(names):
                raise DataError(f"{file}, row {number} has {len(row)} columns, the first row names {len(names)}")
            yield reader.as_text(row[names.index(reader.field)], f"{file}, row {number}")
    except csv.Error:
        raise DataError(
            f"{file} is not whole csv behind row {number}: is a quote not closed, or within a field?"
        ) from None


def parquet(file: str, reader: FieldReader, progress: Callable[[float], None]) -> Iterator[str]:
    """Yield the texts of a parquet file, row group by row group; `progress` is called with the share that is done.

    Raises:
        DataError: pyarrow is missing, the file is damaged (with the row group), or as `FieldReader.text`.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(f"{file} is parquet, which needs pyarrow: pip install 'hornbook[data]'") from None
    row, group = 0, None
    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            names = table.schema_arrow.names
            column = reader.field if reader.field in names else reader.field.split(".")[0]
            if column not in names:
                raise DataError(f"{file} {reader.missing(names, 'column')}")
            for group in range(table.num_row_groups):
                for batch in table.iter_batches(batch_size=1024, row_groups=[group], columns=[column]):
                    for record in batch.to_pylist():
                        row += 1
                        yield reader.text(record, f"{file}, row {row}")
                    progress(row / max(1, table.metadata.num_rows))
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and not Path(file).is_file():
            raise
        place = "" if group is None else f", row group {group}"
        raise DataError(f"{file} is not whole parquet{place} (row {row}): it is cut short or damaged") from None
