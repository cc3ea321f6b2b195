"""`hornbook study list | run NAME | show NAME_OR_FOLDER | search RECIPE`: designed experiments."""

from __future__ import annotations

import json
import math
import shlex
import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

from hornbook.cli.arguments import Overrides, Words
from hornbook.cli.runs import NARROW
from hornbook.errors import ConfigError, DataError
from hornbook.format import counted, number


def list_studies(*, json_: bool = False) -> int:
    """Print the catalogue: every study with its question and cost.

    Args:
        json_: print it as JSON.

    Examples:
        hornbook study list --json
    """
    from hornbook.studies import catalogue

    studies = [catalogue.load_study(name) for name in catalogue.NAMES]
    if json_:
        plain = [{"name": s.name, "question": s.question, "design": s.design, "cost": dict(s.cost)} for s in studies]
        print(json.dumps(plain, indent=2, ensure_ascii=False))
        return 0
    width = shutil.get_terminal_size().columns
    if sys.stdout.isatty() and width < NARROW:
        for study in studies:
            cost = "; ".join(f"{scale}: {study.cost[scale]}" for scale in ("tiny", "cpu", "gpu"))
            print(study.name)
            for words in (study.question, cost):
                print(textwrap.fill(words, width, initial_indent="    ", subsequent_indent="    "))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("study", "question", "tiny", "cpu", "gpu", box=None, pad_edge=False)
    for study in studies:
        table.add_row(study.name, study.question, *(study.cost[scale] for scale in ("tiny", "cpu", "gpu")))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 0


def run(
    name: str,
    *,
    scale: str = "tiny",
    seeds: int | None = None,
    jobs: int = 1,
    out: Path = Path("studies"),
    text: Path | None = None,
    web_text: Path | None = None,
    accept_older: bool = False,
    replace: bool = False,
    figures: bool = False,
    minutes: float | None = None,
    dry_run: bool = False,
    overrides: Overrides,
    words: Words,
) -> int:
    """Run what is missing of a study, then write its results and its page. Killed half-way, the same command goes on.

    Args:
        name: a study of `hornbook study list`, or "ablations": norm, position and feed_forward, with one page.
        scale: tiny (does it work), cpu (the published scale for a laptop) or gpu.
        seeds: seeds per arm; by default the scale's own number.
        jobs: runs at a time, each in a process of its own.
        out: the folder of all studies.
        text: a text file to train on instead of storyworld.
        web_text: web text for the studies that compare two corpora.
        accept_older: runs made by another commit of hornbook count as done.
        replace: runs made by another commit or another recipe are removed and made anew.
        figures: also write the three main figures as SVG and PNG (needs matplotlib).
        minutes: train every run for as many steps as let all of them take so long here; a tenth later it stops.
        dry_run: say which runs there would be and how long they would take on this machine; nothing is written.
        overrides: keys of the recipe that all arms share, such as `--model.d-model 64`.
        words: the command, which the study's folder keeps.

    Examples:
        hornbook study run learning_rate --scale cpu
        hornbook study run norm --scale cpu --dry-run
        hornbook study run norm --scale cpu --minutes 30
    """
    from hornbook.report.render import write_report
    from hornbook.studies import catalogue
    from hornbook.studies.folder import read_study
    from hornbook.studies.runner import run_study
    from hornbook.studies.study import Options, check_scale

    started, deadline = time.time(), math.inf
    studies, size = catalogue.members(name), check_scale(scale)
    for flag, value in (("--seeds", seeds), ("--jobs", jobs)):
        if value is not None and value < 1:
            raise ConfigError(f"{flag} {value} must be at least 1")
    for path in (text, web_text):
        if path is not None and not path.is_file():
            raise DataError(f"{path} is not a file; give a UTF-8 text file")
    options = Options(seeds=seeds, text=text, web_text=web_text, overrides=overrides)
    if minutes is not None:
        from hornbook.studies.time_budget import GRACE, fit_into

        options, sentence = fit_into(studies, size, options, out, minutes, keep=not dry_run)
        deadline = started + 60 * minutes * (1 + GRACE)
        print(sentence)
    if dry_run:
        from hornbook.studies.forecast import forecast

        print("\n\n".join("\n".join(forecast(study, size, options, out)) for study in studies))
        return 0
    command = shlex.join(["hornbook", "study", "run", *words])
    folders = []
    for study in studies:
        folder = run_study(
            study, size, options, out=out, jobs=jobs, accept_older=accept_older, replace=replace, command=command,
            deadline=deadline,
        )  # fmt: skip
        page = write_report([folder], folder / "report.html", figures=folder / "figures" if figures else None)
        print_study(folder)
        print(f"\nresults in {folder}, page {page}")
        folders.append(folder)
        if not read_study(folder).finished:
            return 1  # as `print_study` says
    if len(folders) > 1:
        print(f"all of them on one page: {write_report(folders, out / f'{name}-{size}.html')}")
    return 0


