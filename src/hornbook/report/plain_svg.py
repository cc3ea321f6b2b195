"""A figure as a small SVG, for a page whose scripts may not run: curves, the ends of both axes, names in their colours.

Left out: bands, ticks between, everything to click; with scripts the page draws the same numbers in full.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from hornbook.format import short
from hornbook.report.design import series_variable
from hornbook.studies.charts import Figure, Number, Series

WIDTH, HEIGHT, LEFT, BELOW = 480, 240, 58, 34
MOST_POINTS = 200
"""Points of a curve; more say nothing at this size."""


def plain_svg(figure: Figure) -> str:
    """Return the SVG element of a figure over its first horizontal axis; an empty string where it has no point."""
    axis, label = next(iter(figure.x_axes.items()))
    curves = [_points(series.x[axis], series.y, figure.x_log, figure.y_log) for series in figure.series]
    flat = [point for curve in curves for point in curve]
    if not flat:
        return ""
    (left, right), (low, high) = (_ends([point[i] for point in flat]) for i in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        along, up = (x - left) / (right - left), (y - low) / (high - low)
        return LEFT + along * (WIDTH - LEFT - 12), (1 - up) * (HEIGHT - BELOW - 12) + 8

    parts = []
    for number, (series, curve) in enumerate(zip(figure.series, curves, strict=True)):
        color = _color(series, number)
        spots = [place(x, y) for x, y in curve]
        if len(spots) > 1 and series.style != "points":
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
            parts.append(f'<polyline points="{line}" fill="none" style="stroke: {color}" stroke-width="1.6"/>')
        else:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" style="fill: {color}"/>' for x, y in spots]
    bottom = HEIGHT - BELOW
    names = figure.categories or ()
    ends = [
        (names[round(x)] if names and 0 <= round(x) < len(names) else _shown(x, figure.x_log)) for x in (left, right)
    ]
    parts += [
        f'<path d="M{LEFT} 8V{bottom}H{WIDTH - 12}" fill="none" stroke="currentColor" opacity="0.4"/>',
        _text(LEFT - 6, 16, "end", _shown(high, figure.y_log)),
        _text(LEFT - 6, bottom, "end", _shown(low, figure.y_log)),
        _text(LEFT, bottom + 15, "start", ends[0]),
        _text(WIDTH - 12, bottom + 15, "end", ends[1]),
        _text((LEFT + WIDTH) // 2, bottom + 15, "middle", label),
    ]
    named = (
        f'<span style="color:{_color(series, i)}">■</span> {html.escape(series.name)} '
        for i, series in enumerate(figure.series)
    )
    said = html.escape(f"{figure.title}: {figure.y_label} by {label}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}" font-size="11.5" fill="currentColor">'
        f"{''.join(parts)}</svg><p class='note'>{html.escape(figure.y_label)}: {''.join(named)}</p>"
    )


def _points(x: Sequence[Number], y: Sequence[Number], x_log: bool, y_log: bool) -> list[tuple[float, float]]:
    pairs = [
        (math.log10(a) if x_log else float(a), math.log10(b) if y_log else float(b))
        for a, b in zip(x, y, strict=True)
        if a is not None and b is not None and (a > 0 or not x_log) and (b > 0 or not y_log)
    ]
    step = max(1, math.ceil(len(pairs) / MOST_POINTS))
    return pairs[::step] if step == 1 or (len(pairs) - 1) % step == 0 else [*pairs[::step], pairs[-1]]


def _ends(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _color(series: Series, place: int) -> str:
    return series_variable(place if series.color is None else series.color)


def _shown(value: float, log: bool) -> str:
    return short(10**value if log else value, 3)


def _text(x: int, y: int, anchor: str, words: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{html.escape(words)}</text>'
