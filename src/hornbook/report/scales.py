"""Where a figure's axis begins and ends, and where names stand at the ends of curves; page/chart.js has the same rules.

The first part of a training (its fall from ln V) does not stretch the vertical axis: the curve enters from above. A
reference line that is far from all curves does not either: it is named at the edge. Left out: ticks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from hornbook.studies.charts import Figure, Number

START = 0.02
"""Share of a training's steps that does not count."""
FAR = 2.0
"""So many times the span of the curves is too far for a line."""

Points = list[tuple[float, float]]


def points(x: Sequence[Number], y: Sequence[Number], x_log: bool, y_log: bool) -> Points:
    """Return the points that can be drawn, as decimal logarithms on logarithmic axes."""
    return [
        (math.log10(a) if x_log else float(a), math.log10(b) if y_log else float(b))
        for a, b in zip(x, y, strict=True)
        if a is not None and b is not None and (a > 0 or not x_log) and (b > 0 or not y_log)
    ]


def y_range(figure: Figure, axis: str) -> tuple[float, float] | None:
    """Return the ends of the vertical axis, as logarithms on a logarithmic one; None: there is nothing to draw."""
    edges = [(s.x[axis], y) for s in figure.series for y in (s.low, s.y, s.high) if y is not None]
    drawn = [p for x, y in edges for p in points(x, y, figure.x_log, figure.y_log)]
    if not drawn:
        return None
    if "step" in figure.x_axes and not figure.x_log:
        left, right = min(x for x, _ in drawn), max(x for x, _ in drawn)
        later = [p for p in drawn if p[0] > left + START * (right - left)]
        drawn = later if len(later) > 1 else drawn
    low, high = min(y for _, y in drawn), max(y for _, y in drawn)
    for height in line_heights(figure).values():
        ends = min(low, height), max(high, height)
        if high == low or ends[1] - ends[0] <= FAR * (high - low):
            low, high = ends
    return (low, high) if high > low else (low - 0.18, high + 0.18) if figure.y_log else (low - 0.5, high + 0.5)


def line_heights(figure: Figure) -> dict[str, float]:
    """Return the figure's horizontal lines, as logarithms on a logarithmic axis, without those that have none."""
    kept = {label: height for label, height in figure.lines.items() if height > 0 or not figure.y_log}
    return {label: math.log10(height) if figure.y_log else height for label, height in kept.items()}


def apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places moved until they are `gap` apart, within low and high as far as there is room."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [min(max(p, low), high) for p in places]
    for before, i in pairwise(order):
        moved[i] = max(moved[i], moved[before] + gap)
    limit = high
    for i in reversed(order):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - gap
    return moved
