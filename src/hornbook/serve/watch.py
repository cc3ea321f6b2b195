"""Run folders followed while they are written.

A thread looks at every run a few times a second. Of `metrics.jsonl` and `samples.jsonl` only what was appended is read
(a resume writes them anew: then from the start), and numbers are kept as columns of doubles, so that a run of 100,000
records takes 10 MB and looking again takes no time. What changed carries a higher version, by which readers know what
to fetch. Left out: watching by the operating system (network file systems have none), and checkpoints' contents.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import math
import os
import threading
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.config import flatten
from hornbook.errors import FormatError, HornbookError
from hornbook.report.load import Points, RunData, as_number, run_facts
from hornbook.report.tables import changed_settings
from hornbook.studies.charts import X_AXES
from hornbook.tracking.records import LONGEST_LINE, Record, check_records, decode_records
from hornbook.tracking.run import CONFIG_FILE, METRICS, SAMPLES, SUMMARY_FILE, Run, folders_of_runs

LOOK_SECONDS = 0.25
SCAN_SECONDS = 2.0
"""Between two searches for new runs; longer where a search takes long."""
SAMPLES_KEPT = 200
FACTS = (
    CONFIG_FILE,
    "environment.json",
    "status.json",
    SUMMARY_FILE,
    "data.json",
    "plan.json",
    "log.txt",
    "checkpoints",
)


class Tail:
    """The end of a `.jsonl` file that grows."""

    def __init__(self, path: Path, kinds: Mapping[str, tuple[type, ...]]) -> None:
        self.path, self.kinds = path, kinds
        self._inode, self._offset, self._line = 0, 0, 1

    def read(self) -> tuple[bool, list[Record]]:
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

    def points(self, key: str) -> Points:
        """Return one metric where it was recorded."""
        y = np.array(self._columns.get(key, ()), dtype=float)
        places = np.flatnonzero(np.isfinite(y))
        x = {axis: _whole(self._padded(axis, len(y))[places], axis) for axis in X_AXES}
        return Points(x, y[places].tolist())

    def last(self, key: str) -> float | int | None:
        """Return the last value of a metric, whole numbers as such."""
        found = next((v for v in reversed(self._columns.get(key, ())) if math.isfinite(v)), None)
        return int(found) if found is not None and key in ("step", "tokens") else found

    def since(self, begin: int) -> list[Record]:
        """Return the records from `begin` on, with the numbers that they have."""
        return [
            {key: int(c[i]) if key in ("step", "tokens") else c[i]
             for key, c in self._columns.items() if i < len(c) and math.isfinite(c[i])}
            for i in range(begin, self.count)
        ]  # fmt: skip

    def _padded(self, key: str, length: int) -> np.ndarray:
        column = np.full(length, math.nan)
        there = np.array(self._columns.get(key, ()), dtype=float)[:length]
        column[: len(there)] = there
        return column


def _whole(values: np.ndarray, axis: str) -> list[float | None]:
    if axis != "seconds" and np.isfinite(values).all():
        return values.astype(np.int64).tolist()
    return [value if math.isfinite(value) else None for value in values.tolist()]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveRunData(RunData):
    """`RunData` whose metrics are the columns of a run that is followed; `metrics` holds its evaluations alone."""

    columns: Columns

    def last(self, key: str) -> Any:
        """See `RunData.last`."""
        return self.columns.last(key)

    def points(self, key: str) -> Points:
        """See `RunData.points`."""
        return self.columns.points(key)


class LiveRun:
    """One run folder, as it was when it was last looked at.

    Attributes:
        id: its path below the folder of all, by which pages name it.
        damage: why it cannot be read; "" where it can.
        version: rises with every change.
        generation: rises when its metrics began anew.
        data: what a report shows of it; None before it was read.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path, self.id = path, identity
        self.damage, self.version, self.generation = "", 0, 0
        self.data: LiveRunData | None = None
        self.flat: Mapping[str, Any] = {}
        self.lock = threading.Lock()
        self._metrics = Tail(path / "metrics.jsonl", METRICS)
        self._samples = Tail(path / "samples.jsonl", SAMPLES)
        self._signature: Any = None

    def look(self) -> bool:
        """Read what is new; return whether anything is."""
        try:
            with self.lock:
                damage, changed = "", self._read()
        except (HornbookError, OSError) as error:
            damage, changed = str(error), False
        changed |= damage != self.damage
        self.damage = damage
        return changed

    def _read(self) -> bool:
        changed, data = False, self.data
        signature = [_signature(self.path / name) for name in FACTS]
        running = data is not None and data.status == "running"
        if signature != self._signature or data is None or running:
            run = Run.open(self.path) if signature != self._signature or data is None else None
            if run is not None or not _is_running(self.path):
                run = run or Run.open(self.path)
                old = (data.metrics, data.samples, data.columns) if data is not None else ([], [], Columns())
                data = LiveRunData(**run_facts(run), metrics=old[0], samples=old[1], columns=old[2])
                self._signature, changed, flat = signature, True, flatten(run.config)
                self.flat = self.flat if flat == self.flat else flat
        assert data is not None
        anew, records = self._metrics.read()
        if anew:
            self.generation += 1
            data = dataclasses.replace(data, columns=Columns(), metrics=[])
        for record in records:
            data.columns.add(record)
        data.metrics.extend(record for record in records if record.get("val_loss") is not None)
        renewed, samples = self._samples.read()
        if renewed or samples:
            data = dataclasses.replace(data, samples=[*([] if renewed else data.samples), *samples][-SAMPLES_KEPT:])
        self.data = data
        return changed or anew or renewed or bool(records or samples)


