"""The proof against brute force: a grammar that it accepts has no two choice sequences with one text."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from storyworld_proof import ambiguities

from hornbook.data.corpora.storyworld.grammar import CHOICE, LIT, PICK, REF, SET, compile_grammar
from hornbook.data.corpora.storyworld.machine import allowed
from hornbook.errors import DataError

CHILDREN = "class child\n  +f: a, ab\n  +m: b\n"
PIECES = [
    "a",
    "b",
    "ab",
    "{x}",
    "{y}",
    "{x.he}",
    "{:child}",
    "<r>",
    "<s>",
    "{!f=p}",
    "{!f=q}",
    "[a|b]",
    "[|a]",
    "[ab|a]",
    "[{!f=p}a|{!f=q}b]",
]
GUARDS = ["", "", "", "?f=p ", "?f=q ", "?x+m ", "?x+f "]


def texts(grammar) -> list[str]:
    """Return the text of every choice sequence."""
    found = []

    def run(todo, state, said):
        while todo:
            sequence, i = todo[-1]
            if i == len(sequence):
                todo = todo[:-1]
                continue
            operation = sequence[i]
            todo = (*todo[:-1], (sequence, i + 1))
            if operation[0] == LIT:
                said += operation[1]
            elif operation[0] == REF:
                said += grammar.tables[operation[2]][state[operation[1]]]
            elif operation[0] == SET:
                state = {**state, operation[1]: operation[2]}
            elif operation[0] == PICK:
                _, register, pool, table = operation
                taken = {state.get(r) for r in grammar.rivals[pool]} if register >= 0 else set()
                for entity in grammar.pools[pool]:
                    if entity not in taken:
                        after = {**state, register: entity} if register >= 0 else state
                        run(todo, after, said + grammar.tables[table][entity])
                return
            else:
                choice = grammar.choices[operation[1]]
                for which in allowed(choice.guards, [state.get(r, -1) for r in range(len(grammar.registers))]):
                    run((*todo, (choice.sequences[which], 0)), state, said)
                return
        found.append(said)

    run(((((CHOICE, grammar.start),), 0),), {}, "")
    return found


@st.composite
def sources(draw):
    def line(pieces):
        return draw(st.sampled_from(GUARDS)) + "".join(draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=3)))

    flat = [p for p in PIECES if "<" not in p]
    s = "\n  ".join(line(flat) for _ in range(draw(st.integers(1, 3))))
    r = "\n  ".join(line([*flat, "<s>"]) for _ in range(draw(st.integers(1, 3))))
    body = "".join(draw(st.lists(st.sampled_from(PIECES), max_size=4)))
    return f"{CHILDREN}story = {{x:child}}-{{y:child}}[{{!f=p}}-|{{!f=q}}+]<r>{body}<s>\nr :\n  {r}\ns :\n  {s}\n"


@settings(max_examples=400, deadline=None)
@given(sources())
def test_a_proved_grammar_has_no_text_told_twice(source):
    try:
        grammar = compile_grammar(source, "easy")
    except DataError:
        return
    if not ambiguities(grammar):
        twice = [text for text, count in Counter(texts(grammar)).items() if count > 1]
        assert not twice, source
