"""The arguments of a subcommand, read from the signature of its function: one engine with the keys of a recipe.

Parameters that may be given by position are arguments in their order, keyword-only ones are flags (`num_samples` is
`--num-samples`); type and default are the parameter's, the text is its entry in the docstring. A word takes its type by
`config.convert`, so that a flag and a key of a recipe are understood and refused alike. A parameter of the type
`Overrides` collects `--section.key value`, one of the type `Words` is the command line as it was typed. A list takes
all words up to the next flag, and a flag given again adds to it.

Left out: abbreviated flags, and one-letter ones but for -h.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import re
import typing
from collections import deque
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from hornbook import config
from hornbook.config.build import BOOLEANS
from hornbook.config.describe import metavar
from hornbook.errors import ConfigError

Overrides = Annotated[dict[str, Any], "--section.key value …"]
Words = Annotated[tuple[str, ...], "the command line"]
ArgumentKind = Literal["positional", "flag", "overrides", "words"]
COLLECTED: dict[Any, ArgumentKind] = {Overrides: "overrides", Words: "words"}
REQUIRED = inspect.Parameter.empty


@dataclasses.dataclass(frozen=True)
class Argument:
    """One parameter of a subcommand."""

    name: str
    hint: Any
    default: Any
    kind: ArgumentKind
    text: str

    @property
    def shown(self) -> str:
        """Its name on the command line: `--top-p`, or `RUN` for a positional one."""
        # `json_` is json: the underscore is there for the module of that name.
        plain = self.name.rstrip("_")
        return "--" + plain.replace("_", "-") if self.is_flag else plain.replace("_", "-").upper()

    @property
    def is_flag(self) -> bool:
        """Whether it is given by its name."""
        return self.kind == "flag"

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value: `--resume`."""
        return self.hint is bool

    @property
    def is_list(self) -> bool:
        """Whether it takes several words."""
        return typing.get_origin(self.plain_hint) is tuple

    @property
    def plain_hint(self) -> Any:
        """Its type without the word that stands for it in the help; `none` is a text like any other, no absent one."""
        hint = typing.get_args(self.hint)[0] if typing.get_origin(self.hint) is Annotated else self.hint
        return str if hint == (str | None) else hint

    @property
    def usage(self) -> str:
        """Its name and what stands for its value: `--seed INT`, `--cache, --no-cache`, `RUN`."""
        if self.is_switch:
            return f"{self.shown}, --no-{self.shown[2:]}" if self.default else self.shown
        if self.is_flag:
            return f"{self.shown} {metavar(self.hint)}"
        return self.shown + (" …" if self.is_list else "")

    def convert(self, words: list[str]) -> Any:
        """Return `words` as a value of its type. Raises ConfigError."""
        if not self.is_list:
            return config.convert(config.Word(words[-1]), self.plain_hint, self.shown)
        kind = typing.get_args(self.plain_hint)[0]
        return tuple(config.convert(config.Word(word), kind, self.shown) for word in words)


def arguments_of(function: Callable[..., Any]) -> list[Argument]:
    """Return the parameters of a subcommand's function."""
    hints = typing.get_type_hints(function, include_extras=True)
    _, texts, _ = docstring_of(function)
    arguments = []
    for name, p in inspect.signature(function).parameters.items():
        kind = COLLECTED.get(hints[name], "flag" if p.kind is p.KEYWORD_ONLY else "positional")
        arguments.append(Argument(name, hints[name], p.default, kind, texts.get(name, "")))
    return arguments


def docstring_of(function: Callable[..., Any]) -> tuple[str, dict[str, str], str]:
    """Return a docstring's description, its `Args:` as name → text, and its `Examples:`."""
    text, _, examples = inspect.cleandoc(function.__doc__ or "").partition("\n\nExamples:\n")
    description, _, rest = text.partition("\n\nArgs:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {8,}.*)*)", rest, re.MULTILINE)
    return description, {name: " ".join(words.split()) for name, words in entries}, inspect.cleandoc("\n" + examples)


def is_flag(word: str) -> bool:
    """Whether a word is a flag or a key; `-`, `-1` and text that begins with a hyphen and has blanks are values."""
    return re.fullmatch(r"--?[A-Za-z][\w.-]*(=.*)?", word, re.DOTALL) is not None


def parse_words(function: Callable[..., Any], words: list[str], prog: str) -> dict[str, Any]:
    """Return what to call `function` with.

    Args:
        function: the subcommand.
        words: those after its name.
        prog: the command, such as `hornbook train`.

    Raises:
        ConfigError: a word that it does not take, a value of the wrong type, or an argument that is missing.
    """
    try:
        return _parse(arguments_of(function), words, prog)
    except ConfigError as error:
        raise ConfigError(f"{error}; `{prog} --help` says what it takes") from None


