"""Where a file of JSON, TOML or YAML goes wrong: the place and what stands there, not the words of its parser.

Parsers speak of tokens, delimiters and mappings, each release otherwise; a person needs the line. Left out: why.
"""

from __future__ import annotations

import re
from typing import Any

from hornbook.errors import FormatError, HornbookError

WIDEST = 60
"""Characters of a line that are shown."""


def trouble(error: Exception, text: str) -> str:
    """Return where the parser of a text stopped, as the end of a sentence: `line 3, column 7, in 'steps 100'`.

    Args:
        error: what the parser raised; a user error of our own, raised within it, is said as it is.
        text: what it was given.
    """
    if isinstance(error, HornbookError):
        return str(error)
    if isinstance(error, RecursionError):
        return "sections and lists are nested too deeply"
    if "digits" in str(error):
        return "a number has too many digits"
    mark = getattr(error, "problem_mark", None)  # YAML counts from 0, TOML says the place in its sentence only
    found = re.search(r"at line (\d+), column (\d+)", str(error))
    if mark is not None:
        line, column = mark.line + 1, mark.column + 1
    elif found:
        line, column = int(found[1]), int(found[2])
    else:
        line, column = getattr(error, "lineno", 0), getattr(error, "colno", 0)
    lines = text.split("\n")
    if re.search("twice|overwrite|mutate|redefine", str(error)):
        line = line or len(text.rstrip().split("\n"))
        return f"line {line} gives something twice: {excerpt(lines[line - 1], 0)!r}"
    behind = "\n".join([lines[line - 1][column - 1 :], *lines[line:]]) if 0 < line <= len(lines) else ""
    if not behind.strip() or "Unterminated" in str(error) or (len(behind) < 8 and "escape" in str(error)):
        last = text.rstrip().split("\n")[-1]
        return f"it is cut short, behind {excerpt(last, len(last))!r}" if last else "it is empty or cut short"
    place = f"line {line}, column {column}" if len(lines) > 1 else f"column {column}"
    return f"{place}, in {excerpt(lines[line - 1], column - 1)!r}"


def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON (`object_pairs_hook`), where Python keeps the last of two. Raises FormatError."""
    entries = dict(pairs)
    if len(entries) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise FormatError(f"the key {key!r} stands twice in one object")
            seen.add(key)
    return entries


def excerpt(text: str, at: int) -> str:
    """Return a text, or where it is long a part of it around the character `at`."""
    if len(text.strip()) <= WIDEST:
        return text.strip()
    start = max(0, min(at - WIDEST // 2, len(text) - WIDEST))
    return text[start : start + WIDEST]
