"""Numbers, amounts, times and settings as words: one way each, for console, reports, accounts and studies.

Strings only; what is recorded keeps its full precision. Left out: tables, and numbers in words of another language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

# Control characters (C0 but tab and line feed, DEL, C1), those that turn the direction of text, and half UTF-16 pairs.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str, keep: str = "") -> str:
    r"""Return foreign text with every character that commands instead of showing written out: `\x1b`, `\u202e`.

    Args:
        text: from a file, a server or a model.
        keep: a regular expression of sequences that are left as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    if keep:
        parts = re.split(f"({keep})", text)
        return "".join(part if place % 2 else visible(part) for place, part in enumerate(parts))
    return _UNSEEN.sub(lambda m: f"\\x{ord(m[0]):02x}" if m[0] < "\x80" else f"\\u{ord(m[0]):04x}", text)


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
