"""`hornbook runs`: every run below a folder: what changed from the one before, final loss, status."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hornbook.config import flatten
from hornbook.errors import HornbookError
from hornbook.format import setting

if TYPE_CHECKING:
    from hornbook.tracking.run import Run

# What differs between any two runs without saying anything.
NOT_SHOWN = ("run.", "data.text", "training.threads")


def main(
    folders: tuple[str, ...] = ("runs",), *, tag: tuple[str, ...] = (), csv_: bool = False, json_: bool = False
) -> int:
    """Runs: what changed from the one before, final loss, status.

    Args:
        folders: where to look (study folders too).
        tag: only runs with all of these tags.
        csv_: print CSV.
        json_: print JSON.

    Examples:
        hornbook runs --tag baseline
        hornbook runs studies --csv
    """
    from hornbook.tracking.run import find_runs

    def warn(sentence: str) -> None:
        print(f"hornbook: {sentence}", file=sys.stderr)

    rows = describe_runs([run for run in find_runs(folders, warn) if set(tag) <= set(run.tags)], warn)
    if json_:
        print(json.dumps(rows))
    elif csv_:
        writer: csv.DictWriter[str] = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif not rows:
        print(f"no runs in {', '.join(folders)}; `hornbook train --text FILE` makes one")
    else:
        _print_table(rows)
    return 0


COLUMNS = ("name", "status", "step", "val_loss", "bits_per_byte", "best_val_loss", "minutes", "tags", "note", "changed")


def describe_runs(runs: list[Run], warn: Callable[[str], None] = lambda sentence: None) -> list[dict[str, Any]]:
    """Return one row of plain values for each run, with the settings that differ from the run before it.

    `warn` takes a sentence about each run that is damaged, which has no row.
    """
    rows = []
    before: dict[str, Any] | None = None
    for run in runs:
        flat = flatten(run.config)
        try:
            summary, status = run.summary(), run.status
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
                "changed": "" if before is None else _changes(before, flat),
            }
        )
        before = flat
    return rows


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    keys = [k for k in sorted({*before, *after}) if before.get(k) != after.get(k) and not k.startswith(NOT_SHOWN)]
    return " ".join(f"{key}={'default' if after.get(key) is None else setting(after[key])}" for key in keys)


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("run", "status", "step", "val loss", "bits/byte", "best", "minutes", "tags", "changed", "note"):
        right = column in ("step", "val loss", "bits/byte", "best", "minutes")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        numbers = [_number(row[key], 4) for key in ("val_loss", "bits_per_byte", "best_val_loss")]
        table.add_row(
            row["name"], row["status"], f"{row['step'] or 0:,}", *numbers, _number(row["minutes"], 1), row["tags"],
            row["changed"], row["note"],
        )  # fmt: skip
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(table)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
