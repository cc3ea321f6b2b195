"""`hornbook report RUN_OR_STUDY…`: one self-contained HTML page for runs and studies."""

from __future__ import annotations

from pathlib import Path

from hornbook.errors import ConfigError
from hornbook.format import quantity


def main(
    paths: tuple[Path, ...], *, out: Path | None = None, title: str | None = None, figures: Path | None = None
) -> int:
    """Write one HTML page about runs or studies, readable without a network: curves, tables, samples, configuration.

    Args:
        paths: run folders, study folders, or folders that hold runs.
        out: the file to write; by default report.html in the folder given (several folders: in the current one).
        title: heading of the page.
        figures: also write the three main figures as SVG and PNG to this folder (needs matplotlib).

    Examples:
        hornbook report runs/tinystories
        hornbook report runs --out all.html --title "All of them"
    """
    from hornbook.report.render import write_report

    default = paths[0] / "report.html" if len(paths) == 1 else Path("report.html")
    if out is not None and out.is_dir():
        raise ConfigError(f"--out {out} is a folder; name the file, such as {out / 'report.html'}")
    out = write_report(paths, out or default, title=title, figures=figures)
    print(f"wrote {out} ({quantity(out.stat().st_size, 'B')}); open it in a browser")
    return 0
