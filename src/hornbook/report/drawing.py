"""Figures as SVG and PNG files in the design of the pages: their colours, names at the ends of curves.

On light paper of their own, so that they read on a dark page too. Left out: other horizontal axes than the first.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hornbook.errors import HornbookError
from hornbook.fileio import atomic_write
from hornbook.format import short
from hornbook.report.design import SERIES, colors
from hornbook.report.scales import apart, line_heights, y_range
from hornbook.studies.charts import Figure, Series

SIZE = 7.2, 4.2
"""Inches."""
MOST_NAMES = 12
LINES = {"line": "-", "both": "-", "dash": "--", "dot": ":"}


def save_figures(figures: Sequence[Figure], folder: Path, *, formats: Sequence[str] = ("svg", "png")) -> list[Path]:
    """Write every figure over its first horizontal axis to `folder`, once per format.

    Returns:
        The files written, `<figure>.<format>`.

    Raises:
        HornbookError: matplotlib (the `report` extra) is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        raise HornbookError("SVG and PNG figures need matplotlib: pip install 'hornbook[report]'") from None
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context():
        mpl.rcdefaults()  # not the reader's matplotlibrc, whose fonts may not be there
        mpl.rcParams.update(cast(Any, _style()))
        for figure in figures:
            canvas = Canvas(figsize=SIZE, dpi=150, layout="constrained")
            axes = canvas.add_subplot()
            (_draw_forest if figure.horizontal else _draw)(axes, figure)
            axes.set_title(_plain(figure.title), loc="left", fontweight="bold")
            for kind in formats:
                drawn = io.BytesIO()
                canvas.savefig(drawn, format=kind, metadata={"Date": None} if kind == "svg" else None)
                written.append(folder / f"{figure.id}.{kind}")
                atomic_write(written[-1], drawn.getvalue())
    return written


