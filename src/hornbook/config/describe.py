"""What a dataclass or a type takes, in words: for messages, `--help`, docs/reference/config.md and completion.

A key's text is the docstring under its field. Python keeps no such docstrings, so they are read from the source of the
class's module, once.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class Key:
    """One key of a section."""

    name: str
    """As in a file; with hyphens on the command line."""
    hint: Any
    """Its type."""
    default: str
    """As text; "required" where there is none."""
    text: str
    """What it means: the docstring under the field."""

    @property
    def flag(self) -> str:
        """The key on a command line, without its section: `d-model`."""
        return self.name.replace("_", "-")


@dataclasses.dataclass(frozen=True)
class Section:
    """One section of a recipe."""

    name: str
    text: str
    keys: list[Key]


def keys_of(cls: type) -> list[Key]:
    """Return the keys that `build(cls, …)` takes, in their order."""
    hints = typing.get_type_hints(cls, include_extras=True)
    texts = _field_texts(inspect.getsourcefile(cls) or "").get(cls.__name__, {})
    keys = []
    for field in dataclasses.fields(cls):
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        words = "required" if default is dataclasses.MISSING else default_text(default)
        keys.append(Key(field.name, hints[field.name], words, texts.get(field.name, "")))
    return keys


def summary_of(cls: type) -> str:
    """Return the first paragraph of a class's docstring."""
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


def default_text(value: Any) -> str:
    """Return a default as a user would write it."""
    if isinstance(value, list | tuple):
        return ",".join(map(default_text, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value) or '""'


def metavar(hint: Any) -> str:
    """Return what stands for a value in a usage line: `INT`, `auto|INT`, `pre|post|none`, `PATH …`."""
    if typing.get_origin(hint) is typing.Annotated:
        return hint.__metadata__[0]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return "|".join(metavar(argument) for argument in arguments if argument is not type(None))
    if origin is Literal:
        return "|".join(map(str, arguments))
    if origin in (list, tuple):
        return f"{metavar(arguments[0])} …" if arguments[-1] is Ellipsis else ",".join(map(metavar, arguments))
    if dataclasses.is_dataclass(hint):
        return "{" + ", ".join(f"{field.name} = …" for field in dataclasses.fields(hint)) + "}"
    return {bool: "true|false", int: "INT", float: "NUMBER", str: "TEXT", Path: "PATH"}[hint]


def type_in_words(hint: Any) -> str:
    """Return a type in the words of sentences: `a whole number`, `one of 'pre', 'post'`, `a list of text values`."""
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        Path: "a path",
        type(None): "nothing",
    }
    origin, arguments = typing.get_origin(hint), list(typing.get_args(hint))
    if origin is typing.Annotated:
        return type_in_words(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_in_words(argument) for argument in arguments if argument is not type(None))
    if origin is Literal:
        return one_of(arguments)
    if origin in (list, tuple, Sequence):
        return "a list" if not arguments else f"a list of {type_in_words(arguments[0]).removeprefix('a ')} values"
    return names.get(hint, "a section" if dataclasses.is_dataclass(hint) else str(hint))


def one_of(choices: Sequence[Any]) -> str:
    """Return the choices of a setting in the words of sentences: `one of 'pre', 'post'`, or the only one."""
    return ("one of " if len(choices) > 1 else "") + ", ".join(map(repr, choices))


def choices_of(hint: Any) -> list[str]:
    """Return the words that a type lists: of Literals and booleans, alone, in a union or in a list."""
    if hint is bool:
        return ["true", "false"]
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return [str(argument) for argument in arguments]
    return [choice for argument in arguments if not isinstance(argument, str) for choice in choices_of(argument)]


@functools.cache
def _field_texts(source: str) -> dict[str, dict[str, str]]:
    """Return class → field → docstring of a file of Python."""
    if not Path(source).is_file():
        return {}
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(Path(source).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            texts = found.setdefault(node.name, {})
            for field, after in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and isinstance(after, ast.Expr)
                    and isinstance(after.value, ast.Constant)
                ):
                    texts[field.target.id] = " ".join(str(after.value.value).split())
    return found
