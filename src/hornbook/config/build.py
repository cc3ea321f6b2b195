"""Plain values → the type of a field: dataclasses built strictly from dicts, and dicts from dataclasses.

Words of the command line have no type of their own, so they travel as `Word` and take the type of the field that they
land in (`--run.name 256` is a name, `--model.d-model 256` a number).
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from hornbook.config.describe import one_of, type_in_words
from hornbook.errors import ConfigError, did_you_mean

T = TypeVar("T")
Files = Annotated[tuple[str, ...], "FILE …"]
"""Names of files: a word of the command line is one name, whatever commas and brackets are in it."""
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
"""Words for true and false on a command line."""


class Word(str):
    """A value as the user typed it on the command line; `build` gives it the type of its field."""

    __slots__ = ()


class Repeated(list[Word]):
    """The words of a key that the command line gives several times: lists add up, of anything else the last counts."""


def build(cls: type[T], given: Mapping[str, Any], where: str = "") -> T:
    """Build a dataclass from a dict, strictly.

    Args:
        cls: a dataclass; fields may be bool, int, float, str, Path, Literal, optional (`X | None`), tuples, lists,
            sequences, `dict[str, X]`, mappings and dataclasses.
        given: the values; fields with a default may be absent.
        where: the path of this section in messages, such as `model`.

    Raises:
        ConfigError: an unknown key, a missing one, a value of another type, or what the class's own check says.
    """
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where or 'the recipe'}: wanted a section (a table of keys), got {value_in_words(given)}")
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    check_keys(given, fields, where)
    values = {}
    for name, field in fields.items():
        if name in given:
            values[name] = convert(given[name], hints[name], _join(where, name))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            flag = f"--{_join(where, name).replace('_', '-')}"
            way_out = f"; give it in the recipe or by {flag}" if where else ""
            raise ConfigError(
                f"{_join(where, name)} is missing and has no default; wanted {type_in_words(hints[name])}{way_out}"
            )
    try:
        return cls(**values)
    except ConfigError as error:
        message = str(error)
        raise ConfigError(message if not where or message.startswith(where) else f"[{where}] {message}") from None


def check_keys(given: Iterable[str], known: Collection[str], where: str) -> None:
    """Raise ConfigError for the first key that is not known, with the nearest that is."""
    for key in given:
        if key not in known:
            hint = did_you_mean(str(key), known) or f"; the keys here are {', '.join(known)}"
            raise ConfigError(f"{_join(where, key)}: there is no such key{hint}")


def convert(value: Any, hint: Any, where: str) -> Any:
    """Return `value` as the type `hint` says. Raises ConfigError where that would be a guess."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return str(value) if isinstance(value, Word) else value
    if origin in (typing.Union, types.UnionType):
        return _convert_union(value, hint, where)
    if isinstance(value, Repeated):
        in_list = origin in (list, tuple, Sequence, Annotated)
        value = [part for word in value for part in _split(word, hint)] if in_list else value[-1]
    if origin is Annotated:
        return convert(_split(value, hint) if isinstance(value, Word) else value, arguments[0], where)
    if origin is Literal:
        return _convert_literal(value, arguments, where)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where)
    if origin in (list, tuple, Sequence):
        return _convert_sequence(value, origin, arguments, where, hint)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise _wrong(value, hint, where)
        return {str(key): convert(item, arguments[-1], _join(where, key)) for key, item in value.items()}
    return _convert_plain(value, hint, where)


def to_dict(value: Any) -> Any:
    """Return a dataclass as a dict of plain values (tuples become lists, paths strings); None stays None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_dict(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
    if isinstance(value, Mapping):
        return {str(key): to_dict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_dict(item) for item in value]
    return str(value) if isinstance(value, Path | Word) else value


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
    got = "true, which a key without a value means," if value is True else _show(value)
    raise ConfigError(f"{where}: {got} is not {one_of(allowed)}{hint}")


def _convert_sequence(value: Any, origin: type, arguments: tuple[Any, ...], where: str, hint: Any) -> Any:
    shown = _show(value)
    if isinstance(value, Word):
        value = _split(value, hint)
    elif isinstance(value, str) and arguments[:1] in ((str,), (Path,)):
        value = [value]  # text = "one.txt" means text = ["one.txt"]
    if not isinstance(value, list | tuple):
        raise _wrong(value, hint, where)
    if origin is tuple and len(arguments) > 1 and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            raise ConfigError(f"{where}: wanted {len(arguments)} values, got {len(value)}: {shown}")
        return tuple(
            convert(item, kind, f"{where}[{i}]") for i, (item, kind) in enumerate(zip(value, arguments, strict=True))
        )
    kind = next(iter(arguments), Any)
    made = tuple if origin is tuple else list
    return made(convert(item, kind, f"{where}[{i}]") for i, item in enumerate(value))


def _split(word: Word, hint: Any) -> list[Any]:
    text = word.strip()
    if text.startswith("["):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            text = text.removeprefix("[").removesuffix("]")
    if hint == Files:
        return [word]
    return [Word(part.strip()) for part in text.split(",") if part.strip()]


def _convert_plain(value: Any, hint: Any, where: str) -> Any:
    if isinstance(value, Word):
        return _convert_word(value, hint, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise _wrong(value, hint, where) from None
    if hint is Path and isinstance(value, str):
        return Path(value)
    if isinstance(hint, type) and isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool):
        return value
    raise _wrong(value, hint, where)


def _convert_word(word: Word, hint: Any, where: str) -> Any:
    text = str(word)
    if hint is str or (hint is Path and text):  # an empty path would be the working folder
        return hint(text)
    if hint is bool:
        if text.lower() in BOOLEANS:
            return BOOLEANS[text.lower()]
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
    got = "true, which a key without a value means" if value is True else _show(value)
    return ConfigError(f"{where}: wanted {type_in_words(hint)}, got {got}")


def _show(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, str) else repr(value)
    return (text if len(text) <= 60 else text[:57] + "...") + (
        "" if isinstance(value, Word) else f" ({value_in_words(value)})"
    )


def value_in_words(value: Any) -> str:
    """Return what a value of a file is, in the words of its sentences: `a number`, `a list`, `a section`."""
    names = {
        bool: "true/false",
        int: "a whole number",
        float: "a number",
        str: "text",
        Word: "text",
        list: "a list",
        dict: "a section",
    }
    return "nothing" if value is None else names.get(type(value), type(value).__name__)


def _join(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)