def _is_running(path: Path) -> bool:
    return Run(path, {}, {}).status == "running"


def _signature(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


class RunsFolder:
    """Every run below a folder, followed by a thread of its own between `start` and `stop`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs: dict[str, LiveRun] = {}
        self.version = 0
        self._versions = itertools.count(1)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="hornbook-watch", daemon=True)
        self._changed: dict[str, tuple[Any, Any, str]] = {}

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(5)

    def _follow(self) -> None:
        next_scan = 0.0
        while not self._stop.is_set():
            begin = time.monotonic()
            if begin >= next_scan:
                self.scan()
                next_scan = time.monotonic() + max(SCAN_SECONDS, 20 * (time.monotonic() - begin))
            self.look()
            self._stop.wait(LOOK_SECONDS)

    def scan(self) -> None:
        """Find the runs that there are."""
        found = {path.relative_to(self.root).as_posix(): path for path in folders_of_runs(self.root)}
        if found.keys() != self.runs.keys():
            self.runs = {name: self.runs.get(name) or LiveRun(path, name) for name, path in found.items()}
            self.version = next(self._versions)

    def look(self) -> None:
        """Read what is new in all of them."""
        for run in self.runs.values():
            if run.look():
                run.version = self.version = next(self._versions)
            if self._stop.is_set():
                return

    def ordered(self) -> Iterator[tuple[LiveRun, str]]:
        """Yield the runs, oldest first, each with what differs in its recipe from the one before it."""
        runs = sorted(self.runs.values(), key=_age)
        for before, run in itertools.pairwise([None, *runs]):
            assert run is not None
            flat = before.flat if before is not None else run.flat
            known = self._changed.get(run.id)
            if known is None or known[0] is not flat or known[1] is not run.flat:
                known = self._changed[run.id] = (flat, run.flat, changed_settings(flat, run.flat))
            yield run, known[2]


def _age(run: LiveRun) -> tuple[float, str]:
    made = as_number(run.data.environment.get("time")) if run.data is not None else None
    return (made or 0.0, run.id)


def data_of_runs(runs: Mapping[str, LiveRun], names: Sequence[str]) -> list[LiveRunData]:
    """Return the data of runs by their names, those that are damaged or gone left out; each called by its own."""
    found = (runs[name] for name in dict.fromkeys(names) if name in runs)
    return [dataclasses.replace(run.data, name=run.id) for run in found if run.data is not None]
