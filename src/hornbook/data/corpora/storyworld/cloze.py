"""Cloze items: the beginning of a story and two continuations of one sentence, of which only one goes on with it.

The wrong one differs by a single name, thing or pronoun that the level has, and contradicts what the story said before:
storyworld's parser refuses it there, for broken continuity. A model that does not look back at the story is right in
half of the cases. Every item is of a story of `SEED`, a seed of its own, so no training text of another seed holds it
but by chance. Left out: wrong grammar and unknown words, which a model of a few letters finds too.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from hornbook.data.corpora.storyworld.corpus import grammar, parse, story
from hornbook.data.corpora.storyworld.parser import StoryError
from hornbook.errors import DataError

SEED = 8_888_888
KINDS = ("wrong name", "wrong owner", "wrong thing", "wrong pronoun")
_SENTENCE = re.compile(r".*?[.!?][\"”]?(?=\s|$)", re.S)
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True)
class ClozeItem:
    """One question."""

    context: str
    """The story up to the sentence, without white space at its end."""
    choices: tuple[str, str]
    """Two sentences, each with the white space before it."""
    label: int
    """Which of them is the story's."""
    kind: str
    """What the other one breaks: one of `KINDS`."""


def cloze_items(count: int, level: str = "normal", seed: int = SEED) -> list[ClozeItem]:
    """Return questions, at most one from each story; the same arguments give the same ones.

    Args:
        count: how many.
        level: "easy", "normal" or "rich".
        seed: of the stories.

    Raises:
        DataError: fewer than one, or a level that there is not.
    """
    if count < 1:
        raise DataError(f"{count} cloze items were asked for; ask for at least 1")
    found: list[ClozeItem] = []
    index = 0
    while len(found) < count:
        item = next(_items(story(index, seed, level), level, random.Random(f"{seed}:{level}:{index}")), None)
        if item is not None:
            found.append(item)
        index += 1
    return found


def _items(text: str, level: str, draw: random.Random) -> Iterator[ClozeItem]:
    """Yield the questions that a story has, in an order drawn by `draw`."""
    sentences = [match.span() for match in _SENTENCE.finditer(text)]
    places = [(span, word) for span in sentences[2:] for word in _WORD.finditer(text, *span)]
    draw.shuffle(places)
    for (begin, end), word in places:
        others = sorted(_alternatives(level).get(word[0], ()))
        draw.shuffle(others)
        for other in others[:4]:
            wrong = text[: word.start()] + other + text[word.end() :]
            shift = len(other) - len(word[0])
            kind = _failure(wrong, level, word.start(), end + shift)
            if kind in KINDS:
                label = draw.randrange(2)
                right, broken = text[begin:end], wrong[begin : end + shift]
                gap = len(right) - len(right.lstrip())
                context = text[:begin].rstrip()
                space = text[len(context) : begin] + right[:gap]
                pair = (space + right[gap:], space + broken[gap:])
                yield ClozeItem(context, pair if label == 0 else (pair[1], pair[0]), label, kind)


def _failure(text: str, level: str, begin: int, end: int) -> str | None:
    """Return the kind of the first failure if it lies in text[begin:end], else None."""
    try:
        parse(text, level)
    except StoryError as error:
        return error.kind if begin <= error.position < end else None
    return None


@lru_cache(maxsize=3)
def _alternatives(level: str) -> dict[str, frozenset[str]]:
    """Return word → the other words that stand with it in a table of the grammar: of things of the same class."""
    found: dict[str, set[str]] = {}
    for table in grammar(level).tables:
        words = {text for text in table if _WORD.fullmatch(text)}
        for word in words:
            found.setdefault(word, set()).update(words - {word})
    return {word: frozenset(others) for word, others in found.items()}
