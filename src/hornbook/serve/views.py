"""What the page is told of runs: plain values for JSON, made by the functions that make reports.

Left out: what a run is (tracking, watch.py), and how any of it looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.fileio import read_json_object
from hornbook.report import tables
from hornbook.report.figures import METRICS, run_figures
from hornbook.report.load import RunData, as_number
from hornbook.report.render import headline
from hornbook.serve.columns import Numbers
from hornbook.serve.watch import LiveRun
from hornbook.studies.charts import record_to_dict

LOG_BYTES = 12_000
"""Of the end of `log.txt`."""
SAMPLES_SHOWN = 24
NUMBERS = ("step", "tokens", "train_loss", "val_loss", "best_val_loss", "bits_per_byte")
RECENT = 0.2
"""Share of the steps so far by which the rest is estimated: speed changes with what else the machine does."""


def row(run: LiveRun, changed: str) -> dict[str, Any]:
    """Return a run as a row of the table."""
    base = {"id": run.id, "version": run.version, "reason": run.damage, "changed": changed}
    data = run.data
    if run.damage or data is None:
        return base | {"status": "damaged" if run.damage else "reading", "note": "", "tags": []}
    final = tables.final_row(data)
    training = data.config.get("training", {})
    ratio = final["ratio"] if final["ratio"] is not None else final["window_ratio"]
    numbers = {
        key: final[key] for key in ("step", "tokens", "train_loss", "val_loss", "best_val_loss", "bits_per_byte")
    }
    return base | numbers | {
        "status": data.status,
        "reason": data.reason,
        "steps": as_number(training.get("steps")) if training.get("max_minutes") is None else None,
        "ratio": ratio,
        "tokens_per_second": data.last("tokens_per_second"),
        "seconds": data.last("seconds"),
        "left": seconds_left(data),
        "made": as_number(data.environment.get("time")),
        "note": data.note,
        "tags": list(data.tags),
    }  # fmt: skip


def seconds_left(run: RunData) -> float | None:
    """Return how long a running training will take yet, by its last fifth; None where that cannot be told."""
    training = run.config.get("training", {})
    done, seconds = run.last("step"), run.last("seconds")
    if run.status != "running" or not done or seconds is None:
        return None
    if (minutes := as_number(training.get("max_minutes"))) is not None:
        return max(0.0, 60 * minutes - seconds)
    steps = as_number(training.get("steps"))
    clock = run.points("seconds")
    begin = int(np.searchsorted(np.array(clock.x["step"], float), done * (1 - RECENT)))
    begin = min(begin, len(clock.y) - 2)
    if steps is None or begin < 0:
        return None
    first, last = clock.x["step"][begin], clock.x["step"][-1]
    if first is None or last is None or last <= first:
        return None
    return max(0.0, (steps - done) * (clock.y[-1] - clock.y[begin]) / (last - first))


def figures(runs: Sequence[RunData], smoothing: float = 0.0) -> list[dict[str, Any]]:
    """Return the charts of runs, of a single one with the metric of each curve (`keys`), so that records can be added.

    Args:
        runs: what to draw.
        smoothing: weight of the past in an exponential mean over the records, 0: none. Before curves are thinned.
    """
    found = []
    for figure in run_figures([_Smooth.of(run, smoothing) for run in runs] if smoothing else runs):
        # A single run has its two losses in one chart.
        keys = ("train_loss", "val_loss") if figure.id == "loss" else (figure.id,) * len(figure.series)
        found.append(record_to_dict(figure) | {"keys": list(keys)})
    return found


class _Smooth:
    """Run data whose curves are exponential means; the first values are not pulled towards zero (Adam's correction)."""

    def __init__(self, run: RunData, weight: float) -> None:
        self._run, self._weight = run, weight

    @staticmethod
    def of(run: RunData, weight: float) -> Any:
        return _Smooth(run, weight)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def points(self, key: str) -> Any:
        from scipy.signal import lfilter  # half a second, for who smooths

        points, weight = self._run.points(key), self._weight
        means = np.asarray(lfilter([1 - weight], [1, -weight], np.asarray(points.y, float)))
        return points._replace(y=Numbers(means / (1 - weight ** np.arange(1, len(means) + 1))))


def details(run: LiveRun) -> dict[str, Any]:
    """Return all that the page of one run shows beside its row."""
    data = run.data
    assert data is not None
    return {
        "count": data.columns.count,
        "generation": run.generation,
        "metrics": [key for key, *_ in METRICS],
        "facts": headline(data),
        "figures": run.drawn(figures),
        "config": tables.config_rows([data]),
        "environment": tables.environment_rows([data.environment]),
        "command": data.command,
        "plan": plan(run.path),
    } | tail_of(run)


def tail_of(run: LiveRun) -> dict[str, Any]:
    """Return what grows beside the metrics: samples, log, checkpoints."""
    data = run.data
    assert data is not None
    names = [path.name[5:] for path in (run.path / "checkpoints").glob("step-*")]
    samples = data.samples[-SAMPLES_SHOWN:][::-1]
    return {
        "samples": [{key: sample.get(key) for key in ("step", "prompt", "text")} for sample in samples],
        "log": log_tail(run.path / "log.txt"),
        "checkpoints": sorted(int(name) for name in names if name.isdigit()),
        "has_tokenizer": (run.path / "tokenizer").is_dir(),
    }


def plan(path: Path) -> Mapping[str, Any]:
    """Return the numbers of `plan.json`."""
    content = read_json_object(path / "plan.json", missing_ok=True)
    return {key: value for key, value in content.items() if as_number(value) is not None}


def log_tail(path: Path) -> str:
    """Return the last lines of a log."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_BYTES))
            content = file.read(LOG_BYTES)
    except FileNotFoundError:
        return ""
    if size > LOG_BYTES:
        content = content.partition(b"\n")[2]
    return content.decode(errors="replace")
