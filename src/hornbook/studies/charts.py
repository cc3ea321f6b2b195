"""Figures and tables as plain records: what a study writes to `results.json` and what a report draws.

A record holds numbers and words only, never markup or code, so that one record becomes an interactive chart, an SVG
file or lines on a terminal. Reading checks every field, because a results file may come from anywhere.
Left out: styling (the report's) and statistics (`studies/statistics.py`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from hornbook.config import build
from hornbook.errors import ConfigError, FormatError
from hornbook.format import number

Number = float | int | None
_Record = TypeVar("_Record", "Figure", "Table")
PAIRS = ("x_axes", "lines")
"""Fields of a figure that are mappings whose order matters."""
X_AXES = {"step": "step", "tokens": "tokens", "seconds": "wall clock (s)"}
"""Of a training's curves."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Series:
    """One curve, band or cloud of points of a figure."""

    name: str
    """What the legend says."""
    x: Mapping[str, Sequence[Number]]
    """Positions for every horizontal axis that the figure offers (`Figure.x_axes`), each as long as `y`."""
    y: Sequence[Number]
    """Values; None where there is none (a diverged run)."""
    low: Sequence[Number] | None = None
    """Lower edge of the band around `y`, if there is one."""
    high: Sequence[Number] | None = None
    """Upper edge of the band."""
    style: str = "line"
    """`line`, `dash`, `dot`, `both` (line with dots), `points` (dots alone) or `cross` (✕ at an edge, `y` is None)."""
    color: int | None = None
    """Index of the colour; series that belong together share one. None: the series' place in the figure."""

    def __post_init__(self) -> None:
        others = {"low": self.low, "high": self.high} | {f"x.{axis}": values for axis, values in self.x.items()}
        for name, values in others.items():
            if values is not None and len(values) != len(self.y):
                raise ConfigError(f"{name} of {self.name!r} has {len(values)} values, y has {len(self.y)}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart as numbers and words; the reader chooses among its horizontal axes."""

    id: str
    """Short name, the stem of the exported file."""
    title: str
    caption: str = ""
    """One or two sentences: what is drawn, over how many seeds, what the band is."""
    x_axes: Mapping[str, str]
    """Key → label of every horizontal axis the reader may choose, the first shown first."""
    y_label: str
    x_log: bool = False
    y_log: bool = False
    series: Sequence[Series]
    lines: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Label → height of horizontal lines, such as the entropy floor."""
    categories: Sequence[str] | None = None
    """Names at x = 0, 1, 2 …, where the horizontal axis is a list of arms and not a quantity."""
    horizontal: bool = False
    """Categories stand below each other and values run to the right, as in a forest plot."""

    def __post_init__(self) -> None:
        if not self.x_axes:
            raise ConfigError("x_axes must name at least one axis")
        for series in self.series:
            if missing := self.x_axes.keys() - series.x.keys():
                raise ConfigError(f"series {series.name!r} has no values on axis {min(missing)!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """What a table shows of each row, under which heading."""

    key: str
    label: str
    kind: str = "number"
    """`number` or `text`: alignment and the way it sorts."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """A table; a cell is a number, a text, None, or `{"value": number, "text": shown}`."""

    id: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    note: str = ""


def columns(labels: Mapping[str, str], *text: str) -> list[Column]:
    """Return a column for each key, with its label; those named in `text` hold words, the others numbers."""
    return [Column(key=key, label=label, kind="text" if key in text else "number") for key, label in labels.items()]


def band(
    name: str,
    x: Mapping[str, Sequence[Number]],
    groups: Sequence[Sequence[float]],
    middle: Callable[[Sequence[float]], Number],
    **look: Any,
) -> Series:
    """Return the middle of each group of values as a curve, in a band from the lowest to the highest of the group."""
    low, high = [min(values) for values in groups], [max(values) for values in groups]
    return Series(name=name, x=x, y=[middle(values) for values in groups], low=low, high=high, **look)


@dataclasses.dataclass(frozen=True)
class Interval:
    """A mean with the half-width of its 95 % interval; None: too few values for one, which are shown instead."""

    mean: float
    half_width: float | None
    values: Sequence[float]

    def cell(self) -> dict[str, Any]:
        """Return the table cell that shows `mean ± half-width`, or the values, and sorts by the mean."""
        if self.half_width is None:
            return {"value": self.mean, "text": " · ".join(map(number, self.values))}
        return {"value": self.mean, "text": f"{self.mean:.4f} ± {self.half_width:.4f}"}


def record_to_dict(record: Figure | Table) -> dict[str, Any]:
    """Return a record as JSON-ready values; NaN and infinities become None."""
    content = _finite(record)
    for key in PAIRS:
        # Lists, because the order matters and JSON objects are stored with sorted keys.
        if key in content:
            content[key] = [list(pair) for pair in content[key].items()]
    return content


def figure_from_dict(content: Any, where: str) -> Figure:
    """Return the figure in `content` (as from JSON). Raises FormatError naming `where` and the field at fault."""
    try:
        pairs = {key: dict(content[key]) for key in PAIRS if key in content}
    except (TypeError, ValueError):
        raise FormatError(f"{where} must be an object, with lists of pairs as {' and '.join(PAIRS)}") from None
    return _from_dict(Figure, {**content, **pairs} if isinstance(content, Mapping) else content, where)


def table_from_dict(content: Any, where: str) -> Table:
    """Return the table in `content` (as from JSON). Raises FormatError naming `where` and the field at fault."""
    return _from_dict(Table, content, where)


def _from_dict(cls: type[_Record], content: Any, where: str) -> _Record:
    if not isinstance(content, Mapping):
        raise FormatError(f"{where} must be an object, not {type(content).__name__}")
    try:
        return build(cls, content)
    except ConfigError as error:
        raise FormatError(f"{where}: {error}") from None


def _finite(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
