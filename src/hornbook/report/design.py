"""The design of all pages as Python sees it: the stylesheet `page/base.css`, and its colours by name.

The stylesheet is the one place of colours and type: pages inline it; exported figures and tests of contrast read its
colours here. Left out: fonts as files; every machine has some of those that are named.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Literal

PAGE = Path(__file__).parent / "page"
SERIES = 10
"""Colours of curves; an eleventh curve begins again."""
_PAIR = re.compile(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);")


@functools.cache
def asset(name: str) -> str:
    """Return a file of the pages, such as `base.css`."""
    return (PAGE / name).read_text(encoding="utf-8")


def colors(mode: Literal["light", "dark"]) -> dict[str, str]:
    """Return the opaque colours of a mode by name, `#rrggbb`: `paper`, `ink`, `accent`, `series-0` …"""
    return {name: light if mode == "light" else dark for name, light, dark in _PAIR.findall(asset("base.css"))}


def series_variable(place: int) -> str:
    """Return the CSS value of a curve's colour, right in either mode."""
    return f"var(--series-{place % SERIES})"
