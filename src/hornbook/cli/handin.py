"""`hornbook handin`: one page with the answers of one's own runs to CS336 assignment 1 (report/handin.py)."""

from __future__ import annotations

from pathlib import Path

from hornbook.cli.common import check_folders
from hornbook.errors import ConfigError
from hornbook.format import quantity


def main(folders: tuple[Path, ...] = (Path("runs"), Path("studies")), *, out: Path = Path("handin.html")) -> int:
    """One page with the answers of your own runs and studies to CS336 assignment 1, in the order of its handout.

    Where there is no answer yet, the command stands that makes it.

    Args:
        folders: where runs and studies are.
        out: the page.

    Examples:
        hornbook handin runs studies --out assignment1.html
    """
    check_folders(folders, ("runs", "studies"))
    if out.is_dir():
        raise ConfigError(f"--out {out} is a folder; name the file, such as {out / 'handin.html'}")
    from hornbook.report.handin import write_handin

    answered, problems = write_handin(folders, out)
    size = quantity(out.stat().st_size, "B")
    print(f"wrote {out} ({size}): {answered} of {problems} problems have an answer; open it in a browser")
    return 0
