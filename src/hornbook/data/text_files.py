"""Which files a user means: names, folders, globs and standard input. Left out: reading them (text_reader.py)."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from hornbook.data.text_kinds import IN_FOLDERS, PACKINGS, ending
from hornbook.errors import DataError

STDIN = "-"
"""The source that stands for standard input."""

StrPath = str | os.PathLike[str]


def find_files(sources: StrPath | Sequence[StrPath]) -> list[str]:
    """Return the files that `sources` mean, in order: a folder's sorted by path, a glob's likewise.

    Args:
        sources: one or several of: a file; a folder (all text, jsonl and parquet files in it, at any depth, but hidden
            ones); a glob such as `data/**/*.jsonl.gz`; `-` for standard input.

    Raises:
        DataError: a folder or a glob without any such file.
        FileNotFoundError: a path that does not exist.
    """
    files: list[str] = []
    for source in [sources] if isinstance(sources, str | os.PathLike) else sources:
        name = os.fspath(source)
        if not name:
            raise DataError("the name of a text is empty: name a file, a folder, a glob, or - for standard input")
        path = Path(name)
        if name == STDIN or path.is_file():
            files.append(name)
        elif path.is_dir():
            found = sorted(str(file) for file in path.rglob("*") if file.is_file() and _is_text_name(file, path))
            if not found:
                raise DataError(
                    f"the folder {name} holds no text: looked for {', '.join(IN_FOLDERS)}, also with "
                    f"{', '.join(PACKINGS)}; .json and .csv files are read where they are named, as by a glob"
                )
            files += found
        elif any(mark in name for mark in "*?[") and not path.exists():
            found = sorted(file for file in glob.glob(name, recursive=True) if Path(file).is_file())  # noqa: PTH207
            if not found:
                raise DataError(f"no file matches {name!r}")
            files += found
        else:
            path.open("rb").close()  # says what is wrong: missing, not readable
            files.append(name)  # a pipe or device
    if not files:
        raise DataError("no text was given: name a file, a folder, a glob, or - for standard input")
    return files


def _is_text_name(file: Path, folder: Path) -> bool:
    inside = file.relative_to(folder)
    return ending(file.name) in IN_FOLDERS and not any(part.startswith(".") for part in inside.parts)
