"""Which files a user means: names, folders, globs, streams (standard input, pipes). Left out: reading them
(text_reader.py).
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from hornbook.data.text_kinds import ENDINGS, IN_FOLDERS, PACKINGS, ending
from hornbook.errors import DataError
from hornbook.fileio import cache_folder, open_atomic
from hornbook.format import counted

STDIN = "-"
"""The source that stands for standard input."""

_OURS = (
    {"config.toml", "environment.json"},
    {"study.toml"},
    {"hornbook-tokenizer.json"},
    {"vocab.json", "merges.txt"},
    {"READY.json"},
)
StrPath = str | os.PathLike[str]


def find_files(sources: StrPath | Sequence[StrPath], left_out: list[str] | None = None) -> list[str]:
    """Return the files that `sources` mean, in order: a folder's sorted by path, a glob's likewise.

    Args:
        sources: one or several of: a file; a folder (all text, jsonl and parquet files in it, at any depth, but hidden
            ones and what hornbook wrote itself); a glob such as `data/**/*.jsonl.gz`; `-` for standard input.
        left_out: gets the records of folders that are not read, as nobody named them (IN_FOLDERS).

    Raises:
        DataError: a folder or a glob without any such file.
        FileNotFoundError: a path that does not exist.
    """
    files: list[str] = []
    passed: list[str] = []
    for source in [sources] if isinstance(sources, str | os.PathLike) else sources:
        name = os.fspath(source)
        if not name:
            raise DataError("the name of a text is empty: name a file, a folder, a glob, or - for standard input")
        path = Path(name)
        if name == STDIN or path.is_file():
            files.append(name)
        elif path.is_dir():
            found = sorted(_texts_in(path, passed))
            if not found:
                raise DataError(
                    f"the folder {name} holds no text: looked for {', '.join(IN_FOLDERS)}, also with "
                    f"{', '.join(PACKINGS)}; .json and .csv files are read where they are named, as by a glob"
                )
            files += found
        elif is_glob(name):
            found = sorted(_matching(name))
            if not found:
                raise DataError(f"no file matches {name!r}")
            files += found
        else:
            path.stat()  # says what is wrong; a stream is not opened: that would take its text or wait for it
            files.append(name)
    if passed and left_out is not None:
        named = set(map(os.path.abspath, files))
        left_out += sorted(file for file in passed if os.path.abspath(file) not in named)  # noqa: PTH100
    if not files:
        raise DataError("no text was given: name a file, a folder, a glob, or - for standard input")
    return files


def is_glob(name: str) -> bool:
    """Return whether a source is a pattern: it has *, ? or [, and there is no file of that very name."""
    return any(mark in name for mark in "*?[") and not Path(name).exists()


def is_stream(name: str) -> bool:
    """Return whether a source can be read only once: standard input, a pipe, a device."""
    if name == STDIN:
        return True
    try:
        mode = Path(name).stat().st_mode
    except OSError:  # not there, or a glob
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextlib.contextmanager
def open_source(name: str) -> Iterator[BinaryIO]:
    """Open a file or a stream for reading; standard input stays open. Raises OSError."""
    if name == STDIN:
        yield sys.stdin.buffer
    else:
        with open(name, "rb") as stream:  # noqa: PTH123
            yield stream


def shown(name: str) -> str:
    """Return what a source is called in a sentence."""
    return "standard input" if name == STDIN else name


def names_of(files: Sequence[str]) -> str:
    """Return what sources are called in a sentence, the first three of many."""
    return ", ".join(map(shown, files[:3])) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def left_out_note(files: Sequence[str]) -> str:
    """Return the sentence about the files that `find_files` left out."""
    return (
        f"note: {counted(len(files), 'file')} not read: of a folder .json, .csv and .tsv are read only where they are "
        f"named, as by a glob ({names_of(files)})"
    )


def settled(sources: Sequence[str], *, missing_ok: bool = False) -> tuple[str, ...]:
    """Return sources as a run stores them, to be read again from anywhere.

    Names become absolute; a stream becomes a file of the cache that keeps what came from it.

    Raises:
        DataError: a stream that holds nothing.
        OSError: a path that does not exist, unless `missing_ok`; a stream that cannot be read or kept.
    """
    return tuple(_settled(source, missing_ok) for source in sources)


def _settled(source: str, missing_ok: bool) -> str:
    if is_glob(source):
        return source if Path(source).is_absolute() else f"{glob.escape(str(Path.cwd()))}/{source}"
    if source and is_stream(source):
        return str(_keep(source).absolute())
    if source and not missing_ok:
        Path(source).stat()
    return str(Path(source).absolute()) if source else source  # an empty name is find_files' to refuse


def _keep(source: str) -> Path:
    """Return a file of the cache with the bytes of a stream, named by them."""
    folder, digest = cache_folder() / "streams", hashlib.sha256()

    def place() -> Path:
        return folder / digest.hexdigest()[:32]

    with open_atomic(folder / "stream", place) as out, open_source(source) as stream:
        while block := stream.read(1 << 20):
            out.write(block)
            digest.update(block)
        if not out.tell():
            raise DataError(f"there is no text in {shown(source)}: it is empty")
    return place()


def _texts_in(folder: Path, left_out: list[str]) -> Iterator[str]:
    """Yield the text files at any depth of a folder, but hidden ones and those that hornbook wrote.

    `left_out` gets those of the kinds that are read only where they are named.
    """
    if _is_ours(os.listdir(folder)):  # noqa: PTH208
        raise DataError(f"{folder} is hornbook's own (a run, a study, a tokenizer or prepared data), and not text")
    for root, folders, names in os.walk(folder):
        if _is_ours(names):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(root, name)
            if ending(name) not in ENDINGS or name.startswith(".") or not file.is_file():
                continue
            if ending(name) in IN_FOLDERS:
                yield str(file)
            else:
                left_out.append(str(file))


def _matching(pattern: str) -> Iterator[str]:
    """Yield the files that a glob matches, but those in folders that hornbook wrote, unless it names them itself."""
    parts = Path(pattern).parts
    depth = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    ours: dict[Path, bool] = {}
    for file in map(Path, glob.glob(pattern, recursive=True)):  # noqa: PTH207
        if not file.is_file():
            continue
        folders = [folder for folder in file.parents if len(folder.parts) > depth]
        for folder in folders:
            if folder not in ours:
                ours[folder] = _is_ours(os.listdir(folder))  # noqa: PTH208
        if not any(ours[folder] for folder in folders):
            yield str(file)


def _is_ours(names: Sequence[str]) -> bool:
    """Return whether a folder with these entries is a run, a study, a tokenizer or prepared data."""
    return any(mark.issubset(names) for mark in _OURS)
