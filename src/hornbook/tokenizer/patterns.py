r"""How text is cut into pre-tokens: the named patterns, and any regular expression of yours.

Three patterns have names and are scanned by the native core: `gpt2` (also r50k and p50k), `cl100k` and `o200k`, word
for word as tiktoken 0.14 publishes them (`tiktoken_ext/openai_public.py`). Everything else is a *free* pattern: it is
run by the `regex` library, and what it means is what `regex.finditer` finds in each document. A free pattern has to
cover the text: tokenization loses nothing, so a match of no characters or a gap between two matches is an error that
shows where.

Left out: flags as an argument (write them into the pattern, `(?i)…`), and patterns over bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import regex

from hornbook.errors import TokenizerError, did_you_mean
from hornbook.tokenizer import _core

UNICODE_VERSION = "16.0.0"
"""The Unicode version of the character classes in the native scanners (those of tiktoken and of HF tokenizers)."""

PATIENCE, PATIENCE_PER_CHARACTER = 20.0, 5e-5
"""Seconds that a free pattern may take, with the time that its text is worked on between two matches."""
NAMED: dict[str, str] = {
    "gpt2": r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s""",
    "cl100k": (
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
        r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
    ),
    "o200k": (
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
        r"""|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
        r"""|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
    ),
}
"""Name → regular expression, as tiktoken publishes it."""

# Other spellings in circulation that find the same pre-tokens: the CS336 handout's and HF's ByteLevel for gpt2. (The
# `cl100k` of many tokenizer.json files is tiktoken's before 0.8 and differs on whitespace at the end of a text that
# holds a line break, so it stays a free pattern.)
_SAME_AS: dict[str, str] = {
    r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""": "gpt2",
    r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""": "gpt2",
    r"""'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""": "gpt2",
}


class Pattern(NamedTuple):
    """A pattern that can be used: validated, with its name where it has one."""

    name: str | None
    """`gpt2`, `cl100k` or `o200k`; None for a free pattern."""
    expression: str
    """The regular expression."""
    compiled: regex.Pattern[str]
    """The same, ready for the `regex` library."""

    @property
    def text(self) -> str:
        """What is stored with a tokenizer: the name, or the expression of a free pattern."""
        return self.name or self.expression


@functools.lru_cache(maxsize=64)
def find_pattern(pattern: str) -> Pattern:
    """Find a pattern by name, or take a regular expression of the user's.

    Args:
        pattern: `gpt2`, `cl100k`, `o200k`, the text of one of these, or any other regular expression.

    Raises:
        TokenizerError: an expression that does not compile or that can match nothing, or a misspelt name.
    """
    if not isinstance(pattern, str):
        raise TokenizerError(
            f"a pattern is a str, a name ({', '.join(NAMED)}) or a regular expression, not {pattern!r}"
        )
    named = {expression: name for name, expression in NAMED.items()} | _SAME_AS
    name = pattern if pattern in NAMED else named.get(pattern)
    if name is not None:
        return Pattern(name, NAMED[name], regex.compile(NAMED[name]))
    if pattern.replace("_", "").replace("-", "").isalnum():
        # A word is a regular expression too, but one that covers only texts which repeat that word.
        hint = did_you_mean(pattern, NAMED)
        raise TokenizerError(f"there is no pattern {pattern!r}{hint}: use {', '.join(NAMED)} or a regular expression")
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        at = getattr(error, "pos", None) or 0
        raise TokenizerError(
            f"the pattern {pattern!r} is not a regular expression: see character {at}, before {_excerpt(pattern, at)}"
        ) from None
    except (RecursionError, MemoryError, OverflowError):
        raise TokenizerError(f"the pattern {_excerpt(pattern, 0)} is nested too deeply, or too large") from None
    if compiled.match(""):
        raise TokenizerError(
            f"the pattern {pattern!r} can match nothing (an empty text), so it would not advance: "
            "replace `*` by `+` where a whole alternative can be empty"
        )
    return Pattern(None, pattern, compiled)


def is_native(pattern: str) -> bool:
    """Return whether the native core scans this pattern; the `regex` library runs others. Raises as `find_pattern`."""
    return find_pattern(pattern).name in _core.native_patterns


def split(text: str, pattern: str) -> Iterator[str]:
    r"""Yield the pre-tokens of one piece of text (no special tokens in it), by the `regex` library.

    The plain implementation of the native scanners, and the only one of a free pattern. Joined, the pieces are the
    text.

    Raises:
        TokenizerError: the pattern matches nothing somewhere, leaves some text uncovered, or takes for ever.

    Example:
        >>> list(split("it's  42\n", "gpt2"))
        ['it', "'s", ' ', ' 42', '\n']
    """
    _, expression, compiled = find_pattern(pattern)
    end = 0
    for match in _in_time(compiled, text):
        start, stop = match.span()
        if start == stop:
            raise TokenizerError(
                f"the pattern {expression!r} matches nothing at character {start}, before {_excerpt(text, start)}: "
                "every match must take at least one character"
            )
        if start != end:
            raise _uncovered(text, end, start, expression)
        yield match.group()
        end = stop
    if end != len(text):
        raise _uncovered(text, end, len(text), expression)


def _in_time(compiled: regex.Pattern[str], text: str) -> Iterator[regex.Match[str]]:
    try:
        yield from compiled.finditer(text, timeout=PATIENCE + PATIENCE_PER_CHARACTER * len(text))
    except TimeoutError:
        raise TokenizerError(
            f"the pattern {compiled.pattern!r} did not get through {_excerpt(text, 0)} in time: it backtracks without "
            "end; make its repetitions possessive (`++`, `*+`)"
        ) from None
    except MemoryError:
        raise TokenizerError(f"the pattern {compiled.pattern!r} needs more memory than there is") from None


def _uncovered(text: str, start: int, stop: int, expression: str) -> TokenizerError:
    return TokenizerError(
        f"the pattern {expression!r} leaves {_excerpt(text[start:stop], 0)} at character {start} uncovered: "
        "add an alternative that matches it, for example `|.` with (?s) at the front"
    )


def _excerpt(text: str, start: int) -> str:
    return repr(text[start : start + 24]) + ("…" if start + 24 < len(text) else "")
