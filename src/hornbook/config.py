"""Configuration: a TOML, JSON or YAML file plus `--section.key value` overrides → frozen dataclasses, strictly.

A tree (nested dicts of plain values) goes in, a dataclass comes out, and back. Nothing is guessed: an unknown key names
its nearest neighbour, a wrong type names the key, what came and what was wanted. Words from the command line have no
type of their own, so they travel as `Word` and take the type of the field that they land in (`--run.name 256` is a
name, `--model.d-model 256` a number).

Left out on purpose: includes, interpolation, environment variables, code in configuration. No torch here.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from hornbook.errors import ConfigError, did_you_mean

__all__ = ["Word", "apply_overrides", "build", "convert", "dump_toml", "merge", "read", "split_words", "to_tree"]

T = TypeVar("T")
Tree = dict[str, Any]


class Word(str):
    """A value as the user typed it on the command line; `build` gives it the type of its field."""

    __slots__ = ()


def read(path: str | Path) -> Tree:
    """Read a configuration file.

    Args:
        path: a file whose name ends in .toml, .json, .yaml or .yml.

    Returns:
        The tree of its sections.

    Raises:
        ConfigError: another ending, malformed content, a key given twice, or no table at the top.
        OSError: the file cannot be read.
    """
    path = Path(path)
    reader = {".toml": tomllib.loads, ".json": _json, ".yaml": _yaml, ".yml": _yaml}.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: a recipe is a .toml, .json or .yaml file; for a text of yours use --text {path}")
    try:
        tree = reader(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; a recipe is a UTF-8 text file") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        # The parsers say the line and column in their own words.
        raise ConfigError(
            f"{path} cannot be read as {path.suffix[1:].upper()}: {' '.join(str(error).split())}"
        ) from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: a recipe has sections such as [model] at the top, this file has {_kind(tree)}")
    return tree


def apply_overrides(tree: Mapping[str, Any], words: Sequence[str]) -> Tree:
    """Return a copy of `tree` changed by command-line words.

    Args:
        tree: the sections of a recipe.
        words: `--section.key value` or `--section.key=value`, in order; hyphens in keys mean underscores; a key without
            a value is `true`.

    Raises:
        ConfigError: a word that is not of that form, or a section that is not a table.
    """
    changed = _copy(tree)
    for key, value in _pairs(words):
        *sections, last = key.removeprefix("--").replace("-", "_").split(".")
        node = changed
        for depth, section in enumerate(sections):
            node = node.setdefault(section, {})
            if not isinstance(node, dict):
                raise ConfigError(f"{key}: {'.'.join(sections[: depth + 1])!r} holds a value, not a section")
        node[last] = Word(value)
    return changed


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate `--section.key value` words from a verb's own flags and arguments; return (overrides, the rest)."""
    overrides: list[str] = []
    rest: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        following = words[position + 1] if position + 1 < len(words) else "--"
        if word.startswith("--") and "." in word.partition("=")[0]:
            takes_next = "=" not in word and not following.startswith("--")
            overrides += [word, following] if takes_next else [word]
            position += 1 + takes_next
        else:
            rest.append(word)
            position += 1
    return overrides, rest


def merge(base: Mapping[str, Any], extra: Mapping[str, Any]) -> Tree:
    """Return `base` with the values of `extra` laid over it, section by section; dotted keys in `extra` are paths."""
    merged = _copy(base)
    for key, value in extra.items():
        *sections, last = key.split(".")
        node = merged
        for section in sections:
            node = node.setdefault(section, {})
        if isinstance(value, Mapping) and isinstance(node.get(last), dict):
            node[last] = merge(node[last], value)
        else:
            node[last] = _copy(value)
    return merged


def build(cls: type[T], tree: Mapping[str, Any], where: str = "") -> T:
    """Build a dataclass from a tree, strictly.

    Args:
        cls: a dataclass; fields may be bool, int, float, str, Path, Literal, optional (`X | None`), tuples, lists,
            `dict[str, X]` and dataclasses.
        tree: the values; fields with a default may be absent.
        where: the path of this section in messages, such as `model`.

    Raises:
        ConfigError: an unknown key, a missing one, a value of another type, or what the class's own check says.
    """
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{where or 'the recipe'}: wanted a section (a table of keys), got {_kind(tree)}")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    for key in tree:
        if key not in fields:
            hint = did_you_mean(str(key), fields) or f"; the keys here are {', '.join(fields)}"
            raise ConfigError(f"{_join(where, key)}: there is no such key{hint}")
    values = {}
    for name, field in fields.items():
        if name in tree:
            values[name] = convert(tree[name], hints[name], _join(where, name))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConfigError(f"{_join(where, name)} is missing and has no default; wanted {_describe(hints[name])}")
    try:
        return cls(**values)
    except ConfigError as error:
        message = str(error)
        raise ConfigError(message if not where or message.startswith(where) else f"[{where}] {message}") from None


