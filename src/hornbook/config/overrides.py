"""Changes to a recipe: the `--section.key value` words of a command line, and dicts laid over dicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hornbook.config.build import Word
from hornbook.errors import ConfigError

__all__ = ["apply_overrides", "flatten", "merge", "split_words"]


def apply_overrides(recipe: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """Return a copy of `recipe` changed by command-line words.

    Args:
        recipe: the sections of a recipe.
        words: `--section.key value` or `--section.key=value`, in order; hyphens in keys mean underscores; a key without
            a value is `true`.

    Raises:
        ConfigError: a word that is not of that form, or a section that is not a table.
    """
    changed = _copy(recipe)
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


def merge(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
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


def flatten(sections: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested sections as `section.key` → value; `merge({}, flat)` is the way back."""
    flat: dict[str, Any] = {}
    for key, value in sections.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


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


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value
