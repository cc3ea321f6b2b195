"""Tables of runs: final metrics, and what differs between their configurations.

Left out: comparisons of arms, which need seeds and belong to `studies/statistics.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hornbook.config import flatten
from hornbook.format import duration, setting
from hornbook.report.load import RunData
from hornbook.studies.charts import Table, columns
from hornbook.tracking.run import validation_note

IDENTITY = ("run.name", "run.directory", "run.note", "run.tags")
"""Configuration that names a run and changes nothing in it."""
WINDOW_RATIO = "× floor (windows)"
RATIO_NOTE = "× floor: whole validation stories against their own true entropy."
WINDOW_NOTE = "× floor (windows): bits per byte over windows, which may begin within a story, by the entropy floor."


def final_metrics(runs: Sequence[RunData]) -> Table:
    """Return one row per run: status, steps, tokens, losses, distance to the entropy floor, speed, time."""
    rows = [final_row(run) for run in runs]
    labels = {
        "name": "run", "status": "status", "step": "steps", "tokens": "tokens",
        "train_loss": "train loss (nats/token)", "val_loss": "val loss (nats/token)",
        "best_val_loss": "best val loss (nats/token)", "perplexity": "perplexity",
        "bits_per_byte": "bits/byte", "floor": "entropy floor (bits/byte)", "ratio": "× floor",
        "window_ratio": WINDOW_RATIO, "tokens_per_second": "tokens/s", "mfu": "MFU", "seconds": "wall time",
    }  # fmt: skip
    always = ("name", "status", "step")
    shown = {key for row in rows for key, value in row.items() if value is not None}
    if all(row["ratio"] is not None or row["window_ratio"] is None for row in rows):
        shown.discard("window_ratio")  # that of whole stories is better; beside a run that lacks it, both stay
    labels = {key: label for key, label in labels.items() if key in always or key in shown}
    headings = columns(labels, "name", "status")
    different = validation_note({run.name: run.validation_digest for run in runs})
    notes = [
        *([f"{different[0].upper()}{different[1:]}."] if different else []),
        *([RATIO_NOTE] if "ratio" in shown else []),
        *([WINDOW_NOTE] if "window_ratio" in shown else []),
    ]
    return Table(id="final", title="Final metrics", columns=headings, rows=rows, note=" ".join(notes))


def final_row(run: RunData) -> dict[str, Any]:
    """Return a run's row of `final_metrics`, with every value that there is."""
    loss, bits, floor = run.last("val_loss"), run.last("val_bits_per_byte"), run.entropy_floor
    perplexity = run.last("val_perplexity")
    if perplexity is None and isinstance(loss, (int, float)):
        perplexity = math.exp(loss) if loss < 700 else math.inf
    seconds, mfu = run.last("seconds"), run.last("mfu")
    return {
        "name": run.name,
        "status": run.status,
        "step": run.last("step"),
        "tokens": run.last("tokens"),
        "train_loss": run.last("train_loss"),
        "val_loss": loss,
        "best_val_loss": run.best_val_loss(),
        "perplexity": perplexity,
        "bits_per_byte": bits,
        "floor": floor,
        "ratio": run.ratio_to_floor,
        "window_ratio": bits / floor if isinstance(bits, (int, float)) and floor else None,
        "tokens_per_second": _whole(_upper_median(run.points("tokens_per_second").y)),
        "mfu": None if mfu is None else {"value": mfu, "text": f"{100 * mfu:.1f} %"},
        "seconds": None if seconds is None else {"value": seconds, "text": duration(seconds)},
    }


def _upper_median(values: Sequence[float]) -> float | None:
    middle = len(values) // 2
    return float(np.partition(np.asarray(values, float), middle)[middle]) if len(values) else None


def _whole(value: float | None) -> int | float | None:
    return round(value) if value is not None and math.isfinite(value) and value >= 100 else value


def config_rows(runs: Sequence[RunData]) -> list[dict[str, Any]]:
    """Return the configuration as rows `{"key", "values" (one per run), "differs"}`, the differing ones first."""
    flat = [flatten(run.config) for run in runs]
    keys = list(dict.fromkeys(key for config in flat for key in config))
    rows = []
    for key in keys:
        values = [setting(config[key]) if key in config else "–" for config in flat]
        rows.append({"key": key, "values": values, "differs": len(set(values)) > 1 and key not in IDENTITY})
    return sorted(rows, key=lambda row: not row["differs"])


def environment_rows(environments: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return versions, device and commit as rows `{"key", "values"}`; equal values over all runs are given once."""
    flat = [flatten(environment) for environment in environments]
    keys = dict.fromkeys(key for environment in flat for key in environment)
    rows = []
    for key in keys:
        values = list(dict.fromkeys(setting(environment[key]) if key in environment else "–" for environment in flat))
        shown = values if len(values) <= 6 else [*values[:6], f"… {len(values) - 6} more"]
        rows.append({"key": key, "values": shown})
    return rows
