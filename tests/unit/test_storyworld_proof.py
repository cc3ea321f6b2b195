"""The proof of injectivity accepts grammars that are unambiguous and names the alternatives of those that are not."""

import pytest
from storyworld_proof import ambiguities

from hornbook.data.corpora.storyworld.grammar import compile_grammar

CHILDREN = "class child\n  +f: Ann, Annie, Sue\n  +m: Tom, Sam\n"


def problems(rules: str) -> list[str]:
    return ambiguities(compile_grammar(CHILDREN + rules, "easy"))


@pytest.mark.parametrize(
    "rules",
    [
        "story = A [cat|dog] ran.",
        "story = {a:child} met {b:child}. [{a} ran.|{b} ran.]",
        "story = {a:child} met {b:child}. [{a} ran.|{a} sat.|They sat.]",
        "story = {a:child} met {b:child}. [{a} ran.|{b} sat.|{a.He} sat.]",
        "story = It[| was] red.",
        "story = <x> and <x>.\nx = one|two|one more",
        "story = [{!t=day}The sun|{!t=night}The moon] rose. <n>\nn :\n  ?t=day It shone.\n  ?t=night It shone.",
        "story = {a:child} ran. [?a+f She fell.|?a+m He fell.]",
    ],
)
def test_unambiguous_grammars_are_proved(rules):
    assert problems(rules) == []


@pytest.mark.parametrize(
    "rules",
    [
        "story = A [cat|cat] ran.",
        "story = A cat [ran|ran] home.",
        "story = It was red[| and red][| and red].",
        "story = {a:child} met {b:child}. [{a.He} ran.|{b.He} ran.]",
        "story = {a:child} met {b:child}. [{a}|{a}] ran.",
        "story = [{a:child}|Tom] ran.",
        "story = <x>[|s].\nx = one|ones|two",
        "story = <x>[|s] ran. <x>.\nx = one|ones",
        "story = [{!t=day}|{!t=night}]The sun rose.",
        "story = {a:child} {:child.He} ran.",
        "story = {a:child} ran. [{!t=day}|{!t=night}]{a} fell. <n>\nn :\n  ?t=day It shone.\n  ?t=night It shone.",
    ],
)
def test_ambiguous_grammars_are_caught(rules):
    assert problems(rules)
