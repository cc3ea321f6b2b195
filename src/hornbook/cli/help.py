"""The text of a subcommand's `--help`: usage, arguments, flags and, for `hornbook train`, every key of a recipe.

Plain text of the terminal's width; headings are bold on a terminal (not with NO_COLOR).
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from hornbook.cli.arguments import REQUIRED, Argument, arguments_of, docstring_of
from hornbook.config.describe import Section, default_text, metavar

LISTS_KEYS = "hornbook train"
"""The command whose help lists the keys of a recipe; the others point to it."""
COLUMN = 30
"""Where the texts begin; what is longer than that stands on a line of its own."""

Row = tuple[str, str]


def command_help(function: Callable[..., Any], prog: str) -> str:
    """Return the help of one subcommand."""
    arguments = arguments_of(function)
    positional = [a for a in arguments if a.kind == "positional"]
    flags = [a for a in arguments if a.is_flag]
    takes_keys = any(a.kind == "overrides" for a in arguments)
    description, _, examples = docstring_of(function)
    words = [a.usage if a.default is REQUIRED else f"[{a.usage}]" for a in positional]
    words += [a.usage for a in flags if a.default is REQUIRED] + ["[flags]"] * any(
        a.default is not REQUIRED for a in flags
    )
    words += ["[--section.key value …]"] * takes_keys
    lines = textwrap.wrap(f"usage: {prog} {' '.join(words)}", _width(), subsequent_indent=" " * 7)
    for paragraph in description.split("\n\n"):
        lines += ["", *_wrapped(paragraph)]
    for heading, group in (("arguments", positional), ("flags", flags)):
        if group:
            lines += ["", _bold(f"{heading}:"), *_table([(a.usage, _text(a)) for a in group], COLUMN)]
    if examples:
        lines += ["", _bold("examples:"), textwrap.indent(examples, "  ")]
    if takes_keys:
        lines += ["", *_keys(prog)]
    return "\n".join(lines)


def _keys(prog: str) -> list[str]:
    if prog != LISTS_KEYS:
        return _wrapped(f"Any key of a recipe can follow as --section.key value; `{LISTS_KEYS} --help` lists them.")
    from hornbook.training.config import describe

    lines = _wrapped(
        "Keys of a recipe, in a file under their [section] or here as --section.key value (a key alone is true, "
        "lists are written a,b):"
    )
    for section in describe():
        lines += ["", *_wrapped(f"[{section.name}] {section.text}", bold=len(section.name) + 2), *_section(section)]
    return lines


def _section(section: Section) -> list[str]:
    rows = []
    for key in section.keys:
        default = "required" if key.default == "required" else f"default {key.default}"
        rows.append((f"--{section.name}.{key.flag} {metavar(key.hint).replace(' …', ',…')}", f"{key.text} ({default})"))
    return _table(rows, COLUMN)


def _text(argument: Argument) -> str:
    """Return a flag's text with its default, where the default says something."""
    text = argument.text
    if argument.default is REQUIRED:
        return f"{text} (required)" if argument.is_flag else text
    said = argument.is_switch or argument.default in (None, "", ())
    return text if said else f"{text} (default {default_text(argument.default).replace(',', ' ')})"


def _table(rows: Iterable[Row], column: int) -> list[str]:
    lines: list[str] = []
    for term, text in rows:
        body = _wrap(text, max(20, _width() - column)) or [""]
        if len(term) + 3 > column:
            lines.append(f"  {term}")
        else:
            lines.append(f"  {term:<{column - 2}}{body.pop(0)}")
        lines += [" " * column + line for line in body]
    return [line.rstrip() for line in lines]


def _wrapped(text: str, bold: int = 0) -> list[str]:
    lines = _wrap(text, _width())
    return [_bold(lines[0][:bold]) + lines[0][bold:], *lines[1:]] if bold else lines


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False)


def _width() -> int:
    # Lines of more than 110 characters are hard to read; a pipe has no width.
    return min(110, shutil.get_terminal_size((100, 24)).columns)


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text
