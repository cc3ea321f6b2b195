"""The records of a `.jsonl` file that grows: what was appended is read once, numbers are kept as columns of doubles.

Left out: text of records, but for those that whoever reads keeps (samples, evaluations).
"""

from __future__ import annotations

import io
import math
import os
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.errors import FormatError
from hornbook.report.load import MetricPoints, as_number
from hornbook.studies.charts import X_AXES
from hornbook.tracking.records import LONGEST_LINE, Record, check_records, decode_records

WHOLE = ("step", "tokens")
"""Numbers without a fraction."""


class Tail:
    """The end of a `.jsonl` file that grows."""

    def __init__(self, path: Path, kinds: Mapping[str, tuple[type, ...]]) -> None:
        self.path, self.kinds = path, kinds
        self._inode, self._offset, self._line = 0, 0, 1

    def news(self) -> tuple[bool, list[Record]]:
        """Return whether the file began anew, and the records since the last call. Raises FormatError, OSError."""
        try:
            with self.path.open("rb") as file:
                now = os.fstat(file.fileno())
                anew = now.st_ino != self._inode or now.st_size < self._offset
                if anew:
                    self._inode, self._offset, self._line = now.st_ino, 0, 1
                if now.st_size == self._offset:
                    return anew, []
                file.seek(self._offset)
                content = file.read(LONGEST_LINE)
        except FileNotFoundError:
            return self._inode != 0, []
        whole = content[: content.rfind(b"\n") + 1]
        if not whole and len(content) == LONGEST_LINE:
            raise FormatError(f"{self.path}: line {self._line} is above {LONGEST_LINE >> 20} MB; the file is damaged")
        records = check_records(decode_records(io.BytesIO(whole), self.path, self._line), self.kinds, self.path)
        self._offset += len(whole)
        self._line += whole.count(b"\n")
        return anew, records


class Numbers(Sequence[Any]):
    """A column whose values become Python's one by one: of 100,000 a chart takes 2,000."""

    def __init__(self, values: np.ndarray, whole: bool = False) -> None:
        self._values, self._whole = values, whole

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Numbers(self._values[place], self._whole)
        value = float(self._values[place])
        return (int(value) if self._whole else value) if math.isfinite(value) else None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._values if dtype is None else self._values.astype(dtype)


class Columns:
    """Records as columns of doubles; NaN where a record has no such number."""

    def __init__(self) -> None:
        self.count = 0
        self._columns: dict[str, array[float]] = {}

    def add(self, record: Record) -> None:
        """Append a record; what is no number is left out."""
        for key, value in record.items():
            if (value := as_number(value)) is not None:
                column = self._columns.setdefault(key, array("d"))
                column.extend([math.nan] * (self.count - len(column)))
                column.append(value)
        self.count += 1

    def points(self, key: str) -> MetricPoints:
        """Return one metric where it was recorded."""
        y = np.array(self._columns.get(key, ()), dtype=float)
        places = np.flatnonzero(np.isfinite(y))
        x = {axis: Numbers(self._padded(axis, len(y))[places], axis in WHOLE) for axis in X_AXES}
        return MetricPoints(x, Numbers(y[places]))

    def last(self, key: str) -> float | int | None:
        """Return the last value of a metric, whole numbers as such."""
        found = next((v for v in reversed(self._columns.get(key, ())) if math.isfinite(v)), None)
        return int(found) if found is not None and key in WHOLE else found

    def since(self, begin: int) -> list[Record]:
        """Return the records from `begin` on, with the numbers that they have."""
        return [
            {key: int(c[i]) if key in WHOLE else c[i]
             for key, c in self._columns.items() if i < len(c) and math.isfinite(c[i])}
            for i in range(begin, self.count)
        ]  # fmt: skip

    def _padded(self, key: str, length: int) -> np.ndarray:
        column = np.full(length, math.nan)
        there = np.array(self._columns.get(key, ()), dtype=float)[:length]
        column[: len(there)] = there
        return column
