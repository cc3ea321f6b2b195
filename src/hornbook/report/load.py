"""What a report reads: run folders through `hornbook.tracking.run`, study folders through their own files.

A run that is still going, stopped early or lacks a part (no samples, no evaluation yet) is shown with what it has.
Left out: checkpoints and weights, which a report never opens.
"""

from __future__ import annotations

import dataclasses
import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hornbook.errors import DataError
from hornbook.fileio import read_json_object
from hornbook.studies.charts import X_AXES
from hornbook.tracking.run import CONFIG_FILE, SUMMARY_FILE, Run, best_record

UNNAMED = "run"
"""What `run.name` says where the recipe gives no name."""


class MetricPoints(NamedTuple):
    """The curve of one metric."""

    x: Mapping[str, Sequence[float | None]]
    """Steps, tokens and seconds (`X_AXES`), as long as `y`; None where a record lacks them."""
    y: Sequence[float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunData:
    """One run as a report needs it."""

    name: str
    path: Path
    status: str
    """`running`, `done`, `stopped`, `diverged` or `failed`."""
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    metrics: list[dict[str, Any]]
    """The records of `metrics.jsonl` (docs/formats/run.md), in order of step."""
    samples: list[dict[str, Any]]
    """Records with `step`, `prompt`, `text`."""
    summary: Mapping[str, Any]
    """`summary.json`: facts that the run or the demo wrote about itself, such as `entropy_floor_bits_per_byte`."""
    tags: tuple[str, ...] = ()
    note: str = ""
    validation_digest: str | None = None
    """See `Run.validation_digest`."""
    reason: str = ""
    """What the status is for, such as `imported from FOLDER`."""

    @property
    def entropy_floor(self) -> float | None:
        """The true entropy of the validation text in bits per byte, where the corpus has a known one."""
        return as_number(self.summary.get("entropy_floor_bits_per_byte"))

    @property
    def storyworld(self) -> Mapping[str, Any]:
        """What storyworld's instruments said of the run (`hornbook eval`, the demo); empty where nobody has asked."""
        value = self.summary.get("storyworld")
        return value if isinstance(value, Mapping) else {}

    @property
    def ratio_to_floor(self) -> float | None:
        """Bits of whole validation stories over their own true entropy; None where nobody has measured it."""
        return as_number(self.storyworld.get("ratio_to_floor"))

    @property
    def uniform_loss(self) -> float | None:
        """The loss in nats of guessing all tokens alike, ln V."""
        size = self.setting("model", "vocab_size")
        return math.log(size) if isinstance(size, int) and size > 1 else None

    def setting(self, section: str, key: str) -> Any:
        """Return a value of the configuration, or None."""
        values = self.config.get(section)
        return values.get(key) if isinstance(values, Mapping) else None

    @property
    def command(self) -> str:
        """The command that makes this run again."""
        given = self.environment.get("command")
        if isinstance(given, (list, tuple)):
            # The program by its name: where it lies is this machine's own.
            given = shlex.join([Path(str(word)).name if i == 0 else str(word) for i, word in enumerate(given)])
        return str(given) if given else shlex.join(["hornbook", "train", str(self.path / CONFIG_FILE)])

    def last(self, key: str) -> Any:
        """Return the last recorded value of a metric, or None."""
        return next((record[key] for record in reversed(self.metrics) if record.get(key) is not None), None)

    def points(self, key: str) -> MetricPoints:
        """Return a metric where it was recorded."""
        found = [record for record in self.metrics if as_number(record.get(key)) is not None]
        x = {axis: [as_number(record.get(axis)) for record in found] for axis in X_AXES}
        return MetricPoints(x, [record[key] for record in found])

    def best_val_loss(self) -> float | None:
        """Return the validation loss where it was lowest, or None."""
        best = best_record(self.metrics)
        return None if best is None else best["val_loss"]


def run_folders(path: Path) -> list[Path]:
    """Return the run folders at or at most three levels under `path`, in natural order."""
    if (path / CONFIG_FILE).is_file():
        return [path]
    found = [f.parent for depth in ("*", "*/*", "*/*/*") for f in path.glob(f"{depth}/{CONFIG_FILE}")]
    return sorted(found, key=lambda folder: [int(w) if w.isdigit() else w for w in re.split(r"(\d+)", str(folder))])


def read_runs(paths: Iterable[Path]) -> list[RunData]:
    """Load every run at or under the given paths, each once. Raises DataError where a path holds no run."""
    folders: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            raise DataError(f"{path} is not a folder; give a run folder (such as runs/NAME) or a study folder")
        found = run_folders(path)
        if not found:
            raise DataError(
                f"{path} holds no run: no {CONFIG_FILE} in it or below; `hornbook runs` lists the runs there are"
            )
        folders.update(dict.fromkeys(folder.resolve() for folder in found))
    runs = [read_run(folder) for folder in folders]
    return _with_distinct_names(runs)


def read_run(path: Path) -> RunData:
    """Load one run folder. Raises FormatError or OSError for a folder that is damaged."""
    run = Run.open(path)
    return RunData(**run_facts(run), metrics=run.metrics(), samples=run.samples())


def run_facts(run: Run) -> dict[str, Any]:
    """Return what `RunData` holds beside metrics and samples. Raises as `read_run`."""
    config = dict(run.config)
    section = config.get("run")
    section = section if isinstance(section, Mapping) else {}
    name, note = section.get("name"), section.get("note")
    return {
        "name": name if isinstance(name, str) and name not in ("", UNNAMED) else run.name,
        "path": Path(run.path),
        "status": run.status,
        "reason": str(run.status_record().get("reason", "")),
        "config": config,
        "environment": dict(run.environment),
        "summary": read_json_object(run.path / SUMMARY_FILE, missing_ok=True),
        "tags": tuple(str(tag) for tag in run.tags or ()),
        "note": str(note or ""),
        "validation_digest": run.validation_digest,
    }


def _with_distinct_names(runs: list[RunData]) -> list[RunData]:
    """Name runs that share a name by their folders, and those whose folders do as well by the folders above too."""
    for depth in (1, 2):
        names = [run.name for run in runs]
        runs = [
            run if names.count(run.name) == 1 else dataclasses.replace(run, name="/".join(run.path.parts[-depth:]))
            for run in runs
        ]
    return runs


def as_number(value: Any) -> float | int | None:
    """Return a value from a record if it is a number, and None for anything else."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
