"""Figures of runs, thinned to what a screen can show.

Thinning keeps, of every bucket of neighbouring points, the lowest and the highest value, so that a spike is never lost.
Left out: smoothing, which hides what happened; files of figures (`report/drawing.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hornbook.report.load import RunData
from hornbook.studies.charts import X_AXES, Figure, Series

POINTS_PER_PAGE = 60_000
"""Points of one metric over all runs of a page: 50 runs of 10,000 points then open in well under two seconds."""
POINTS_PER_CURVE = 2_000

# key of metrics.jsonl, title, vertical label, logarithmic from the start
METRICS = (
    ("val_loss", "Validation loss", "loss (nats per token)", True),
    ("train_loss", "Training loss", "loss (nats per token)", True),
    ("val_bits_per_byte", "Validation bits per byte", "bits per byte", True),
    ("lr", "Learning rate", "learning rate", False),
    ("grad_norm", "Gradient norm before clipping", "L2 norm", True),
    ("tokens_per_second", "Speed", "tokens per second", False),
    ("mfu", "Model FLOPs utilisation", "share of peak", False),
    ("memory_bytes", "Memory", "bytes", False),
)


def run_figures(runs: Sequence[RunData]) -> list[Figure]:
    """Return the charts of one or several runs: every metric that at least one of them recorded.

    With a single run, training and validation loss share one chart.
    """
    limit = max(100, min(POINTS_PER_CURVE, POINTS_PER_PAGE // max(1, len(runs))))
    figures: list[Figure] = []
    for key, title, label, y_log in METRICS:
        series = [s for i, run in enumerate(runs) if (s := _curve(run, key, run.name, limit, color=i)) is not None]
        if not series:
            continue
        figures.append(
            Figure(
                id=key,
                title=title,
                caption="" if figures else _caption(runs, limit, key),
                x_axes=X_AXES,
                y_label=label,
                y_log=y_log,
                series=series,
                lines=_floor_lines(runs) if key == "val_bits_per_byte" else {},
            )
        )
    return _merge_losses(runs[0], figures, limit) if len(runs) == 1 else figures


def _merge_losses(run: RunData, figures: list[Figure], limit: int) -> list[Figure]:
    train, val = (
        _curve(run, "train_loss", "training", limit, color=0),
        _curve(run, "val_loss", "validation", limit, color=1),
    )
    if train is None or val is None:
        return figures
    merged = Figure(
        id="loss",
        title="Loss",
        caption=_caption([run], limit, "train_loss"),
        x_axes=X_AXES,
        y_label="loss (nats per token)",
        y_log=True,
        series=[train, val],
        lines=_references(run),
    )
    return [merged, *(f for f in figures if f.id not in ("train_loss", "val_loss"))]


def _references(run: RunData) -> dict[str, float]:
    """Return what a loss in nats per token is read against: guessing all tokens alike, and the entropy floor."""
    loss, bits, floor = run.last("val_loss"), run.last("val_bits_per_byte"), run.entropy_floor
    lines = {} if run.uniform_loss is None else {"guessing": run.uniform_loss}
    # Bits per byte and nats per token of one text differ by a factor, which its losses show.
    return lines | ({"entropy floor": floor * loss / bits} if floor and loss and bits else {})


def _curve(run: RunData, key: str, name: str, limit: int, *, color: int) -> Series | None:
    points = run.points(key)
    if not points.y:
        return None
    kept = thin(points.y, limit)
    x = {axis: [_round(values[i]) for i in kept] for axis, values in points.x.items()}
    style = "both" if len(kept) <= 40 else "line"
    return Series(name=name, x=x, y=[_round(points.y[i]) for i in kept], style=style, color=color)


def thin(values: Sequence[float], limit: int) -> list[int]:
    """Return the indices to draw of a curve of `values`: all, or of every bucket its lowest and highest point.

    Args:
        values: the curve.
        limit: most points wanted; the first and the last point are always kept.
    """
    count = len(values)
    if count <= limit:
        return list(range(count))
    buckets = max(1, (limit - 2) // 2)
    kept = {0, count - 1}
    curve = np.asarray(values, dtype=float)
    lowest, highest = (np.where(np.isfinite(curve), curve, beyond) for beyond in (math.inf, -math.inf))
    for b in range(buckets):
        begin, end = b * count // buckets, (b + 1) * count // buckets
        low, high = begin + int(lowest[begin:end].argmin()), begin + int(highest[begin:end].argmax())
        kept |= {low, high}
    return sorted(kept)


def _caption(runs: Sequence[RunData], limit: int, key: str) -> str:
    longest = max(len(run.points(key).y) for run in runs)
    if longest <= limit:
        return ""
    return (
        f"Of {longest:,} points, every chart here draws the lowest and highest of each stretch, "
        f"at most {limit:,} in all; the run folder has every one."
    )


def _floor_lines(runs: Sequence[RunData]) -> dict[str, float]:
    floors = {run.name: run.entropy_floor for run in runs if run.entropy_floor is not None}
    values = sorted({round(v, 6) for v in floors.values()})
    if not values:
        return {}
    if len(values) == 1 or values[-1] - values[0] < 1e-3:
        return {"entropy floor of the corpus": values[0]}
    if len(floors) > 4:
        return {"lowest entropy floor": values[0], "highest entropy floor": values[-1]}
    return {f"entropy floor, {name}": value for name, value in floors.items()}


def _round(value: float | None) -> float | int | None:
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None
