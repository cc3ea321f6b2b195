"""The parser says where and why a text stops being a story; the instruments count it."""

import itertools
import json

import pytest

from hornbook.data.corpora import storyworld
from hornbook.data.corpora.storyworld.corpus import grammar
from hornbook.data.corpora.storyworld.instruments import plot_of
from hornbook.errors import DataError


def a_story_of(plot: str, level: str = "easy", saying: str = "") -> str:
    for one in storyworld.stories(2, level):
        if saying in one and plot_of(storyworld.parse(one, level)) == plot:
            return one
    raise AssertionError


def failure(text: str, level: str = "easy") -> storyworld.StoryError:
    with pytest.raises(storyworld.StoryError) as caught:
        storyworld.parse(text, level)
    return caught.value


def test_every_prefix_of_a_story_is_a_dead_end():
    one = a_story_of("broken")
    for size in range(0, len(one), 7):
        assert failure(one[:size]).kind == "dead end"
        assert failure(one[:size]).position <= size


@pytest.mark.parametrize("level", storyworld.LEVELS)
def test_an_unknown_word_is_named_at_its_place(level):
    one = storyworld.story(3, 1, level)
    words = one.split(" ")
    for place in (4, len(words) // 2):
        broken = " ".join([*words[:place], "quxly", *words[place:]])
        error = failure(broken, level)
        assert error.kind == "unknown word"
        assert "'quxly'" in str(error)
        assert broken[error.position - 5 : error.position + 6].find("q") >= 0


def test_another_name_is_broken_continuity():
    one = a_story_of("broken")
    decisions = storyworld.parse(one, "easy")
    owner = next(one[d.position :].split()[0] for d in decisions if d.rule.startswith("{child") and d.total < 16)
    other = next(c.word for c in grammar("easy").entities["child"] if c.word not in one)
    place = one.rindex(owner)
    error = failure(one[:place] + other + one[place + len(owner) :])
    assert error.kind in ("wrong name", "wrong owner")
    place = one.index(f"{owner}'s")
    error = failure(one[:place] + other + one[place + len(owner) :])
    assert error.kind == "wrong owner"
    assert error.position == place + len(error_prefix(owner, other))
    assert owner in str(error)
    assert other in str(error)


def error_prefix(a: str, b: str) -> str:
    return "".join(x for x, y in itertools.takewhile(lambda p: p[0] == p[1], zip(a, b, strict=False)))


def test_another_thing_is_a_wrong_thing():
    one = a_story_of("broken")
    toys = [t.word for t in grammar("easy").entities["toy"]]
    toy = next(t for t in toys if f"'s {t}." in one)
    other = next(t for t in toys if t not in one)
    assert failure(one.replace(f"'s {toy}.", f"'s {other}.", 1)).kind == "wrong thing"


def test_another_pronoun_and_a_known_word_out_of_place():
    one = a_story_of("garden", saying=". She ")
    assert failure(one.replace(". She ", ". He ", 1)).kind == "wrong pronoun"
    words = one.split(" ")
    assert failure(" ".join([*words[:3], words[2], *words[3:]])).kind == "grammar"


def test_more_text_after_the_end_is_an_error():
    one = a_story_of("garden")
    error = failure(one + " The end of it all, and a child.")
    assert error.position >= len(one)


def test_assessment_counts_kinds_novelty_and_plots():
    told = list(itertools.islice(storyworld.stories(1, "easy"), 400))
    bad = [told[0][:50], told[1] + " Zzz", ""]
    result = storyworld.assess(told + bad, "easy", known=set(told[:100]))
    assert (result.num_samples, result.num_valid) == (403, 400)
    assert result.valid_share == pytest.approx(400 / 403)
    assert result.failures["dead end"] == 2
    assert result.failures["unknown word"] == 1
    assert result.novelty == pytest.approx(0.75)
    assert sum(result.plot_counts.values()) == 400
    assert result.plot_coverage == 1.0
    assert result.plot_distance < 0.15
    assert result.verdicts[:400] == ("",) * 400
    assert all("\n" not in verdict and verdict for verdict in result.verdicts[400:])
    record = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert (record["valid"], record["failures"]["dead end"]) == (400, 2)
    assert sum(plot["true_share"] for plot in record["plots"].values()) == pytest.approx(1)


@pytest.mark.parametrize("count", [50, 400])
def test_the_distance_by_chance_is_what_stories_of_the_corpus_show(count):
    told = storyworld.stories(3, "easy")
    results = [storyworld.assess(list(itertools.islice(told, count)), "easy") for _ in range(20)]
    mean = sum(result.plot_distance for result in results) / len(results)
    assert results[0].plot_distance_by_chance == pytest.approx(mean, rel=0.15)


def test_nothing_valid_gives_no_novelty_and_no_sample_is_an_error():
    result = storyworld.assess(["Hello."], "easy")
    assert result.num_valid == 0
    assert result.novelty != result.novelty
    record = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert (record["novelty"], record["plot_distance"], record["plot_distance_by_chance"]) == (None, None, None)
    with pytest.raises(DataError, match="no sample"):
        storyworld.assess([], "easy")


@pytest.mark.parametrize("level", storyworld.LEVELS)
def test_true_plot_shares_are_those_of_the_stories(level):
    shares = storyworld.true_plot_shares(level)
    assert len(shares) >= 12
    assert sum(shares.values()) == pytest.approx(1)
    result = storyworld.assess(list(itertools.islice(storyworld.stories(8, level), 800)), level)
    for name, share in shares.items():
        assert abs(result.plot_counts[name] / 800 - share) < 5 * (share * (1 - share) / 800) ** 0.5