def _style() -> dict[str, Any]:
    color = colors("light")
    words = dict.fromkeys(("text.color", "axes.titlecolor"), color["ink"])
    soft = dict.fromkeys(("axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), color["soft"])
    ground = dict.fromkeys(("figure.facecolor", "axes.facecolor"), color["card"])
    frame = {"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": color["line"]}
    sizes = {"font.size": 9.5, "axes.titlesize": 11, "grid.linewidth": 0.7, "axes.unicode_minus": False}
    return {"svg.hashsalt": "hornbook", "axes.axisbelow": True, **words, **soft, **ground, **frame, **sizes}


def _draw(axes: Any, figure: Figure) -> None:
    axis, label = next(iter(figure.x_axes.items()))
    ends = [_draw_series(axes, figure, axis, place) for place in range(len(figure.series))]
    limits = y_range(figure, axis)
    axes.set(xlabel=label, ylabel=figure.y_label)
    if figure.x_log:
        axes.set_xscale("log")
    if figure.y_log:
        axes.set_yscale("log")
    if limits is not None:
        room = 0.06 * (limits[1] - limits[0])
        low, high = limits[0] - room, limits[1] + room
        axes.set_ylim(*((10**low, 10**high) if figure.y_log else (low, high)))
        _draw_lines(axes, figure, (low, high))
        _name(axes, figure, ends, (low, high))
    for one, logarithmic in ((axes.xaxis, figure.x_log), (axes.yaxis, figure.y_log)):
        _ticks(one, logarithmic)
    if figure.categories is not None:
        axes.set_xticks(range(len(figure.categories)), [_plain(c) for c in figure.categories], rotation=30, ha="right")


def _ticks(axis: Any, logarithmic: bool) -> None:
    """Write the numbers of an axis as the pages do; a logarithmic one of less than a decade has even steps."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    if logarithmic and high < 10 * low:
        axis.set_major_locator(MaxNLocator(5))
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: short(value, 4))
    axis.set_minor_formatter(lambda value, _: "")


def _draw_series(axes: Any, figure: Figure, axis: str, place: int) -> tuple[float, float] | None:
    """Draw one series; return its last point."""
    series, color = figure.series[place], _color(figure.series[place], place)
    if series.style == "cross":
        where = [x for x in series.x[axis] if x is not None]
        up = axes.get_xaxis_transform()
        axes.plot(where, [0.97] * len(where), "x", color=color, transform=up, label=_plain(series.name))
        return None
    rows = zip(series.x[axis], series.y, series.low or series.y, series.high or series.y, strict=True)
    rows = [r for r in rows if None not in r and not (figure.x_log and (r[0] or 0) <= 0)]
    if not rows:
        return None
    x, y, low, high = (list(column) for column in zip(*rows, strict=True))
    marker = "o" if series.style in ("points", "both") else ""
    line = LINES.get(series.style, "")
    axes.plot(x, y, line, marker=marker, markersize=3.5, linewidth=1.5, color=color, label=_plain(series.name))
    if series.low is not None and series.style == "points":
        axes.vlines(x, low, high, color=color, linewidth=1.5)
    elif series.low is not None:
        axes.fill_between(x, low, high, color=color, alpha=0.17, linewidth=0)
    return x[-1], y[-1]


def _draw_lines(axes: Any, figure: Figure, ends: tuple[float, float]) -> None:
    soft, shown = colors("light")["soft"], line_heights(figure)
    for label, height in shown.items():
        words, size = f"{_plain(label)} {short(figure.lines[label])}", {"fontsize": 8.5, "color": soft}
        if height > ends[1]:
            axes.text(0.99, 0.98, f"↑ {words}", transform=axes.transAxes, ha="right", va="top", **size)
        elif height < ends[0]:
            axes.text(0.01, 0.02, f"↓ {words}", transform=axes.transAxes, ha="left", va="bottom", **size)
        else:
            axes.axhline(figure.lines[label], color=soft, linewidth=1.1, linestyle=(0, (5, 4)))
            at = (0.99, figure.lines[label])
            axes.annotate(words, at, (0, 3), ("axes fraction", "data"), "offset points", ha="right", **size)


def _name(axes: Any, figure: Figure, points: Sequence[tuple[float, float] | None], ends: tuple[float, float]) -> None:
    """Write the names at the ends of the curves, apart from each other, or a legend where there are no curves."""
    drawn = [(i, p[1]) for i, p in enumerate(points) if p is not None and (p[1] > 0 or not figure.y_log)]
    if not 1 < len(figure.series) <= MOST_NAMES:
        return
    if figure.categories is not None or len(drawn) < len(points) or any(s.style == "points" for s in figure.series):
        axes.legend(fontsize=8.5, frameon=False)
        return
    span = ends[1] - ends[0]
    heights = [((math.log10(y) if figure.y_log else y) - ends[0]) / span for _, y in drawn]
    for (i, _), height in zip(drawn, apart(heights, 0.048, 0.02, 0.98), strict=True):
        words, color = _plain(figure.series[i].name), _color(figure.series[i], i)
        axes.text(1.01, height, words, transform=axes.transAxes, color=color, va="center", fontsize=9)


def _draw_forest(axes: Any, figure: Figure) -> None:
    axis, names = next(iter(figure.x_axes)), [_plain(name) for name in figure.categories or ()]
    for place, series in enumerate(figure.series):
        color, at = _color(series, place), list(series.x[axis])
        if series.style == "cross":
            across = axes.get_yaxis_transform()
            axes.plot([0.98] * len(at), at, "x", color=color, transform=across, label=_plain(series.name))
            continue
        if series.low is not None and series.high is not None and None not in (*series.low, *series.high):
            axes.hlines(at, series.low, series.high, color=color, linewidth=3, alpha=0.55)
        axes.plot(series.y, at, "o", color=color, markersize=5.5, label=_plain(series.name))
    for label, value in figure.lines.items():
        axes.axvline(value, color=colors("light")["soft"], linewidth=1.1, linestyle=(0, (5, 4)), label=_plain(label))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    _ticks(axes.xaxis, logarithmic=False)
    axes.set_xlabel(figure.y_label)
    axes.grid(visible=False, axis="y")
    axes.legend(fontsize=8.5, frameon=False)


def _color(series: Series, place: int) -> str:
    return colors("light")[f"series-{(series.color if series.color is not None else place) % SERIES}"]


def _plain(text: str) -> str:
    """Keep matplotlib from reading a formula into a name with dollar signs."""
    return text.replace("$", r"\$")