def show(name: str, *, scale: str = "tiny", out: Path = Path("studies"), json_: bool = False) -> int:
    """Print a study's findings and tables.

    Args:
        name: a study folder, or the name of a study.
        scale: which scale of the named study.
        out: the folder of all studies.
        json_: print the results as JSON.

    Examples:
        hornbook study show learning_rate --scale cpu
    """
    folder = Path(name)
    if not folder.is_dir():
        from hornbook.studies import catalogue
        from hornbook.studies.folder import study_path
        from hornbook.studies.study import check_scale

        folder = study_path(out, catalogue.load_study(name).name, check_scale(scale))
    if json_:
        from hornbook.studies.charts import record_to_dict
        from hornbook.studies.folder import read_study

        study = read_study(folder)
        plain = {
            "name": study.name,
            "scale": study.scale,
            "findings": study.findings,
            "tables": [record_to_dict(table) for table in study.tables],
            "figures": [record_to_dict(figure) for figure in study.figures],
        }
        print(json.dumps(plain, indent=2, ensure_ascii=False, sort_keys=True))
        return 0
    print_study(folder)
    return 0


def print_study(folder: Path) -> None:
    """Print question, findings and tables of a study folder."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hornbook.studies.folder import read_study

    study = read_study(folder)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(Text(f"\n{study.name} · scale {study.scale} · {counted(len(study.seeds), 'seed')}", style="bold"))
    console.print(Text(study.question))
    if study.unfinished:
        console.print(Text(study.unfinished))
    for finding in study.findings:
        console.print(Text(f"  · {finding}"))
    for table in study.tables:
        shown = Table(title=Text(table.title), title_justify="left", box=None, pad_edge=False)
        for column in table.columns:
            shown.add_column(Text(column.label), justify="left" if column.kind == "text" else "right")
        for row in table.rows:
            shown.add_row(*(Text(cell_text(row.get(column.key))) for column in table.columns))
        console.print()
        console.print(shown)


def cell_text(value: Any) -> str:
    """Return the text of a table cell, which is a number or {"value", "text"}; a dash for nothing."""
    return str(value.get("text", "–")) if isinstance(value, dict) else number(value)


def search(
    recipe: Path, *, trials: int = 20, seeds: int = 1, out: Path = Path("studies/search"), overrides: Overrides
) -> int:
    """Search a recipe's settings with optuna (an extra), every trial a run in a folder.

    Args:
        recipe: the recipe that every trial starts from.
        trials: trials in all; a search that was cut short goes on.
        seeds: seeds per trial; their mean final validation loss is what is minimised.
        out: the search's folder.
        overrides: ranges and choices to search, and fixed values.

    Examples:
        hornbook study search r.toml --optimizer.lr 1e-4:1e-2:log
        hornbook study search r.toml --model.num-layers 2:8 --model.norm "pre|post"
    """
    from hornbook import config
    from hornbook.studies.search import parse_space, search_settings

    space, fixed = parse_space(overrides)
    if not space:
        raise ConfigError("there is nothing to search: give at least one range, such as --optimizer.lr 1e-4:1e-2:log")
    base = config.merge(config.read(recipe), fixed)
    best, value, folder = search_settings(base, space, out, trials=trials, seeds=seeds)
    print(f"best of {folder}: validation loss {value:.4f} with " + ", ".join(f"{k} = {v}" for k, v in best.items()))
    return 0
