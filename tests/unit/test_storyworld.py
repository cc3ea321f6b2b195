"""storyworld tells stories, parses them back, and knows their probability."""

import itertools
import math

import pytest
from storyworld_proof import ambiguities

from hornbook.data.corpora import storyworld
from hornbook.data.corpora.storyworld.corpus import grammar
from hornbook.data.corpora.storyworld.grammar import UNSAID
from hornbook.data.corpora.storyworld.machine import tell
from hornbook.errors import DataError

LEVELS = pytest.mark.parametrize("level", storyworld.LEVELS)


@LEVELS
def test_every_level_is_proved_injective(level):
    assert ambiguities(grammar(level)) == []


@LEVELS
def test_native_machine_equals_the_plain_one(level):
    for index in [*range(300), 2**40]:
        assert storyworld.story(index, 11, level) == tell(grammar(level), 11, index)


@LEVELS
def test_round_trip_of_700_stories(level):
    for one in itertools.islice(storyworld.stories(5, level), 700):
        decisions = storyworld.parse(one, level)
        assert math.isclose(
            math.exp(storyworld.log_probability(one, level)), math.prod(d.probability for d in decisions)
        )
        assert all(0 < d.weight < d.total for d in decisions)
        assert UNSAID not in one
        assert "  " not in one
        assert " \n" not in one
        assert one.isascii()


def test_generate_gives_the_fewest_whole_stories_of_at_least_the_size():
    text = storyworld.generate(5000, 3, "easy")
    assert text.endswith("\n<|endoftext|>\n")
    found = storyworld.split_stories(text)
    assert found == [storyworld.story(i, 3, "easy") for i in range(len(found))]
    last = len(found[-1]) + len("\n<|endoftext|>\n")
    assert len(text) - last < 5000 <= len(text)
    assert storyworld.generate(1, 3, "easy") == storyworld.story(0, 3, "easy") + "\n<|endoftext|>\n"


def test_threads_do_not_change_the_corpus():
    one, two = (storyworld.chunks(9, "easy", num_threads=n) for n in (1, 3))
    assert [next(one) for _ in range(5)] == [next(two) for _ in range(5)]


def test_floor_is_the_probability_over_the_bytes():
    text = storyworld.generate(3000, 4, "easy")
    found = storyworld.split_stories(text)
    nats = -sum(storyworld.log_probability(one, "easy") for one in found)
    size = sum(len(one) + 2 for one in found)
    assert storyworld.entropy_floor(text, "easy") == pytest.approx(nats / math.log(2) / size)
    assert storyworld.floor_nats_per_token(text, 700, "easy") == pytest.approx(nats / 700)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: storyworld.generate(0, 1), "at least 1"),
        (lambda: storyworld.generate(10, -1), "seed -1"),
        (lambda: storyworld.generate(10, 1, "hard"), "no level 'hard'"),
        (lambda: storyworld.entropy_floor("", "easy"), "no story"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(DataError, match=words):
        call()


def test_sentences_are_counted_up_to_the_first_mistake():
    from hornbook.data.corpora.storyworld.instruments import sentence_ends

    assert sentence_ends('One. "Two!" Three') == [4, 11, 17]
    assert sentence_ends("") == []
    (story,) = storyworld.split_stories(b"".join(storyworld.corpus_bytes(1000, 3, "easy")).decode())[:1]
    count = len(sentence_ends(story.strip()))
    spoilt = story.strip()[: sentence_ends(story.strip())[2]] + " Purple ideas sleep."
    found = storyworld.assess([story, spoilt, "Nothing of the kind."], "easy")
    assert (found.num_sentences, found.num_right_sentences) == (count + 4 + 1, count + 3)
    assert found.sentence_share == found.to_dict()["sentence_share"] == (count + 3) / (count + 5)


def test_the_best_story_is_one_that_parses_else_what_comes_nearest():
    from hornbook.evaluation.storyworld import StoryworldMetrics

    (story,) = storyworld.split_stories(b"".join(storyworld.corpus_bytes(1000, 3, "easy")).decode())[:1]
    spoilt = story.strip()[:-20] + " nonsense."
    texts = ("Nothing of the kind.", spoilt, story)
    metrics = StoryworldMetrics("easy", None, storyworld.assess(texts, "easy"), texts)
    assert metrics.best_story() == story.strip()
    assert metrics.lines()[0].startswith("sentences that parse as part of a story: ")
    assert metrics.lines()[-1] == "stories that storyworld's parser accepts: 1 of 3 (33%)"
    worse = StoryworldMetrics("easy", None, storyworld.assess(texts[:2], "easy"), texts[:2])
    assert worse.best_story() == spoilt
    assert StoryworldMetrics("easy", None, None).best_story() == ""
