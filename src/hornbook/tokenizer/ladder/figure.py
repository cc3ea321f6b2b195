"""The ladder as a figure: seconds of counting and of merging per trainer, on a logarithmic axis, as plain SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hornbook.tokenizer.ladder.timing import Rung


_LEFT, _WIDTH, _ROW, _TOP = 110, 560, 46, 44
_COLOURS = {"count": "#4c78a8", "merge": "#f58518"}


def figure(rungs: Sequence[Rung], title: str = "") -> str:
    """Return an SVG with two bars per rung.

    Args:
        rungs: from `timing.run`.
        title: a line above the bars.
    """
    times = [max(seconds, 1e-4) for rung in rungs for seconds in (rung.count_seconds, rung.merge_seconds)]
    low = math.floor(math.log10(min(times, default=0.1)))
    high = max(low + 1, math.ceil(math.log10(max(times, default=1.0))))

    def place(seconds: float) -> float:
        return _LEFT + _WIDTH * (math.log10(max(seconds, 10.0**low)) - low) / (high - low)

    bottom = _TOP + _ROW * len(rungs)
    parts = [_text(_LEFT, 16, title, "start"), *_legend()]
    for power in range(low, high + 1):
        x = place(10.0**power)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{bottom}" stroke="#ccc"/>')
        parts.append(_text(x, bottom + 16, f"{10.0**power:g} s", "middle"))
    for number, rung in enumerate(rungs):
        y = _TOP + _ROW * number
        parts.append(_text(_LEFT - 8, y + 22, rung.name, "end"))
        for offset, (kind, seconds) in enumerate((("count", rung.count_seconds), ("merge", rung.merge_seconds))):
            end = place(seconds)
            parts.append(
                f'<rect x="{_LEFT}" y="{y + 3 + 18 * offset}" width="{max(1.0, end - _LEFT):.1f}" height="15" '
                f'fill="{_COLOURS[kind]}"/>'
            )
            parts.append(_text(end + 5, y + 15 + 18 * offset, f"{seconds:.3g} s", "start"))
    size = f'width="{_LEFT + _WIDTH + 80}" height="{bottom + 28}"'
    style = "<style>text{font:13px system-ui,sans-serif;fill:#222}</style>"
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{ground}{"".join(parts)}</svg>\n'


def _legend() -> list[str]:
    parts = []
    for number, (kind, meaning) in enumerate((("count", "counting pre-tokens"), ("merge", "merging"))):
        x = _LEFT + 170 * number
        parts.append(f'<rect x="{x}" y="24" width="11" height="11" fill="{_COLOURS[kind]}"/>')
        parts.append(_text(x + 16, 34, meaning, "start"))
    return parts


def _text(x: float, y: float, words: str, anchor: str) -> str:
    safe = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{safe}</text>'
