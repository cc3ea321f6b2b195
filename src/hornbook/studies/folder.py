"""The study folder on disk (docs/formats/study.md): `study.toml`, `runs/ARM/seed-K/`, `results.json`, `results.csv`.

Written atomically, read strictly: a report or `hornbook study show` needs nothing but these files.
Left out: anything about how the runs are made (`studies/runner.py`).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.config import dump_toml, read
from hornbook.errors import DataError, FormatError
from hornbook.fileio import atomic_write, canonical_json, read_json_object
from hornbook.format import counted
from hornbook.locks import hold
from hornbook.studies.charts import Figure, Table, figure_from_dict, record_to_dict, table_from_dict
from hornbook.studies.study import Analysis, Outcome, Plan, Study
from hornbook.tracking.run import CONFIG_FILE

VERSION = 1
STUDY_FILE, RESULTS_FILE, TABLE_FILE = "study.toml", "results.json", "results.csv"
CSV_COLUMNS = (
    "arm", "seed", "status", "diverged", "step", "tokens", "seconds", "train_loss", "val_loss", "best_val_loss",
    "val_bits_per_byte", "val_perplexity", "tokens_per_second", "run",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyResults:
    """A study folder as a reader needs it."""

    path: Path
    name: str
    scale: str
    question: str
    design: str
    command: str
    arms: list[dict[str, Any]]
    seeds: list[int]
    findings: list[str]
    figures: list[Figure]
    tables: list[Table]
    environment: Mapping[str, Any]
    """Where the results were written: versions, processor, commit."""
    finished: bool
    """Whether results of all runs have been written; without any only the plan is known."""
    missing: list[str]
    """Runs that the results lack, as the time was up."""

    @property
    def unfinished(self) -> str:
        """What is missing and the command that goes on, in a sentence; "" where nothing is."""
        if self.finished:
            return ""
        done = f"{counted(len(self.runs()), 'run')} so far"
        if self.missing:
            names = "; ".join(self.missing[:3]) + (" …" if len(self.missing) > 3 else "")
            done = f"{len(self.missing)} of {counted(len(self.arms) * len(self.seeds), 'run')} missing ({names})"
        return f"Not finished: {done}; go on with: {self.command}"

    def runs(self) -> list[Path]:
        """Return the folders of the runs that exist, arm by arm, seeds ascending."""
        paths = [run_path(self.path, arm["name"], seed) for arm in self.arms for seed in self.seeds]
        return [path for path in paths if (path / CONFIG_FILE).is_file()]


def is_study(path: Path) -> bool:
    """Return whether `path` is a study folder."""
    return (path / STUDY_FILE).is_file()


def study_path(out: Path, name: str, scale: str) -> Path:
    """Return the folder of a study at a scale."""
    return out / f"{name.replace('_', '-')}-{scale}"


def run_path(folder: Path, arm: str, seed: int) -> Path:
    """Return the run folder of one arm and seed."""
    return folder / "runs" / arm / f"seed-{seed}"


def remove_run(path: Path) -> None:
    """Remove a run folder, if there is one. Raises HornbookError where a process trains in it, OSError."""
    if path.exists():
        with hold(path, "training"):
            shutil.rmtree(path)


def write_study(folder: Path, study: Study, plan: Plan, *, scale: str, command: str) -> None:
    """Write `study.toml`: the question, the design and the arms. Raises OSError."""
    arms = [
        {"name": arm.name, "group": arm.group, "overrides": dict(arm.overrides)}
        | ({} if arm.x is None else {"x": arm.x})
        for arm in plan.arms
    ]
    content: dict[str, Any] = {
        "version": VERSION,
        "name": study.name,
        "scale": scale,
        "question": study.question,
        "design": study.design,
        "command": command,
        "metric": plan.metric,
        "baseline": plan.baseline or "",
        "seeds": list(plan.seeds),
        "base": dict(plan.base),
        "arms": arms,
    }
    atomic_write(folder / STUDY_FILE, dump_toml(content))


def write_results(
    folder: Path,
    analysis: Analysis,
    outcomes: Sequence[Outcome],
    environment: Mapping[str, Any],
    missing: Sequence[str] = (),
) -> None:
    """Write `results.json` (what the report shows, and which runs are missing) and `results.csv` (one row per run).

    Raises OSError.
    """
    content = {
        "version": VERSION,
        "environment": dict(environment),
        "missing": list(missing),
        "findings": list(analysis.findings),
        "figures": [record_to_dict(figure) for figure in analysis.figures],
        "tables": [record_to_dict(table) for table in analysis.tables],
    }
    rows = [_csv_row(folder, outcome) for outcome in outcomes] or list(analysis.rows)
    columns = CSV_COLUMNS if outcomes else tuple(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    atomic_write(folder / TABLE_FILE, text.getvalue())
    atomic_write(folder / RESULTS_FILE, canonical_json(content))


def _csv_row(folder: Path, outcome: Outcome) -> dict[str, Any]:
    known = {key: outcome.values.get(key) for key in CSV_COLUMNS}
    run = outcome.path.relative_to(folder) if outcome.path.is_relative_to(folder) else outcome.path
    own = {"arm": outcome.arm, "seed": outcome.seed, "status": outcome.status, "diverged": outcome.diverged, "run": run}
    return known | own


def read_study(folder: Path) -> StudyResults:
    """Read a study folder, finished or not.

    Raises:
        DataError: it is not a study folder.
        FormatError: a file of it is damaged or of a later version.
    """
    if not is_study(folder):
        raise DataError(f"{folder} is not a study folder: it has no {STUDY_FILE}; `hornbook study run NAME` makes one")
    plan = read(folder / STUDY_FILE)
    results = _results(folder / RESULTS_FILE)
    _check_version(plan, folder / STUDY_FILE)
    try:
        arms = [{"name": str(arm["name"]), "overrides": dict(arm.get("overrides", {}))} for arm in plan["arms"]]
        texts = {key: str(plan[key]) for key in ("name", "scale", "question", "design", "command")}
        seeds = [int(seed) for seed in plan["seeds"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise FormatError(
            f"{folder / STUDY_FILE} is damaged: it lacks or garbles name, scale, question, design, command, "
            "seeds or arms"
        ) from None
    # An arm's name is a folder's name: one with a path in it would lead out of the study.
    for arm in arms:
        if Path(arm["name"]).name != arm["name"]:
            raise FormatError(f"{folder / STUDY_FILE}: {arm['name']!r} cannot be the name of an arm")
    where = str(folder / RESULTS_FILE)
    return StudyResults(
        path=folder,
        **texts,
        arms=arms,
        seeds=seeds,
        findings=[str(finding) for finding in results.get("findings", [])],
        figures=[figure_from_dict(f, f"{where}: figures[{i}]") for i, f in enumerate(results.get("figures", []))],
        tables=[table_from_dict(t, f"{where}: tables[{i}]") for i, t in enumerate(results.get("tables", []))],
        environment=results.get("environment", {}),
        finished=bool(results) and not results.get("missing"),
        missing=[str(name) for name in results.get("missing", [])],
    )


def _results(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    content = {"missing": [], **read_json_object(path)}  # which earlier versions did not write
    wanted = {"missing": list, "findings": list, "figures": list, "tables": list, "environment": dict}
    if not all(isinstance(content.get(key, {} if kind is dict else None), kind) for key, kind in wanted.items()):
        raise FormatError(f"{path} must be an object with the lists findings, figures and tables, and an environment")
    _check_version(content, path)
    return content


def _check_version(content: Mapping[str, Any], path: Path) -> None:
    if content.get("version") != VERSION:
        raise FormatError(f"{path} is of version {content.get('version')!r}; this hornbook reads version {VERSION}")
