"""`hornbook study list | run NAME | show NAME_OR_FOLDER | search RECIPE`: designed experiments."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import tyro

from hornbook.cli.common import parse, parse_known
from hornbook.errors import ConfigError, DataError, did_you_mean

USAGE = "usage: hornbook study list | run NAME | show NAME | search RECIPE     (each takes --help)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunArguments:
    """Run what is missing of a study, then write its results and its page. Killed half-way, the same command goes on.

    Further words such as `--model.d-model 64` change the recipe that all arms share.
    """

    name: Annotated[str, tyro.conf.Positional]
    """A study of `hornbook study list`."""
    scale: str = "tiny"
    """tiny (does it work), cpu (the published scale for a laptop) or gpu."""
    seeds: int | None = None
    """Seeds per arm; by default the scale's own number."""
    jobs: int = 1
    """Runs at a time, each in a process of its own."""
    out: Path = Path("studies")
    """The folder of all studies."""
    text: Path | None = None
    """A text file to train on instead of storyworld."""
    web_text: Path | None = None
    """Web text for the studies that compare two corpora."""
    accept_older: bool = False
    """Runs made by another commit of hornbook count as done."""
    figures: bool = False
    """Also write every figure as SVG and PNG (needs matplotlib)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShowArguments:
    """Print a study's findings and tables."""

    name: Annotated[str, tyro.conf.Positional]
    """A study folder, or the name of a study."""
    scale: str = "tiny"
    """Which scale of the named study."""
    out: Path = Path("studies")
    """The folder of all studies."""
    json: bool = False
    """Print the results as JSON."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ListArguments:
    """Print the catalogue: every study with its question and cost."""

    json: bool = False
    """Print it as JSON."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchArguments:
    """Search a recipe's settings with optuna (an extra), every trial a run in a folder.

    Give ranges as `--optimizer.lr 1e-4:1e-2:log`, `--model.num-layers 2:8`, choices as `--model.norm pre|post`; other
    words are fixed overrides.
    """

    recipe: Annotated[Path, tyro.conf.Positional]
    """The recipe that every trial starts from."""
    trials: int = 20
    """Trials in all; a search that was cut short goes on."""
    seeds: int = 1
    """Seeds per trial; their mean final validation loss is what is minimised."""
    out: Path = Path("studies/search")
    """The search's folder."""


def main(argv: list[str]) -> int:
    """Run the verb; return the exit code."""
    verbs = {"list": list_studies, "run": run, "show": show, "search": search}
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if argv else 2
    if argv[0] not in verbs:
        raise ConfigError(f"hornbook study has no {argv[0]!r}{did_you_mean(argv[0], verbs)}; {USAGE}")
    return verbs[argv[0]](argv[1:])


def list_studies(argv: list[str]) -> int:
    """Print the catalogue."""
    arguments = parse(ListArguments, argv, prog="hornbook study list")
    from hornbook.studies import catalogue

    studies = [catalogue.load(name) for name in catalogue.NAMES]
    if arguments.json:
        plain = [{"name": s.name, "question": s.question, "design": s.design, "cost": dict(s.cost)} for s in studies]
        print(json.dumps(plain, indent=2, ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("study", "question", "tiny", "cpu", "gpu", box=None, pad_edge=False)
    for study in studies:
        table.add_row(study.name, study.question, *(study.cost[scale] for scale in ("tiny", "cpu", "gpu")))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 0


def run(argv: list[str]) -> int:
    """Run a study and write its page."""
    arguments, words = parse_known(RunArguments, argv, prog="hornbook study run")
    from hornbook.config import apply_overrides
    from hornbook.report.render import write_report
    from hornbook.studies import catalogue
    from hornbook.studies.runner import run_study
    from hornbook.studies.study import Options, check_scale

    study, scale = catalogue.load(arguments.name), check_scale(arguments.scale)
    for option in ("seeds", "jobs"):
        value = getattr(arguments, option)
        if value is not None and value < 1:
            raise ConfigError(f"--{option} {value} must be at least 1")
    for path in (arguments.text, arguments.web_text):
        if path is not None and not path.is_file():
            raise DataError(f"{path} is not a file; give a UTF-8 text file")
    options = Options(
        seeds=arguments.seeds,
        text=arguments.text,
        web_text=arguments.web_text,
        overrides=apply_overrides({}, words),
    )
    command = shlex.join(["hornbook", "study", "run", *argv])
    folder = run_study(
        study,
        scale,
        options,
        out=arguments.out,
        jobs=arguments.jobs,
        accept_older=arguments.accept_older,
        command=command,
    )
    page = write_report([folder], folder / "report.html", figures=folder / "figures" if arguments.figures else None)
    print_study(folder)
    print(f"\nresults in {folder}, page {page}")
    return 0


def show(argv: list[str]) -> int:
    """Print a study's findings and tables."""
    arguments = parse(ShowArguments, argv, prog="hornbook study show")
    folder = Path(arguments.name)
    if not folder.is_dir():
        from hornbook.studies import catalogue
        from hornbook.studies.study import check_scale

        name = catalogue.load(arguments.name).name.replace("_", "-")
        folder = arguments.out / f"{name}-{check_scale(arguments.scale)}"
    if arguments.json:
        from hornbook.studies.charts import to_dict
        from hornbook.studies.folder import read_study

        study = read_study(folder)
        plain = {
            "name": study.name,
            "scale": study.scale,
            "findings": study.findings,
            "tables": [to_dict(table) for table in study.tables],
            "figures": [to_dict(figure) for figure in study.figures],
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
    console.print(Text(f"\n{study.name} · scale {study.scale} · {len(study.seeds)} seeds", style="bold"))
    console.print(Text(study.question))
    if not study.finished:
        console.print(Text(f"not finished: {len(study.runs())} runs so far; go on with: {study.command}"))
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
    """Return what a table cell shows."""
    from hornbook.format import number

    return str(value.get("text", "–")) if isinstance(value, dict) else number(value)


def search(argv: list[str]) -> int:
    """Search settings with optuna."""
    arguments, words = parse_known(SearchArguments, argv, prog="hornbook study search")
    from hornbook import config
    from hornbook.studies.search import parse_space, search_settings

    space, fixed = parse_space(words)
    if not space:
        raise ConfigError("there is nothing to search: give at least one range, such as --optimizer.lr 1e-4:1e-2:log")
    base = config.apply_overrides(config.read(arguments.recipe), fixed)
    best, value, folder = search_settings(base, space, arguments.out, trials=arguments.trials, seeds=arguments.seeds)
    print(f"best of {folder}: validation loss {value:.4f} with " + ", ".join(f"{k} = {v}" for k, v in best.items()))
    return 0
