"""`hornbook report RUN_OR_STUDY…`: one self-contained HTML page for runs and studies."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from hornbook.cli.common import parse
from hornbook.errors import ConfigError
from hornbook.format import quantity


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arguments:
    """Write one HTML page about runs or studies, readable without a network: curves, tables, samples, configuration."""

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Run folders, study folders, or folders that hold runs."""
    out: Path | None = None
    """The file to write; by default report.html in the folder given (several folders: in the current one)."""
    title: str | None = None
    """Heading of the page."""
    figures: Path | None = None
    """Also write every figure as SVG and PNG to this folder (needs matplotlib)."""


def main(argv: list[str]) -> int:
    """Run the verb; return the exit code."""
    arguments = parse(Arguments, argv, prog="hornbook report")
    from hornbook.report.render import write_report

    default = arguments.paths[0] / "report.html" if len(arguments.paths) == 1 else Path("report.html")
    if arguments.out is not None and arguments.out.is_dir():
        raise ConfigError(f"--out {arguments.out} is a folder; name the file, such as {arguments.out / 'report.html'}")
    out = write_report(arguments.paths, arguments.out or default, title=arguments.title, figures=arguments.figures)
    print(f"wrote {out} ({quantity(out.stat().st_size, 'B')}); open it in a browser")
    return 0
