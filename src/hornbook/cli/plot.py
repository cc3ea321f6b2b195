"""A curve as lines of text, for a terminal of any width."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

ROWS = 10
"""Lines of a picture, the axis aside."""
MARGIN = 9
"""Columns to the left of the curve: the highest and the lowest value."""


def plot(
    heights: Sequence[float], label: Callable[[float], str], ticks: Mapping[int, str], mark: int | None = None
) -> list[str]:
    """Return a picture that is `MARGIN` and one column for each height wide.

    Args:
        heights: the curve, one value for each column.
        label: writes a value into 7 characters.
        ticks: column → what stands below the axis there.
        mark: a column that gets a mark on the axis.
    """
    low, high, columns = min(heights), max(heights), len(heights)
    rows = [round((ROWS - 1) * (high - height) / ((high - low) or 1.0)) for height in heights]
    lines = []
    for row in range(ROWS):
        side = label(high - (high - low) * row / (ROWS - 1)) if row in (0, ROWS - 1) else ""
        lines.append((f"{side:>7} ┤" + "".join("•" if r == row else " " for r in rows)).rstrip())
    axis, below = ["─"] * columns, [" "] * columns
    for column, text in ticks.items():
        axis[column] = "┬"
        start = max(0, min(column, columns - len(text)))
        below[start : start + len(text)] = text
    if mark is not None:
        axis[mark] = "▲"
    return [*lines, " " * 8 + "└" + "".join(axis), (" " * MARGIN + "".join(below)).rstrip()]
