"""Source quoted in a page: `[[hornbook.nn.plain.softmax]]` on a line of its own becomes the code of that function.

The docstring is left out, as the page around it says the same in more words; a link leads to the file. What is quoted
is read from the source, so a page cannot say something else than what runs.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r"^\[\[([\w.]+)\]\]$", re.MULTILINE)


def fill(page: str) -> str:
    """Return a page below docs/handbook with the code in the place of its marks."""
    return MARK.sub(lambda match: _quoted(match[1]), page)


def _quoted(name: str) -> str:
    found = _find(name)
    path = Path(inspect.getsourcefile(found) or "").resolve().relative_to(ROOT).as_posix()
    code = without_docstring(textwrap.dedent(inspect.getsource(found)))
    return f"[{path}](../../{path})\n\n```python\n{code.rstrip()}\n```"


def _find(name: str) -> Any:
    """Return the function or method of a dotted name."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return inspect.unwrap(found)
    raise ModuleNotFoundError(name)


def without_docstring(source: str) -> str:
    """Return the source of a function without its docstring, all other lines as they are."""
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    first = function.body[0]
    lines = source.splitlines(keepends=True)
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        del lines[first.lineno - 1 : first.end_lineno]
    return "".join(lines)
