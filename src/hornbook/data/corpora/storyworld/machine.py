"""The story machine: tells one story by running the grammar's tables with a seeded generator of integers.

This is the plain implementation beside cpp/src/storyworld.cpp; both give the same bytes. Random numbers are splitmix64
(Steele, Lea and Flood 2014) with Lemire's unbiased bounded draw (2019) on 32 bits: integers only, so that no platform's
floating point can change a byte, and every alternative has exactly the probability weight / total. Story i of seed s
has a stream of its own, so any part of a corpus can be written without what comes before it.
"""

from __future__ import annotations

from hornbook.data.corpora.storyworld.grammar import CHOICE, LIT, PICK, REF, Grammar
from hornbook.errors import DataError

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class Draw:
    """The stream of draws of one story.

    Args:
        seed: the corpus' seed, 0 … 2⁶⁴ − 1.
        index: the story's number in the corpus.
    """

    def __init__(self, seed: int, index: int) -> None:
        self.state = _mix((_mix((seed + _GOLDEN) & _MASK) + index * _GOLDEN) & _MASK)

    def below(self, bound: int) -> int:
        """Return an integer uniform over 0 … bound − 1 (bound < 2³²); a bound of 1 draws nothing."""
        if bound == 1:
            return 0
        threshold = (1 << 32) % bound
        while True:
            self.state = (self.state + _GOLDEN) & _MASK
            product = (_mix(self.state) >> 32) * bound
            if (product & 0xFFFFFFFF) >= threshold:
                return product >> 32


def allowed(guards: list[tuple[tuple[int, frozenset[int]], ...]], state: list[int] | tuple[int, ...]) -> list[int]:
    """Return the alternatives whose guards the state satisfies."""
    return [i for i, guard in enumerate(guards) if all(state[r] in values for r, values in guard)]


def tell(grammar: Grammar, seed: int, index: int) -> str:
    """Return story `index` of the corpus of `seed`, without the separator after it."""
    draw = Draw(seed, index)
    state = [-1] * len(grammar.registers)
    pieces: list[str] = []

    def run(sequence: tuple) -> None:
        for operation in sequence:
            code = operation[0]
            if code == LIT:
                pieces.append(operation[1])
            elif code == REF:
                assert state[operation[1]] >= 0, f"register {grammar.registers[operation[1]]} is empty"
                pieces.append(grammar.tables[operation[2]][state[operation[1]]])
            elif code == CHOICE:
                run(choose(operation[1]))
            elif code == PICK:
                _, register, pool, table = operation
                taken = {state[r] for r in grammar.rivals[pool]} if register >= 0 else ()
                candidates = [e for e in grammar.pools[pool] if e not in taken]
                entity = candidates[draw.below(len(candidates))]
                if register >= 0:
                    state[register] = entity
                pieces.append(grammar.tables[table][entity])
            else:
                state[operation[1]] = operation[2]

    def choose(index: int) -> tuple:
        choice = grammar.choices[index]
        open_ = allowed(choice.guards, state)
        if not open_:
            raise DataError(f"storyworld grammar: no alternative of {choice.name!r} fits the state")
        left = draw.below(sum(choice.weights[i] for i in open_))
        for i in open_:
            left -= choice.weights[i]
            if left < 0:
                return choice.sequences[i]
        raise AssertionError("the draw lies below the total")

    run(choose(grammar.start))
    return "".join(pieces)
