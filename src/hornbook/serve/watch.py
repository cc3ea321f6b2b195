"""Run folders followed while they are written.

A thread looks at every run a few times a second. Of `metrics.jsonl` and `samples.jsonl` only what was appended is read
(a resume writes them anew: then from the start), and numbers are kept as columns of doubles, so that a run of 100,000
records takes 10 MB and looking again takes no time. What changed carries a higher version, by which readers know what
to fetch. Left out: watching by the operating system (network file systems have none), and checkpoints' contents.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.config import flatten
from hornbook.errors import HornbookError
from hornbook.report.load import MetricPoints, RunData, as_number, run_facts
from hornbook.serve.columns import Columns, Tail
from hornbook.tracking.changes import changed_settings
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveRunData(RunData):
    """`RunData` whose metrics are the columns of a run that is followed; `metrics` holds its evaluations alone."""

    columns: Columns

    def last(self, key: str) -> Any:
        """See `RunData.last`."""
        return self.columns.last(key)

    def points(self, key: str) -> MetricPoints:
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
        self._drawn: tuple[Any, Any] | None = None

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

    def drawn(self, draw: Callable[[list[LiveRunData]], Any]) -> Any:
        """Return its charts, drawn once for what it holds now."""
        assert self.data is not None
        if self._drawn is None or self._drawn[0] != (self.version, self.data.columns.count):
            self._drawn = ((self.version, self.data.columns.count), draw([self.data]))
        return self._drawn[1]

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
        anew, records = self._metrics.news()
        if anew:
            self.generation += 1
            data = dataclasses.replace(data, columns=Columns(), metrics=[])
        for record in records:
            data.columns.add(record)
        data.metrics.extend(record for record in records if record.get("val_loss") is not None)
        renewed, samples = self._samples.news()
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