def _parse(arguments: list[Argument], words: list[str], prog: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    given: dict[str, list[str]] = {}
    loose, keys = sort_words(arguments, words, given)
    for argument in arguments:
        if argument.kind == "overrides":
            values[argument.name] = _overrides(keys)
        elif argument.kind == "words":
            values[argument.name] = tuple(words)
        elif argument.kind == "positional" and loose:
            given[argument.name] = loose if argument.is_list else [loose.pop(0)]
            loose = [] if argument.is_list else loose
    if loose:
        takes = " ".join(argument.usage for argument in arguments if argument.kind == "positional") or "no arguments"
        such = [f", the rest are flags such as {a.usage}" for a in arguments if a.is_flag and not a.is_switch][:1]
        raise ConfigError(f"{loose[0]!r} is one word too many: `{prog}` takes {takes}{''.join(such)}")
    missing = [a for a in arguments if a.default is REQUIRED and a.name not in {**given, **values}]
    if missing:
        names = " and ".join(argument.shown for argument in missing)
        what = f": {missing[0].text.rstrip('.')}" if len(missing) == 1 else ""
        raise ConfigError(f"`{prog}` needs {names}{what}")
    by_name = {argument.name: argument for argument in arguments}
    return values | {name: by_name[name].convert(typed) for name, typed in given.items()}


def _overrides(words: list[str]) -> dict[str, Any]:
    """Return the sections that words set; a key that no recipe has is refused before any work is done."""
    sections = config.parse_overrides(words)
    if sections:
        from hornbook.training.config import check_names

        check_names(sections)
    return sections


def sort_words(arguments: list[Argument], words: list[str], given: dict[str, list[str]]) -> tuple[list[str], list[str]]:
    """Put the words of flags into `given`, by name; return the positional ones and those of a recipe's keys.

    Raises:
        ConfigError: a flag that there is not, or one without its value.
    """
    takes_keys = any(argument.kind == "overrides" for argument in arguments)
    flags = {argument.shown: argument for argument in arguments if argument.is_flag}
    loose: list[str] = []
    keys: list[str] = []
    rest = deque(words)
    while rest:
        word = rest.popleft()
        shown, equals, value = word.partition("=")
        shown = shown.replace("_", "-")
        if word == "--":
            return loose + list(rest), keys
        if not is_flag(word):
            loose.append(word)
        elif takes_keys and word.startswith("--") and "." in shown:
            keys += [word, rest.popleft()] if not equals and rest and not rest[0].startswith("--") else [word]
        elif shown in flags:
            typed = [value] if equals else _values(flags[shown], rest)
            given[flags[shown].name] = [*given.get(flags[shown].name, []), *typed]
        elif shown.startswith("--no-") and (switch := flags.get("--" + shown[5:])) and switch.is_switch and not equals:
            given[switch.name] = ["false"]
        else:
            hint = _hint(shown, flags, takes_keys)
            alone = [f": {a.shown} is written without one" for a in arguments if "--" + a.shown.lower() == shown]
            raise ConfigError(f"there is no flag {shown!r}{alone[0] if alone else hint}")
    return loose, keys


def _values(argument: Argument, rest: deque[str]) -> list[str]:
    """Take the words that belong to a flag off the front of `rest`."""
    if argument.is_switch:
        if rest and rest[0].lower() in BOOLEANS:
            name = argument.shown[2:]
            raise ConfigError(f"--{name} takes no value, and {rest[0]!r} came: write --{name} or --no-{name}")
        return ["true"]
    typed: list[str] = []
    while rest and rest[0] != "--" and not is_flag(rest[0]) and (argument.is_list or not typed):
        typed.append(rest.popleft())
    # `--special-tokens` alone means none of them, where the default is some.
    if not typed and (not argument.is_list or argument.default in (REQUIRED, ())):
        came = f"{rest[0]} came" if rest else "nothing came"
        raise ConfigError(f"{argument.shown} wants a value ({metavar(argument.hint)}), and {came}")
    return typed


def _hint(shown: str, flags: Iterable[str], takes_keys: bool) -> str:
    """Return the flag or the key of a recipe that was meant, as far as can be seen."""
    keys: dict[str, list[str]] = {}
    if takes_keys:
        from hornbook.training.config import describe

        for section in describe():
            for key in section.keys:
                keys.setdefault("--" + key.flag, []).append(f"--{section.name}.{key.flag}")
    close = difflib.get_close_matches(shown, [*flags, *keys], n=1)
    if not close:
        return ""
    meant = keys[close[0]] if close[0] in keys and close[0] not in flags else close
    return f" (did you mean {' or '.join(map(repr, meant))}?)"
