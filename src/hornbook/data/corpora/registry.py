"""Every corpus that a recipe can name (`data.corpus`): one module each, with a `CORPUS` that says what it can do.

A corpus is made on this machine, so it needs no file and no network. Another one is a module (or a package) and a line
in `CORPORA`; preparation, `hornbook data list`, studies and `hornbook eval` find it here. No corpus is imported before
it is asked for. Left out: texts that are fetched (datasets.py).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.errors import ConfigError, did_you_mean
from hornbook.fileio import cache_folder
from hornbook.format import quantity

if TYPE_CHECKING:
    from hornbook.data.sections import DataSection
    from hornbook.tracking.console import Console


CORPORA = {
    "storyworld": "hornbook.data.corpora.storyworld.corpus",
    "python-docs": "hornbook.data.corpora.python_docs",
}
"""Name → the module that has it."""


@dataclass(frozen=True, kw_only=True)
class CorpusSpec:
    """What the rest of the project has to know of a corpus."""

    about: str
    """What it is, in a line."""
    version: str | int
    """The same version and `keys` give the same text."""
    keys: tuple[str, ...] = ()
    """The keys of [data] that decide the text, beside its name."""
    write: Callable[[Path, DataSection, Callable[[int], None]], Any]
    """Writes it to a file, whole or not at all; the last argument is called with the bytes written so far."""
    floor: Callable[[str, DataSection], float] | None = None
    """The true entropy of a part of its text in bits per byte, where that is known."""
    evaluator: str | None = None
    """The module of its own evaluation (evaluation/registry.py), if it has one."""


def find_corpus(name: str) -> CorpusSpec:
    """Return the corpus called `name`. Raises ConfigError if there is none."""
    if name not in CORPORA:
        raise ConfigError(
            f"data.corpus = {name!r} is not known{did_you_mean(name, CORPORA)}; there are {', '.join(CORPORA)}; for "
            "files, here or fetched with `hornbook data get`, give --data.text FILE"
        )
    return importlib.import_module(CORPORA[name]).CORPUS


def corpus_file(name: str, data: DataSection, console: Console) -> Path:
    """Return the text file of a corpus, made if it is not in the cache. Raises ConfigError, DataError or OSError."""
    corpus = find_corpus(name)
    values = [str(getattr(data, key)) for key in corpus.keys]
    path = cache_folder() / "corpora" / ("-".join([name, str(corpus.version), *values]) + ".txt")
    if not path.exists():
        size = data.corpus_bytes if "corpus_bytes" in corpus.keys else None
        what = name if size is None else f"{quantity(size, 'B')} of {name}"
        with console.stage(f"writing {what}", size) as stage:
            corpus.write(path, data, stage.update)
    return path
