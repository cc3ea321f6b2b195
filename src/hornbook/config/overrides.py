"""Changes to a recipe: the `--section.key value` words of a command line, and dicts laid over dicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hornbook.config.build import Repeated, Word
from hornbook.errors import ConfigError


def parse_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Return the sections that command-line words set; `merge` lays them over a recipe.

    Args:
        words: `--section.key value` or `--section.key=value`, in order; hyphens in keys mean underscores; a key without
            a value is `true`. A list's key may come again, and adds to it.

    Raises:
        ConfigError: a word that is not of that form.
    """
    given: dict[str, list[Any]] = {}
    for key, value in _pairs(words):
        given.setdefault(key.removeprefix("--").replace("-", "_"), []).append(value)
    sections: dict[str, Any] = {}
    for key, values in given.items():
        several = len(values) > 1 and True not in values
        sections = merge(sections, {key: Repeated(values) if several else values[-1]})
    return sections


def merge(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `extra` laid over it, section by section; dotted keys in `extra` are paths.

    Raises:
        ConfigError: `extra` has keys for a section where `base` has a value.
    """
    merged = _copy(base)
    for key, value in extra.items():
        *sections, last = key.split(".")
        node = merged
        for depth, section in enumerate(sections):
            node = node.setdefault(section, {})
            if not isinstance(node, dict):
                raise ConfigError(f"{'.'.join(sections[: depth + 1])!r} holds a value, not a section")
        before = node.get(last)
        if isinstance(value, Mapping) and before is not None:
            if not isinstance(before, dict):
                raise ConfigError(f"{key!r} holds a value, not a section")
            node[last] = merge(before, value)
        else:
            node[last] = _copy(value)
    return merged


def flatten(sections: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested sections as `section.key` → value; `merge({}, flat)` is the way back."""
    flat: dict[str, Any] = {}
    for key, value in sections.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, Word | bool]]:
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        key, equals, value = word.partition("=")
        if not key.startswith("--") or "." not in key.strip("-.") or ".." in key or key.endswith("."):
            raise ConfigError(
                f"{word!r} is not understood: overrides are written --section.key value, as in --model.d-model 256"
            )
        if equals or (position < len(words) and not words[position].startswith("--")):
            yield key, Word(value if equals else words[position])
            position += not equals
        else:
            yield key, True


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, Repeated):
        return value
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value
