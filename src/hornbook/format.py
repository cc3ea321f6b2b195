"""Numbers, amounts, times and settings as words: one way each, for console, reports, accounts and studies.

Strings only; what is recorded keeps its full precision. Left out: tables, and numbers in words of another language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context
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


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z")


def quantity(value: float, unit: str = "", digits: int = 3) -> str:
    """Return an amount with so many significant digits and a prefix: `4.51 TFLOP`, `182 kB`; a bare count: `2.13 B`."""
    size, prefix = value, 0
    while abs(size) >= 1000 - 0.5 * 10.0 ** (3 - digits) and prefix < len(PREFIXES) - 1:
        size, prefix = size / 1000, prefix + 1
    # A bare 10⁹ is a billion in this field; with a unit it is giga.
    letter = PREFIXES[prefix] if unit or prefix != 3 else "B"
    return f"{size:.{digits}g} {letter}{unit}".rstrip()


def short(value: float | None, digits: int = 5) -> str:
    """Return a number on an axis, in few words: `0.5`, `9000`, `12 k`, `1.2 B`, `3×10⁻⁵`, `10²³`; what is none, a dash.

    report/page/axes.js has the same for charts; ties go away from zero there, so here too.
    """
    if value is None or not math.isfinite(value):
        return "–"
    rounded = float(Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(value))
    size = abs(rounded)
    if size >= 1e15 or 0 < size < 1e-3:
        mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
        raised, front = str(int(exponent)).translate(_RAISED), f"{float(mantissa):.10g}"
        return f"{front[:-1]}10{raised}" if front.lstrip("-") == "1" else f"{front}×10{raised}"
    for unit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= max(unit, 1e4):
            return f"{rounded / unit:.10g} {letter}"
    return f"{rounded:.10g}"


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
