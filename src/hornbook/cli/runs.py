"""`hornbook runs`: every run below a folder: what changed from the one before, or from the best, final loss, status."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbook.cli.common import check_folders
from hornbook.config import flatten
from hornbook.errors import HornbookError
from hornbook.tracking.changes import changed_settings

if TYPE_CHECKING:
    from hornbook.tracking.run import Run

SortKey = Literal["name", "status", "step", "val_loss", "bits_per_byte", "best_val_loss", "minutes"]


def main(
    folders: tuple[str, ...] = ("runs",),
    *,
    tag: tuple[str, ...] = (),
    sort: SortKey | None = None,
    best: bool = False,
    markdown: bool = False,
    csv_: bool = False,
    json_: bool = False,
) -> int:
    """Runs: what changed from the one before, final loss, status.

    Args:
        folders: where to look (study folders too).
        tag: only runs with all of these tags.
        sort: a column, its lowest first; what changed is then said against the first run, not the one made before.
        best: only the first of them, by best_val_loss if there is no --sort (bits_per_byte compares tokenizers too).
        markdown: print a Markdown table.
        csv_: print CSV.
        json_: print JSON.

    Examples:
        hornbook runs --tag baseline
        hornbook runs --sort val_loss --markdown
        hornbook runs studies --csv
    """
    check_folders(folders, ("runs",))
    from hornbook.tracking.run import find_runs, validation_note

    def warn(sentence: str) -> None:
        print(f"hornbook: {sentence}", file=sys.stderr)

    runs = [run for run in find_runs(folders, warn) if set(tag) <= set(run.tags)]
    key: SortKey | None = sort or ("best_val_loss" if best else None)
    rows = describe_runs(runs, warn, key)
    if note := validation_note({row["name"]: row["validation"] for row in rows if row["val_loss"] is not None}):
        warn(note)
    if best and key:
        rows = [row for row in rows[:1] if not _place(row[key])[0]]
    if json_:
        print(json.dumps(rows))
    elif csv_:
        writer: csv.DictWriter[str] = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif not rows:
        with_it = f" with a {key}" if best else ""
        print(f"no runs{with_it} in {', '.join(folders)}; `hornbook train --text FILE` makes one")
    elif markdown:
        _print_markdown(rows)
    else:
        _print_table(rows)
    return 0


COLUMNS = (
    "name", "status", "step", "val_loss", "bits_per_byte", "best_val_loss", "minutes", "tags", "note", "validation",
    "changed",
)  # fmt: skip


def describe_runs(
    runs: list[Run], warn: Callable[[str], None] = lambda sentence: None, sort: SortKey | None = None
) -> list[dict[str, Any]]:
    """Return one row of plain values for each run, with the settings that differ from the run before it.

    Args:
        runs: in the order in which they were made.
        warn: takes a sentence about each run that is damaged, which has no row.
        sort: the column by which they are ordered, those without a value last; settings are then compared with the
            first row's.
    """
    rows: list[dict[str, Any]] = []
    configs: list[dict[str, Any]] = []
    for run in runs:
        try:
            summary, status, validation = run.summary(), run.status, run.validation_digest
        except (HornbookError, OSError) as error:
            warn(f"passing over {run.path}: {error}")
            continue
        rows.append(
            {
                "name": str(run.path),
                "status": status,
                "step": summary.get("step"),
                "val_loss": summary.get("val_loss"),
                "bits_per_byte": summary.get("val_bits_per_byte"),
                "best_val_loss": summary.get("best_val_loss"),
                "minutes": round(summary["seconds"] / 60, 2) if "seconds" in summary else None,
                "tags": " ".join(run.tags),
                "note": run.note,
                "validation": validation and validation[:12],
            }
        )
        configs.append(flatten(run.config))
    order = list(range(len(rows)))
    if sort is not None:
        order.sort(key=lambda number: _place(rows[number][sort]))
    for place, number in enumerate(order):
        other = configs[order[0] if sort else order[max(0, place - 1)]]
        rows[number]["changed"] = changed_settings(other, configs[number])
    return [rows[number] for number in order]


def _place(value: Any) -> tuple[bool, Any]:
    absent = value is None or (isinstance(value, float) and math.isnan(value))
    return absent, 0 if absent else value


HEADS = ("run", "status", "step", "val loss", "bits/byte", "best", "minutes", "tags", "changed", "note")
NUMBERS = ("step", "val loss", "bits/byte", "best", "minutes")


def _cells(row: Mapping[str, Any]) -> list[str]:
    """Return what stands under HEADS."""
    numbers = [_number(row[key], 4) for key in ("val_loss", "bits_per_byte", "best_val_loss")]
    first = [row["name"], row["status"], f"{row['step'] or 0:,}", *numbers, _number(row["minutes"], 1)]
    return [*first, row["tags"], row["changed"], row["note"]]


def _print_markdown(rows: list[dict[str, Any]]) -> None:
    rule = ["---:" if head in NUMBERS else "---" for head in HEADS]
    for cells in (HEADS, rule, *map(_cells, rows)):
        print("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |")


NARROW = 100
"""Columns below which a run has lines of its own instead of a row of a table."""


def shared_folder(rows: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """Return the folder that all runs are in ("": the current one, or they share none), and their names in it."""
    names = [row["name"] for row in rows]
    if len({Path(name).is_absolute() for name in names}) > 1:  # relative and absolute ones share none
        return "", names
    folder = os.path.commonpath([str(Path(name).parent) for name in names])
    return (folder if folder != "." else ""), [os.path.relpath(name, folder) if folder else name for name in names]


def short_lines(rows: list[dict[str, Any]], width: int) -> list[str]:
    """Return runs for a narrow terminal: name and figures, and what else there is below, wrapped at words."""
    folder, names = shared_folder(rows)
    lines = [f"in {folder}:"] if folder else []
    for name, row in zip(names, rows, strict=True):
        figures = [f"{row['step'] or 0:,} steps"]
        figures += [f"{label} {row[key]:.4f}" for key, label in SHORT.items() if row[key] is not None]
        figures += [f"{row['minutes']:.1f} min"] if row["minutes"] is not None else []
        whole = " · ".join(words.replace(" ", "\xa0") for words in figures)  # a figure stays with its name
        wrapped = textwrap.wrap(f"{name}  {row['status']}  {whole}", width, subsequent_indent="    ")
        lines += [line.replace("\xa0", " ") for line in wrapped]
        for key in ("changed", "tags", "note"):
            words = f"{key}: {row[key]}" if row[key] else ""
            lines += textwrap.wrap(words, width, initial_indent="    ", subsequent_indent="      ",
                                   break_on_hyphens=False)  # fmt: skip
    return lines


SHORT = {"val_loss": "val", "best_val_loss": "best", "bits_per_byte": "bits/byte"}


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    width = shutil.get_terminal_size().columns
    if sys.stdout.isatty() and width < NARROW:
        print("\n".join(short_lines(rows, width)))
        return
    folder, names = shared_folder(rows)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in HEADS:
        table.add_column(head, justify="right" if head in NUMBERS else "left", overflow="fold")
    for name, row in zip(names, rows, strict=True):
        table.add_row(name, *_cells(row)[1:])
    if folder:
        print(f"in {folder}:")
    console = Console(markup=False, emoji=False)  # a path in brackets is no style
    if not console.is_terminal:
        console.width = 200
    console.print(table)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
