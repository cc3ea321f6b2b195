"""Reads the text of `.story` files: classes with their things, and rules with their alternatives as written.

docs/storyworld.md describes the notation; grammar.py compiles what comes out.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from hornbook.data.corpora.storyworld.lexicon import Entity, kept, parse_entities
from hornbook.errors import DataError

Rules: TypeAlias = dict[str, tuple[tuple[str, ...], list[str]]]
"""Name → parameters and alternatives."""

_RULE = re.compile(r"(\w+)(?:\(([\w,\s]*)\))?\s*([=:])\s*(.*)")


def closing(text: str, position: int) -> int:
    """Return where the bracket that opens at `position` closes."""
    depth = 0
    for i in range(position, len(text)):
        depth += (text[i] == "[") - (text[i] == "]")
        if depth == 0:
            return i
    raise DataError(f"storyworld grammar: no closing bracket in {text[position : position + 60]!r}")


def alternatives_of(text: str) -> list[str]:
    """Return the alternatives of a text, parted by `|` outside brackets."""
    parts, depth, current = [], 0, ""
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "|" and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]


def read_source(source: str, level: str) -> tuple[dict[str, list[Entity]], Rules]:
    """Return the classes of a source, and its rules, with what a level leaves out left out."""
    classes: dict[str, list[Entity]] = {}
    rules: Rules = {}
    body: list[str] = []
    current_class = ""
    for raw in source.splitlines():
        line = raw.split("#", 1)[0].rstrip()
        if not line:
            continue
        indented = line[0] == " "
        line = line.strip()
        line = kept(line, level)
        if not line:
            continue
        if indented and current_class:
            classes[current_class] += parse_entities(line, level)
        elif indented:
            body.append(re.sub(r"^(\d+:)\s+", r"\1", line))
        elif line.startswith("class "):
            current_class = line.split()[1]
            classes.setdefault(current_class, [])
        else:
            found = _RULE.fullmatch(line)
            if not found:
                raise DataError(f"storyworld grammar: cannot read the line {line[:60]!r}")
            body, current_class = [], ""
            if found[4]:
                body += alternatives_of(found[4])
            if found[1] in rules:
                raise DataError(f"storyworld grammar: rule {found[1]!r} is written twice")
            parameters = tuple(p.strip() for p in (found[2] or "").split(",") if p.strip())
            rules[found[1]] = (parameters, body)
    return classes, rules
