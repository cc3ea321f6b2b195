"""Draw docs/figures/batch_path.svg from the table in docs/architecture.md (`--check` compares)."""

from __future__ import annotations

import re
import sys
from html import escape
from itertools import groupby
from pathlib import Path

from generated import update

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, FIGURE = DOCS / "architecture.md", DOCS / "figures" / "batch_path.svg"
COLORS = {"data": "#2a6f97", "step": "#8a5a00", "model": "#6a3d9a", "update": "#2d6a4f", "record": "#9b2226"}
WIDTH, ROW, GAP, TOP, LEFT = 1000, 50, 10, 16, 96


def main() -> int:
    """Write the figure; return 1 if `--check` finds that it is out of date."""
    return update({FIGURE: draw(rows(PAGE.read_text(encoding="utf-8")))})


def rows(page: str) -> list[tuple[str, str, str, str]]:
    """Return part, step, where and what comes out, of each line of the page's first table."""
    found = re.findall(r"^\| (\w+) \| ([^|]+) \| `([^`]+)` \| ([^|]+) \|$", page, re.MULTILINE)
    return [(part, step, where, what.replace("`", "")) for part, step, where, what in found if part in COLORS]


def draw(table: list[tuple[str, str, str, str]]) -> str:
    """Return the figure: a box for each row, one below the other, bands for the parts, the way back of the gradient."""
    height = 2 * TOP + len(table) * (ROW + GAP) - GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        "<title>The path of one batch</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#555555"/></marker></defs>',
    ]
    tops = [TOP + i * (ROW + GAP) for i in range(len(table))]
    for part, members in groupby(zip(table, tops, strict=True), key=lambda pair: pair[0][0]):
        places = [top for _, top in members]
        middle = (places[0] + places[-1] + ROW) / 2
        length = places[-1] + ROW - places[0]
        out.append(f'<rect x="14" y="{places[0]}" width="8" height="{length}" rx="4" fill="{COLORS[part]}"/>')
        out.append(f'<text x="30" y="{middle + 5}" font-size="15" fill="{COLORS[part]}">{part}</text>')
    for number, ((part, step, where, what), top) in enumerate(zip(table, tops, strict=True), 1):
        box = f'x="{LEFT}" y="{top}" width="{WIDTH - LEFT - 60}" height="{ROW}" rx="6"'
        out.append(f'<rect {box} fill="{COLORS[part]}" fill-opacity="0.07" stroke="{COLORS[part]}"/>')
        out.append(
            f'<text x="{LEFT + 12}" y="{top + 20}" font-size="15" font-weight="bold">{number}  {escape(step)}</text>'
        )
        place = f'x="{LEFT + 250}" y="{top + 20}" font-size="14" font-family="monospace" fill="{COLORS[part]}"'
        out.append(f"<text {place}>{escape(where)}</text>")
        out.append(f'<text x="{LEFT + 12}" y="{top + 40}" font-size="13" fill="#333333">{escape(what)}</text>')
        if number < len(table):
            x, y = LEFT + 30, top + ROW
            out.append(f'<path d="M{x} {y}v{GAP}" stroke="#555555" stroke-width="1.5" marker-end="url(#tip)"/>')
    steps = [step for _, step, _, _ in table]
    start, end = tops[steps.index("head and loss")] + ROW / 2, tops[steps.index("forward, backward")] + ROW / 2
    right = WIDTH - 60
    back = f"M{right} {start}h26V{end}h-24"
    out.append(f'<path d="{back}" fill="none" stroke="#555555" stroke-width="1.5" marker-end="url(#tip)"/>')
    label = f'transform="translate({right + 42} {(start + end) / 2}) rotate(-90)" font-size="13" text-anchor="middle"'
    out.append(f'<text {label} fill="#555555">gradients</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
