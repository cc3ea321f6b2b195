"""Numbers, amounts, times and settings as words: one way each, for console, reports, accounts and studies.

Strings only; what is recorded keeps its full precision. Left out: tables, and numbers in words of another language.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z")


def quantity(value: float, unit: str = "", digits: int = 3) -> str:
    """Return an amount with so many significant digits and a prefix: `4.51 TFLOP`, `182 kB`; a bare count: `2.13 B`."""
    size, prefix = value, 0
    while abs(size) >= 1000 - 0.5 * 10.0 ** (3 - digits) and prefix < len(PREFIXES) - 1:
        size, prefix = size / 1000, prefix + 1
    # A bare 10⁹ is a billion in this field; with a unit it is giga.
    letter = PREFIXES[prefix] if unit or prefix != 3 else "B"
    return f"{size:.{digits}g} {letter}{unit}".rstrip()


def counted(count: int, noun: str) -> str:
    """Return a number of things: `1 run`, `1,200 runs`, `2 studies`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def duration(seconds: float) -> str:
    """Return a time span: `3.2 s`, `4 min 05 s`, `2 h 10 min`, from two days on `5,115.3 days`."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes < 48 * 60 else f"{seconds / 86_400:,.1f} days"


def number(value: Any) -> str:
    """Return a table's cell: a number with about five significant digits and thousands apart, None as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size != 0 and (size < 1e-3 or size >= 1e9):
        return f"{value:.3g}"
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.1f}"
    return f"{value:.4f}" if size < 10 else f"{value:.2f}"


def setting(value: Any) -> str:
    """Return a value of a recipe nearly as a recipe writes it: `true`, `0.003`, `[0.9, 0.95]`; None as a dash."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(setting(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {setting(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None else str(value)
