"""Figures and tables as plain records: what a study writes to `results.json` and what a report draws.

A record holds numbers and words only, never markup or code, so that one record becomes an interactive chart, an SVG
file or lines on a terminal. Reading checks every field, because a results file may come from anywhere.
Left out: styling (the report's) and statistics (`studies/statistics.py`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hornbook.errors import FormatError
from hornbook.format import number

Number = float | int | None
PAIRS = ("x_axes", "lines")
"""Fields of a figure that are mappings whose order matters."""


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
    """`line`, `dash`, `points` (dots alone) or `both` (line with dots)."""
    color: int | None = None
    """Index of the colour; series that belong together share one. None: the series' place in the figure."""


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
    """A mean with the half-width of its 95 % interval (None: fewer than two values)."""

    mean: float
    half_width: float | None

    def cell(self) -> dict[str, Any]:
        """Return the table cell that shows `mean ± half-width` and sorts by the mean."""
        if self.half_width is None:
            return {"value": self.mean, "text": number(self.mean)}
        return {"value": self.mean, "text": f"{self.mean:.4f} ± {self.half_width:.4f}"}


def to_dict(record: Figure | Table) -> dict[str, Any]:
    """Return a record as JSON-ready values; NaN and infinities become None."""
    content = _finite(dataclasses.asdict(record))
    for key in PAIRS:
        # Lists, because the order matters and JSON objects are stored with sorted keys.
        if key in content:
            content[key] = [list(pair) for pair in content[key].items()]
    return content


def figure_from_dict(content: Any, where: str) -> Figure:
    """Return the figure in `content` (as from JSON). Raises FormatError naming `where` and the field at fault."""
    fields = _checked(content, Figure, where)
    fields["series"] = [
        _series_from_dict(s, f"{where}.series[{i}]") for i, s in enumerate(_list(fields, "series", where))
    ]
    for key in PAIRS:
        pairs = fields.get(key, [])
        if not isinstance(pairs, list) or not all(isinstance(p, list) and len(p) == 2 for p in pairs):
            raise FormatError(f"{where}.{key} must be a list of pairs")
        fields[key] = {str(name): value for name, value in pairs}
    if not fields["x_axes"]:
        raise FormatError(f"{where}.x_axes must name at least one axis")
    for series in fields["series"]:
        missing = [axis for axis in fields["x_axes"] if len(series.x.get(axis, ())) != len(series.y)]
        if missing:
            raise FormatError(
                f"{where}: series {series.name!r} needs as many x values on axis {missing[0]!r} as y values"
            )
    return Figure(**fields)


def table_from_dict(content: Any, where: str) -> Table:
    """Return the table in `content` (as from JSON). Raises FormatError naming `where` and the field at fault."""
    fields = _checked(content, Table, where)
    columns = _list(fields, "columns", where)
    fields["columns"] = [Column(**_checked(c, Column, f"{where}.columns[{i}]")) for i, c in enumerate(columns)]
    if not all(isinstance(row, Mapping) for row in _list(fields, "rows", where)):
        raise FormatError(f"{where}.rows must be a list of objects")
    return Table(**fields)


def _series_from_dict(content: Any, where: str) -> Series:
    fields = _checked(content, Series, where)
    lists = {"y": fields["y"], "low": fields.get("low"), "high": fields.get("high")}
    if not isinstance(fields["x"], Mapping):
        raise FormatError(f"{where}.x must be an object of lists")
    lists |= {f"x.{key}": values for key, values in fields["x"].items()}
    for key, values in lists.items():
        if values is None and key in ("low", "high"):
            continue
        if not isinstance(values, list) or not all(v is None or isinstance(v, (int, float)) for v in values):
            raise FormatError(f"{where}.{key} must be a list of numbers or null")
        if len(values) != len(fields["y"]):
            raise FormatError(f"{where}.{key} has {len(values)} values, y has {len(fields['y'])}")
    return Series(**fields)


def _list(fields: Mapping[str, Any], key: str, where: str) -> list[Any]:
    if not isinstance(fields[key], list):
        raise FormatError(f"{where}.{key} must be a list, not {type(fields[key]).__name__}")
    return fields[key]


_PLAIN = {"str": str, "bool": bool}


def _checked(content: Any, cls: type, where: str) -> dict[str, Any]:
    """Return `content` as keyword arguments of `cls`, or say which field is missing, unknown or of the wrong type."""
    if not isinstance(content, Mapping):
        raise FormatError(f"{where} must be an object, not {type(content).__name__}")
    known = {field.name: field for field in dataclasses.fields(cls)}
    for key in content:
        if key not in known:
            raise FormatError(f"{where} has the unknown field {key!r}; known: {', '.join(known)}")
    for name, field in known.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in content:
            raise FormatError(f"{where} lacks the field {name!r}")
        wanted = _PLAIN.get(str(field.type))
        if wanted and name in content and not isinstance(content[name], wanted):
            raise FormatError(f"{where}.{name} must be {wanted.__name__}, not {type(content[name]).__name__}")
    return dict(content)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
