"""A grammar of stories that is wrong is a sentence with the rule, when it is compiled or told."""

import pytest

from hornbook.data.corpora.storyworld.corpus import floor_nats_per_token
from hornbook.data.corpora.storyworld.grammar import compile_grammar
from hornbook.data.corpora.storyworld.machine import tell
from hornbook.errors import DataError

CLASSES = "class animal\n  fox +wild\n  cat\n"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("story = {a:animal} {a:animal.color}", "rule 'story': nothing of class 'animal' has an attribute 'color'"),
        ("story = {a:animal+red}", "rule 'story': nothing of class 'animal' is '+red'"),
        ("story = {a:plant}", "rule 'story': there is no class 'plant'"),
        ("story = ?mood x", "rule 'story': guard 'mood' is neither register=value nor register+tag"),
        ("story = {a:animal}[?a=wild x]", "rule 'story': register 'a' holds 'animal' elsewhere, '' here"),
        ("story = {a}", "rule 'story': register 'a' is used but nothing is ever picked into it"),
        ("story = <other>", "rule 'story': calls 'other', which is no rule"),
        ("story = <one(a)>\none(x) = <one(b)>", "rule 'one': 'one' reaches itself"),
        ("story = x <story>", "rule 'story': 'story' reaches itself"),
        ("story = <one(a)>\none(x) = y | <one(x)>", "rule 'one': 'one' reaches itself"),
        ("story = <one>\none = <two>\ntwo = [<one>]", "rule 'two': 'one' reaches itself"),
        ("story = <one(a)>\none = x", "rule 'story': calls 'one' with 1 registers; it takes 0"),
        ("story = <one two>", "rule 'story': cannot read the call '<one two>'"),
        ("story = {a b}", "rule 'story': cannot read '{a b}'"),
        ("story = x\nother = y", "nothing calls other"),
        ("story = [x", "no closing bracket in '[x'"),
        ("story is x", "cannot read the line 'story is x'"),
        ("story = x\nstory = y", "rule 'story' is written twice"),
    ],
)
def test_a_wrong_rule_is_a_sentence(rules, words):
    with pytest.raises(DataError) as caught:
        compile_grammar(CLASSES + rules, "easy")
    assert f"storyworld grammar{',' if 'rule ' in words and 'twice' not in words else ':'} {words}" == str(caught.value)


def test_a_state_that_no_alternative_fits_is_a_sentence():
    grammar = compile_grammar("story = [?mood=sad x]", "easy")
    with pytest.raises(DataError, match=r"no alternative of 'story.*' fits the state"):
        tell(grammar, 1, 0)


def test_levels_and_counts_of_tokens_are_checked():
    with pytest.raises(DataError, match="has no level 'hard'"):
        compile_grammar("story = x", "hard")
    with pytest.raises(DataError, match="0 tokens came"):
        floor_nats_per_token("x", 0)
