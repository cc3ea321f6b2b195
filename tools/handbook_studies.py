"""The pages of the book that studies fill, made from the records below docs/handbook/records/ (keep_record.py).

A page is a template of handbook_pages/studies/ with lines of their own:

    [[command]]  [[findings]]  [[table ID]]  [[figure ID]]  [[origin]]

The reading is the study's own, computed anew from the recorded runs. Figures are SVG, drawn by matplotlib.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from keep_record import RECORDS

from hornbook.errors import HornbookError
from hornbook.format import counted, number
from hornbook.report.drawing import save_figures
from hornbook.studies.catalogue import load_study
from hornbook.studies.charts import Figure, Table
from hornbook.studies.folder import StudyResults, read_study, run_path
from hornbook.studies.outcome import read_outcome
from hornbook.studies.study import Analysis, Options, Outcome, Plan, Results, check_scale
from hornbook.tracking.console import Console

BOOK = RECORDS.parent
TEMPLATES = Path(__file__).parent / "handbook_pages" / "studies"
MARK = re.compile(r"^\[\[(command|findings|origin|table|figure)(?: ([\w-]+))?\]\]$", re.MULTILINE)
Named = TypeVar("Named", Figure, Table)
COLUMNS = ("study", "scale", "arm", "seed", "ending", "step", "tokens", "train_loss", "val_loss", "val_bits_per_byte")


@dataclasses.dataclass(frozen=True)
class Record:
    """A study read from its record."""

    study: StudyResults
    plan: Plan
    outcomes: list[Outcome]
    analysis: Analysis


def read_record(folder: Path) -> Record:
    """Read a record and analyse it.

    Raises:
        HornbookError: it is not of the plan that the catalogue has now, or a run of it is missing.
    """
    found = read_study(folder)
    study, scale = load_study(found.name), check_scale(found.scale)
    options = Options(seeds=len(found.seeds))
    plan = study.plan(scale, options)
    arms = [{"name": arm.name, "overrides": dict(arm.overrides)} for arm in plan.arms]
    if found.arms != arms:
        raise HornbookError(f"{folder} is of another plan than `{found.command}` has now; run it again and keep that")
    outcomes = [
        read_outcome(run_path(folder, arm.name, seed), arm.name, seed) for seed in plan.seeds for arm in plan.arms
    ]
    results = Results(
        plan=plan, scale=scale, options=options, outcomes=outcomes, folder=folder, console=Console(silent=True),
        commit=str(found.environment.get("commit")),
    )  # fmt: skip
    return Record(found, plan, outcomes, study.analyse(results))


def pages(records: Path = RECORDS, book: Path = BOOK) -> dict[Path, str]:
    """Return the pages of all records, and results.csv, which has the runs of all."""
    found = [read_record(folder) for folder in sorted(records.glob("*/"))]
    filled = {book / f"{r.study.name}.md": _page(r) for r in found}
    return {**filled, book / "results.csv": _table_of_runs(found)}


def draw(records: Path = RECORDS, book: Path = BOOK) -> None:
    """Draw the figures that the pages show, each over its first horizontal axis."""
    for folder in sorted(records.glob("*/")):
        record = read_record(folder)
        wanted = [match[2] for match in MARK.finditer(_template(record)) if match[1] == "figure"]
        figures = [_named(record.analysis.figures, name) for name in wanted]
        save_figures(figures, book / "figures" / record.study.name, formats=("svg",))


def _template(record: Record) -> str:
    return (TEMPLATES / f"{record.study.name}.md").read_text("utf-8")


def _page(record: Record) -> str:
    parts: dict[str, Callable[[str], str]] = {
        "command": lambda _: f"```sh\n{record.study.command}\n```",
        "findings": lambda _: "\n".join(f"- {finding}" for finding in record.analysis.findings),
        "origin": lambda _: _origin(record),
        "table": lambda name: _markdown(_named(record.analysis.tables, name)),
        "figure": lambda name: _image(_named(record.analysis.figures, name), record.study.name),
    }
    return MARK.sub(lambda match: parts[match[1]](match[2]), _template(record))


def _named(parts: Sequence[Named], name: str) -> Named:
    found = {part.id: part for part in parts}
    if name not in found:
        raise HornbookError(f"there is no {name!r}; there are {', '.join(found)}")
    return found[name]


def _image(figure: Figure, study: str) -> str:
    return f"![{figure.title}](figures/{study}/{figure.id}.svg)\n\n{figure.caption}"


def _markdown(table: Table) -> str:
    """Return a table in Markdown, numbers to the right."""
    header = "| " + " | ".join(column.label for column in table.columns) + " |"
    rule = "| " + " | ".join("---:" if column.kind == "number" else "---" for column in table.columns) + " |"
    rows = ["| " + " | ".join(_shown(row.get(c.key)) for c in table.columns) + " |" for row in table.rows]
    return "\n".join([header, rule, *rows]) + (f"\n\n{table.note}" if table.note else "")


def _shown(value: Any) -> str:
    text = str(value.get("text", "–")) if isinstance(value, dict) else number(value)
    return text.replace("|", "\\|")


def _origin(record: Record) -> str:
    """Say which runs, where and when a page is from, and what its interval covers."""
    places = [json.loads((o.path / "environment.json").read_text("utf-8")) for o in record.outcomes]
    places = places or [dict(record.study.environment)]
    commits = sorted({str(place.get("commit", "?"))[:7] for place in places})
    machines = sorted({f"{place['cores']} cores of {place['processor']}" for place in places})
    versions = sorted({f"torch {place['packages']['torch']}" for place in places})
    where = f"{'; '.join(machines)}, {', '.join(versions)}, commit {', '.join(commits)}"
    kept = f"[records/{record.study.path.name}](records/{record.study.path.name})"
    if not record.outcomes:
        return f"{counted(len(record.plan.seeds), 'repetition')} on {where}. What was measured: {kept}."
    hours = sum(outcome.values.get("seconds", 0) for outcome in record.outcomes) / 3600
    tokens = max(outcome.values.get("tokens", 0) for outcome in record.outcomes)
    return (
        f"{counted(len(record.plan.arms), 'arm')} × {counted(len(record.plan.seeds), 'seed')}, at most {tokens:,} "
        f"tokens a run, {hours:.1f} hours of training on {where}. Intervals cover the weights drawn and the order of "
        f"the data, over seeds of one corpus and one tokenizer. The runs: {kept}."
    )


def _table_of_runs(records: Sequence[Record]) -> str:
    """Return results.csv: what every run ended at, without anything that depends on the machine's speed."""
    text = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in records:
        for outcome in record.outcomes:
            values = {key: outcome.values.get(key) for key in COLUMNS}
            own = {"study": record.study.name, "scale": record.study.scale, "arm": outcome.arm, "seed": outcome.seed}
            writer.writerow(values | own | {"ending": outcome.ending})
    return text.getvalue()
