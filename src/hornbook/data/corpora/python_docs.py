"""Documentation that every machine has: the help pages and docstrings of the Python that runs hornbook.

Real technical English with identifiers and code, a few megabytes, without a network and without being copied into the
project. It differs a little between Python versions, so the version is part of its name in the cache.
Sources are parsed, never imported or run.
"""

from __future__ import annotations

import ast
import platform
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from hornbook.data.corpora.registry import CorpusSpec
from hornbook.fileio import atomic_write
from hornbook.tokenizer.special import END_OF_TEXT

SHORTEST = 200
"""Characters below which a docstring is not a document."""
SKIPPED = frozenset({"test", "tests", "site-packages", "dist-packages", "idlelib", "lib2to3", "__pycache__"})


def python_documentation() -> str:
    """Return the corpus: documents separated by a line `<|endoftext|>`."""
    return "".join(f"{document}\n{END_OF_TEXT}\n" for document in python_documents())


def python_documents() -> list[str]:
    """Return help pages and docstrings, each once, in a fixed order."""
    from pydoc_data.topics import topics

    found = dict.fromkeys(str(topics[key]).strip() for key in sorted(topics))
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        if not SKIPPED.intersection(path.relative_to(root).parts):
            found.update(dict.fromkeys(_docstrings(path)))
    return [text for text in found if len(text) >= SHORTEST and END_OF_TEXT not in text]


def _docstrings(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError):
        # A file that cannot be read as Python 3 in UTF-8 has no docstring to give.
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield text.strip().encode("utf-8", "replace").decode()


CORPUS = CorpusSpec(
    about="help pages and docstrings of the Python that runs this, a few megabytes, no network",
    version=platform.python_version(),
    write=lambda path, data, progress: atomic_write(path, python_documentation()),
)
