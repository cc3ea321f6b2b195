"""Ten stories in a row read like ten different stories: few of their sentences are alike once names are left out."""

import itertools
import re

import pytest

from hornbook.data.corpora import storyworld
from hornbook.data.corpora.storyworld.corpus import grammar
from hornbook.data.corpora.storyworld.lexicon import attribute

LEVELS = pytest.mark.parametrize("level", storyworld.LEVELS)
GROUP = 10

# Level → the most that may be shared with another story of the same ten: sentences, openings, closings.
MOST_SHARED = {"easy": (0.35, 0.3, 0.4), "normal": (0.2, 0.25, 0.15), "rich": (0.22, 0.25, 0.2)}


def shape(level: str) -> re.Pattern[str]:
    """Match the words for the things of the world and their pronouns: what a template fills in."""
    words: set[str] = {"he", "she", "him", "her", "his", "He", "She", "His", "Her", "himself", "herself"}
    for entity in itertools.chain.from_iterable(grammar(level).entities.values()):
        words |= {text for name in ("word", "a", "pl", "Word", "A") if (text := attribute(entity, name))}
    return re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + r")\b")


def shared(stories: list[str], level: str) -> tuple[float, float, float]:
    """Return the shares of sentences, first sentences and last ones that another story of the same ten has, too."""
    filled = shape(level)
    masked = [[filled.sub("_", s) for s in re.split(r'(?<=[.!?])"?\s+|(?<=[.!?]")\s+', one)] for one in stories]
    groups = [masked[i : i + GROUP] for i in range(0, len(masked), GROUP)]
    pairs = [(one, [b for b in group if b is not one]) for group in groups for one in group]
    said = [s in set(itertools.chain.from_iterable(others)) for one, others in pairs for s in one]
    first = [one[0] in {b[0] for b in others} for one, others in pairs]
    last = [one[-1] in {b[-1] for b in others} for one, others in pairs]
    return sum(said) / len(said), sum(first) / len(first), sum(last) / len(last)


@LEVELS
def test_ten_stories_share_few_sentences(level):
    found = shared(list(itertools.islice(storyworld.stories(1, level), 300)), level)
    for share, most in zip(found, MOST_SHARED[level], strict=True):
        assert share <= most, found


@LEVELS
def test_stories_have_60_to_400_words(level):
    sizes = [len(one.split()) for one in itertools.islice(storyworld.stories(1, level), 5000)]
    assert min(sizes) >= 60
    assert max(sizes) <= 400


def test_the_levels_together_have_2000_words_and_easy_has_few():
    words = {
        level: {
            word
            for one in itertools.islice(storyworld.stories(1, level), 3000)
            for word in re.findall(r"[a-z][a-z'-]*", one.lower())
        }
        for level in storyworld.LEVELS
    }
    assert len(words["rich"]) >= 2000
    assert len(words["easy"]) <= 600
