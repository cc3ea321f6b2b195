"""A figure whose categories stand below each other, drawn as a table: name, a bar on a common scale, and its numbers.

It needs no script, and what reads tables aloud reads it. Left out: logarithmic scales.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator

from hornbook.report.design import series_variable
from hornbook.studies.charts import Figure, Series


def forest_html(figure: Figure) -> str:
    """Return the table of a horizontal figure: each category with its value, its interval and the series' name."""
    values = [v for s in figure.series for edge in (s.low, s.y, s.high) for v in edge or () if v is not None]
    ends = [*values, *figure.lines.values()]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = 0.04 * (high - low or 1.0)
    low, high = low - room, high + room

    def place(value: float) -> str:
        return f"{100 * (value - low) / (high - low):.2f}%"

    rules = "".join(f'<span class="rule" style="left: {place(v)}"></span>' for v in figure.lines.values())
    rows = sorted(_rows(figure), key=lambda row: row[0])
    body = "".join(
        f'<tr><th scope="row" class="text">{html.escape((figure.categories or ())[i])}</th>'
        f'<td class="track" aria-hidden="true">{rules}{_bar(series, k, place)}</td>'
        f'<td class="text"><b>{_numbers(series, k)}</b> <span class="word">{html.escape(series.name)}</span></td></tr>'
        for i, series, k in rows
    )
    scale = "".join(
        f'<span class="rule" style="left: {place(height)}">{html.escape(label)}</span>'
        for label, height in figure.lines.items()
    )
    name = html.escape(next(iter(figure.x_axes.values())))
    return (
        f'<table class="forest"><caption>{html.escape(figure.title)} <span class="word">{html.escape(figure.y_label)}'
        f'</span></caption><thead><tr><th scope="col" class="text">{name}</th><td class="scale" aria-hidden="true">'
        f'{scale}</td><th scope="col" class="text">difference</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _rows(figure: Figure) -> Iterator[tuple[int, Series, int]]:
    for series in figure.series:
        for k, x in enumerate(next(iter(series.x.values()))):
            if x is not None and figure.categories and 0 <= round(x) < len(figure.categories):
                yield round(x), series, k


def _edges(series: Series, k: int) -> tuple[float, float] | None:
    low, high = series.low[k] if series.low else None, series.high[k] if series.high else None
    return None if low is None or high is None else (low, high)


def _bar(series: Series, k: int, place: Callable[[float], str]) -> str:
    color, value, edges = series_variable(series.color or 0), series.y[k], _edges(series, k)
    if value is None:
        return f'<span class="cross" style="color: {color}">✕</span>'
    bar = ""
    if edges is not None:
        left, right = (float(place(edge)[:-1]) for edge in edges)
        bar = f'<span class="reach" style="left: {left:.2f}%; width: {right - left:.2f}%; background: {color}"></span>'
    return f'{bar}<span class="point" style="left: {place(value)}; background: {color}"></span>'


def _numbers(series: Series, k: int) -> str:
    value, edges = series.y[k], _edges(series, k)
    if value is None:
        return ""
    if edges is None:
        return f"{value:+.4f}"
    up, down = edges[1] - value, value - edges[0]
    if math.isclose(up, down, rel_tol=1e-6, abs_tol=1e-12):
        return f"{value:+.4f} ± {up:.4f}"
    return f"{value:+.4f} ({edges[0]:+.4f} to {edges[1]:+.4f})"
