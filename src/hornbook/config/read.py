"""Recipe files: TOML, JSON and YAML → a dict of sections, and a dict → TOML text (docs/formats/config.md)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hornbook.config.build import value_in_words
from hornbook.encodings import read_text
from hornbook.errors import ConfigError
from hornbook.syntax import trouble

MOST_BYTES = 1 << 21
"""Of a file; a recipe has a few thousand, and YAML is read at 100,000 a second."""
DEEPEST = 32
"""Levels of sections and lists in a file; a recipe needs four."""


def read(path: str | Path) -> dict[str, Any]:
    """Read a configuration file.

    Args:
        path: a file whose name ends in .toml, .json, .yaml or .yml.

    Returns:
        Its sections, as a dict.

    Raises:
        ConfigError: another ending, malformed content, a key given twice or that is not text, a YAML alias, nesting
            deeper than DEEPEST, more than MOST_BYTES, or no table at the top.
        OSError: the file cannot be read.
    """
    path = Path(path)
    reader = {".toml": tomllib.loads, ".json": _json, ".yaml": _yaml, ".yml": _yaml}.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: a recipe is a .toml, .json or .yaml file; for a text of yours use --text {path}")
    text = read_text(path, ConfigError, MOST_BYTES)
    try:
        content = reader(text)
        _check(content, DEEPEST)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read as {path.suffix[1:].upper()}: {trouble(error, text)}") from None
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path}: a recipe has sections such as [model] at the top, this file has {value_in_words(content)}"
        )
    return content


def dump_toml(content: Mapping[str, Any]) -> str:
    """Return a dict as TOML text; keys whose value is None are left out, as TOML has no null."""
    import tomli_w

    return tomli_w.dumps(_without_none(content))


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    unique: dict[Any, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise ConfigError(f"the key {key!r} is given twice in one section")
        unique[key] = value
    return unique


def _check(value: Any, levels: int) -> None:
    """Refuse what the parsers let pass and no recipe can mean."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"{value!a} holds half of a UTF-16 pair, which is no character") from None
    elif isinstance(value, dict | list):
        if not levels:
            raise ConfigError(f"sections and lists are nested more than {DEEPEST} deep")
        for item in value:
            if isinstance(value, dict) and not isinstance(item, str):
                raise ConfigError(f"the key {item!r} is {value_in_words(item)}; keys are names")
            _check(item, levels - 1)
        for item in value.values() if isinstance(value, dict) else ():
            _check(item, levels - 1)


def _yaml(text: str) -> Any:
    import re

    import yaml

    class Loader(yaml.SafeLoader):
        """YAML 1.1 reads 1e-3 as text and 12:30 as a number in base 60; people mean a number and text.

        Aliases are refused: nine levels of them are 10⁹ values in 300 bytes.
        """

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                name, line = self.peek_event().anchor, self.peek_event().start_mark.line + 1
                raise ConfigError(f"line {line} repeats a value by the alias *{name}; write the value out there")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            _unique((name, None) for name in names)
            return super().construct_mapping(node, deep=deep)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in rules if not tag.endswith((":float", ":int"))]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    # 010 is ten, as in YAML 1.2; to YAML 1.1 it is eight.
    Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value.replace("_", "")))
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
        raise ConfigError(trouble(error, text)) from None


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return str(value) if isinstance(value, Path) else value
