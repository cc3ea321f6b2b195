"""Metrics as records: one JSON object per step in `metrics.jsonl`, in order of step (docs/formats/run.md).

What is measured at one step arrives in parts (the loss when the step is done, the validation loss after it); the parts
become one line. Lines are only ever appended, except on resume, when those after the checkpoint's step are cut off.
A last line that a kill left torn is dropped on reading. Left out: any knowledge of which keys there are.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.encodings import read_lines
from hornbook.errors import FormatError
from hornbook.fileio import atomic_write, name_place

Record = dict[str, Any]
MOST_BYTES = 1 << 29
"""Of a file: two million records and more, which take three times that in memory."""
LONGEST_LINE = 1 << 24


class RecordWriter:
    """Appends records to a `.jsonl` file; parts with the same `step` become one record.

    Args:
        path: the file, made if absent.
        keep_through: on resume, the step after which existing records are cut; None keeps all.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: str | Path, keep_through: int | None = None):
        self.path = Path(path)
        if self.path.exists() and keep_through is not None:
            kept = [record for record in read_records(self.path) if record.get("step", 0) <= keep_through]
            atomic_write(self.path, "".join(encode_record(record) for record in kept))
        self._file = open(self.path, "a", encoding="utf-8")  # noqa: PTH123, SIM115
        self._pending: Record = {}

    def add(self, step: int, **values: Any) -> None:
        """Add values measured at `step`; what was pending for an earlier step is written."""
        if self._pending and self._pending["step"] != step:
            self.flush()
        self._pending = {**self._pending, "step": step, **values}

    def flush(self) -> Record:
        """Write the pending record, if any, and return it (empty if there is none)."""
        record, self._pending = self._pending, {}
        if record:
            try:
                self._file.write(encode_record(record))
                self._file.flush()
            except OSError as error:
                name_place(error, self.path)
                raise
        return record

    def sync(self) -> None:
        """Make everything written so far survive a loss of power: a checkpoint must never be ahead of its records."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write what is pending and close the file."""
        if not self._file.closed:
            self.flush()
            self._file.close()


def encode_record(record: Mapping[str, Any]) -> str:
    """Return a record as one line; numbers that JSON lacks (NaN, infinity) become null."""
    plain = {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in record.items()}
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(", ", ": ")) + "\n"


def read_records(path: str | Path, *, flat: bool = True) -> list[Record]:
    """Read a `.jsonl` file of records.

    Args:
        path: of the file.
        flat: refuse lists and objects as values; empty ones would take twenty times their size in memory.

    Returns:
        The records in file order; an unfinished last line is left out.

    Raises:
        FormatError: a line, other than an unfinished last one, that is not a JSON object, or longer than
            LONGEST_LINE; a file of more than MOST_BYTES.
        OSError: the file cannot be read.
    """
    return decode_records(read_lines(path, FormatError, MOST_BYTES, LONGEST_LINE), path, flat=flat)


def decode_records(lines: Iterable[bytes], path: str | Path, first: int = 1, *, flat: bool = True) -> list[Record]:
    """Return lines of `path`, the first of them its line `first`, as records; as `read_records`."""
    records = []
    for number, line in enumerate(lines, first):
        try:
            record = json.loads(line) if line.strip() else None
            if record is None:
                continue
            if not isinstance(record, dict) or (flat and any(isinstance(v, list | dict) for v in record.values())):
                raise ValueError("not an object of plain values")
        except (ValueError, RecursionError):
            if not line.endswith(b"\n"):  # the write was cut short
                break
            raise FormatError(
                f"{path}: line {number} is not a JSON object of plain values; the file was changed by hand or damaged"
            ) from None
        # One copy of each key, not one for each record: more than half of what the records take.
        records.append({sys.intern(key): value for key, value in record.items()})
    return records


def check_records(records: Sequence[Record], kinds: Mapping[str, tuple[type, ...]], path: Path) -> list[Record]:
    """Return the records if what they hold can be computed with.

    Args:
        records: of a file, in order.
        kinds: key → the types that its values may have where it is not null; numbers of any key must be finite.
        path: of the file, for messages.

    Raises:
        FormatError: a value of another type, NaN, infinity, or a number that no float holds.
    """
    for number, record in enumerate(records, 1):
        for key, value in record.items():
            wrong = value is not None and key in kinds and type(value) not in kinds[key]
            if wrong or (isinstance(value, int | float) and not -1e300 < value < 1e300):
                shown = repr(value) if len(repr(value)) <= 40 else f"{repr(value)[:37]}..."
                raise FormatError(
                    f"{path}: record {number} has {key} = {shown}, which cannot be; the file was changed by hand or "
                    "damaged"
                )
    return list(records)
