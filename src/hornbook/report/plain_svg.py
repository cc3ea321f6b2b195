"""A figure as a small SVG, for a page whose scripts may not run: curves, lines, ends of axes, names at the curves.

Left out: bands, ticks between, everything to click; with scripts the page draws the same numbers in full.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from hornbook.format import short
from hornbook.report.design import series_variable
from hornbook.report.scales import Points, apart, line_heights, points, y_range
from hornbook.studies.charts import Figure, Number, Series

WIDTH, HEIGHT, LEFT, ABOVE, BELOW, LINE = 400, 220, 58, 10, 34, 13
MOST_POINTS = 200
"""Points of a curve; more say nothing at this size."""
CHARACTER, WIDEST = 6.2, 130.0
"""Pixels that a character takes, about, and most pixels of a name at its curve; longer ones stand below."""
DASHES = {"dash": ' stroke-dasharray="7 5"', "dot": ' stroke-dasharray="2 4"'}


def plain_svg(figure: Figure) -> str:
    """Return the SVG element of a figure over its first horizontal axis; an empty string where it has no point."""
    axis, label = next(iter(figure.x_axes.items()))
    curves = [_thinned(points(s.x[axis], s.y, figure.x_log, figure.y_log)) for s in figure.series]
    ends = y_range(figure, axis)
    if ends is None or not any(curves):
        return ""
    lost = [(i, s.x[axis]) for i, s in enumerate(figure.series) if s.style == "cross"]
    crosses = [(x, i) for i, where in lost for x in _across(where, figure)]
    across = [*(x for curve in curves for x, _ in curve), *(x for x, _ in crosses)]
    left, right = (min(across), max(across)) if max(across) > min(across) else (across[0] - 0.5, across[0] + 0.5)
    widest = CHARACTER * max(len(s.name) for s in figure.series)
    named = (
        1 < len(curves) <= (HEIGHT - ABOVE - BELOW) / LINE and widest <= WIDEST and not (crosses or figure.categories)
    )
    edge, bottom = WIDTH - 12 - (widest if named else 0), HEIGHT - BELOW

    def place(x: float, y: float) -> tuple[float, float]:
        along, up = (x - left) / (right - left), (y - ends[0]) / (ends[1] - ends[0])
        return LEFT + along * (edge - LEFT), bottom - min(1.0, up) * (bottom - ABOVE)

    spots = [[place(x, y) for x, y in curve] for curve in curves]
    parts = [part for i, s in enumerate(figure.series) for part in _curve(s, spots[i], _color(s, i))]
    parts += [_cross(place(x, ends[1])[0], _color(figure.series[i], i)) for x, i in crosses]
    parts += [
        _line(name, height, place(left, height)[1], edge, figure) for name, height in line_heights(figure).items()
    ]
    if named:
        heights = apart([curve[-1][1] if curve else bottom for curve in spots], LINE, ABOVE, bottom)
        rows = zip(figure.series, heights, strict=True)
        parts += [
            f'<text x="{edge + 5:.1f}" y="{y + 4:.1f}" style="fill: {_color(s, i)}">{html.escape(s.name)}</text>'
            for i, (s, y) in enumerate(rows)
        ]
    said = html.escape(f"{figure.title}: {figure.y_label} by {label}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}" font-size="11.5" fill="currentColor">'
        f"{''.join(parts)}{_frame(figure, label, (left, right), ends, edge)}</svg>"
        f'<p class="note">{html.escape(figure.y_label)}{"" if named else _legend(figure)}</p>'
    )


def _curve(series: Series, spots: Points, color: str) -> list[str]:
    if len(spots) > 1 and series.style != "points":
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        dashes = DASHES.get(series.style, "")
        return [f'<polyline points="{line}" fill="none" style="stroke: {color}" stroke-width="1.6"{dashes}/>']
    return [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" style="fill: {color}"/>' for x, y in spots]


def _across(x: Sequence[Number], figure: Figure) -> list[float]:
    return [across for across, _ in points(x, [1.0] * len(x), figure.x_log, y_log=False)]


def _cross(x: float, color: str) -> str:
    return f'<text x="{x:.1f}" y="{ABOVE + 5}" text-anchor="middle" style="fill: {color}">✕</text>'


def _line(name: str, height: float, y: float, edge: float, figure: Figure) -> str:
    """Return a reference line with its name, or the name at the edge beyond which the line lies."""
    bottom, words = HEIGHT - BELOW, f"{name} {_shown(height, figure.y_log)}"
    if y > bottom + 0.5:
        return _text(LEFT + 6, bottom - 5, "start", f"↓ {words}")
    if y <= ABOVE and height > (y_range(figure, next(iter(figure.x_axes))) or (0, 0))[1]:
        return _text(edge, ABOVE + 9, "end", f"↑ {words}")
    rule = f'<path d="M{LEFT} {y:.1f}H{edge:.1f}" stroke="currentColor" stroke-dasharray="5 4" opacity="0.6"/>'
    return rule + _text(edge, y - 4, "end", words)


def _frame(
    figure: Figure, label: str, across: tuple[float, float], up: tuple[float, float], edge: float
) -> str:  # fmt: skip
    bottom, names = HEIGHT - BELOW, figure.categories or ()
    ends = [
        names[round(x)] if names and 0 <= round(x) < len(names) else _shown(x, figure.x_log and not names)
        for x in across
    ]
    return "".join([
        f'<path d="M{LEFT} {ABOVE}V{bottom}H{edge:.1f}" fill="none" stroke="currentColor" opacity="0.4"/>',
        _text(LEFT - 6, ABOVE + 8, "end", _shown(up[1], figure.y_log)),
        _text(LEFT - 6, bottom, "end", _shown(up[0], figure.y_log)),
        _text(LEFT, bottom + 15, "start", ends[0]),
        _text(edge, bottom + 15, "end", ends[1]),
        _text((LEFT + edge) / 2, bottom + 15, "middle", label),
    ])  # fmt: skip


def _legend(figure: Figure) -> str:
    return ": " + "".join(
        f'<span style="color:{_color(series, i)}">■</span> {html.escape(series.name)} '
        for i, series in enumerate(figure.series)
    )


def _thinned(curve: Points) -> Points:
    step = max(1, math.ceil(len(curve) / MOST_POINTS))
    return curve[::step] if step == 1 or (len(curve) - 1) % step == 0 else [*curve[::step], curve[-1]]


def _color(series: Series, place: int) -> str:
    return series_variable(place if series.color is None else series.color)


def _shown(value: float, log: bool) -> str:
    return short(10**value if log else value, 3)


def _text(x: float, y: float, anchor: str, words: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{html.escape(words)}</text>'