def convert(value: Any, hint: Any, where: str) -> Any:
    """Return `value` as the type `hint` says. Raises ConfigError where that would be a guess."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return str(value) if isinstance(value, Word) else value
    if origin in (typing.Union, types.UnionType):
        return _convert_union(value, hint, where)
    if origin is Literal:
        return _convert_literal(value, arguments, where)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where)
    if origin in (list, tuple):
        return _convert_sequence(value, origin, arguments, where, hint)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _wrong(value, hint, where)
        return {str(key): convert(item, arguments[-1], _join(where, key)) for key, item in value.items()}
    return _convert_plain(value, hint, where)


def to_tree(value: Any) -> Any:
    """Return a dataclass as a tree of plain values (tuples become lists, paths strings); None stays None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_tree(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
    if isinstance(value, Mapping):
        return {str(key): to_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_tree(item) for item in value]
    return str(value) if isinstance(value, Path | Word) else value


def dump_toml(tree: Mapping[str, Any]) -> str:
    """Return a tree as TOML text; keys whose value is None are left out, as TOML has no null."""
    import tomli_w

    return tomli_w.dumps(_without_none(tree))


# --- the words of the command line -----------------------------------------------------------------------------------


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        key, equals, value = word.partition("=")
        if not key.startswith("--") or "." not in key.strip("-.") or ".." in key or key.endswith("."):
            raise ConfigError(
                f"{word!r} is not understood: overrides are written --section.key value, as in --model.d-model 256"
            )
        if not equals:
            following = words[position] if position < len(words) else "--"
            value = "true"
            if not following.startswith("--"):
                value, position = following, position + 1
        yield key, value


# --- conversion to the type of a field -------------------------------------------------------------------------------


def _convert_union(value: Any, hint: Any, where: str) -> Any:
    arguments = typing.get_args(hint)
    none = type(None) in arguments
    if none and (value is None or (isinstance(value, Word) and value.lower() in ("none", "null"))):
        return None
    choices = [argument for argument in arguments if argument is not type(None)]
    if len(choices) == 1:
        return convert(value, choices[0], where)
    for choice in choices:  # in the order written: int | str reads "3" as a number
        try:
            return convert(value, choice, where)
        except ConfigError:
            continue
    raise _wrong(value, hint, where)


def _convert_literal(value: Any, allowed: tuple[Any, ...], where: str) -> Any:
    for choice in allowed:
        if type(choice) is type(value) and choice == value:
            return choice
        if isinstance(value, Word) and str(choice).lower() == value.lower():
            return choice
    hint = did_you_mean(value, [str(choice) for choice in allowed]) if isinstance(value, str) else ""
    raise ConfigError(f"{where}: {_show(value)} is not one of {', '.join(map(repr, allowed))}{hint}")


def _convert_sequence(value: Any, origin: type, arguments: tuple[Any, ...], where: str, hint: Any) -> Any:
    if isinstance(value, Word):
        value = _split(value)
    elif isinstance(value, str) and arguments[:1] in ((str,), (Path,)):
        value = [value]  # text = "one.txt" means text = ["one.txt"]
    if not isinstance(value, list | tuple):
        raise _wrong(value, hint, where)
    if origin is tuple and len(arguments) > 1 and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            raise ConfigError(f"{where}: wanted {len(arguments)} values, got {len(value)} ({_show(value)})")
        return tuple(
            convert(item, kind, f"{where}[{i}]") for i, (item, kind) in enumerate(zip(value, arguments, strict=True))
        )
    kind = next(iter(arguments), Any)
    return origin(convert(item, kind, f"{where}[{i}]") for i, item in enumerate(value))


def _split(word: Word) -> list[Any]:
    text = word.strip()
    if text.startswith("["):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            text = text.removeprefix("[").removesuffix("]")
    return [Word(part.strip()) for part in text.split(",") if part.strip()]


def _convert_plain(value: Any, hint: Any, where: str) -> Any:
    if isinstance(value, Word):
        return _convert_word(value, hint, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if isinstance(hint, type) and isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool):
        return value
    raise _wrong(value, hint, where)


def _convert_word(word: Word, hint: Any, where: str) -> Any:
    text = str(word)
    if hint in (str, Path):
        return hint(text)
    if hint is bool:
        known = {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }
        if text.lower() in known:
            return known[text.lower()]
    elif hint is int or hint is float:
        digits = text.replace("_", "")
        try:
            return hint(digits)
        except ValueError:
            # 1e4 is a fine way to say ten thousand steps
            if hint is int:
                try:
                    number = float(digits)
                except ValueError:
                    number = 0.5
                if number.is_integer():
                    return int(number)
    raise _wrong(word, hint, where)


def _wrong(value: Any, hint: Any, where: str) -> ConfigError:
    return ConfigError(f"{where}: wanted {_describe(hint)}, got {_show(value)}")


def _describe(hint: Any) -> str:
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        Path: "a path",
        type(None): "nothing",
    }
    origin, arguments = typing.get_origin(hint), list(typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_describe(argument) for argument in arguments if argument is not type(None))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, arguments))
    if origin in (list, tuple):
        return "a list" if not arguments else f"a list of {_describe(arguments[0]).removeprefix('a ')} values"
    return names.get(hint, "a section" if dataclasses.is_dataclass(hint) else str(hint))


def _show(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, str) else repr(value)
    return (text if len(text) <= 60 else text[:57] + "...") + ("" if isinstance(value, Word) else f" ({_kind(value)})")


def _kind(value: Any) -> str:
    names = {
        bool: "true/false",
        int: "a whole number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a section",
    }
    return "nothing" if value is None else names.get(type(value), type(value).__name__)


# --- files -----------------------------------------------------------------------------------------------------------


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ConfigError(f"the key {key!r} is given twice in one section")
    return dict(pairs)


def _yaml(text: str) -> Any:
    import re

    import yaml

    class Loader(yaml.SafeLoader):
        """YAML 1.1 reads 1e-3 as text and 12:30 as a number in base 60; people mean a number and text."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in rules if not tag.endswith((":float", ":int"))]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    digits = list("-+0123456789.")
    Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9][0-9_]*$"), digits)
    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|nan)$", re.IGNORECASE),
        digits,
    )
    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _join(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return str(value) if isinstance(value, Path) else value
