"""The proof that a grammar is injective: different choices always give different texts.

    python tools/storyworld_proof.py        every level: exit code 0 and nothing found is the proof

At every point of choice, any two alternatives that the same state allows must come to differ in a character before
either story is over. Then two choice sequences share their text up to the first differing choice, have the same state
there, and differ soon after it. `ambiguities` checks that by running each pair of alternatives side by side:

- the same register said by both is the same text, as long as neither has filled it anew;
- else a register stands for everything of its class; one register holds one thing, two of a class hold two things;
- the same choice called by both from the same state, or the same pick, is one step for both: if they choose differently
  there, they differ by the proof of that choice, which allows for everything that can follow it;
- what follows a rule is everything that follows any of its calls.

The last is a superset of what can happen, so an empty answer is a proof, and a reported pair may be one that no story
reaches.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from hornbook.data.corpora.storyworld.corpus import grammar
from hornbook.data.corpora.storyworld.grammar import CHOICE, LIT, PICK, REF, SET, UNSAID, Grammar
from hornbook.data.corpora.storyworld.lexicon import LEVELS

_END = "\0"
_OPEN = "?"
Held: TypeAlias = tuple[tuple[int, frozenset[int]], ...]
"""Register → the entities or flag values that it may hold, sorted by register."""


@dataclass(frozen=True)
class _Side:
    """One alternative on its way: what is still to say, and what is known of the registers."""

    rest: tuple | None
    known: Held = ()
    """Assumed of the state at the choice, which both sides share."""
    own: Held = ()
    """What this side alone has put into registers since."""

    def with_own(self, register: int, values: frozenset[int]) -> _Side:
        """Return the side after it filled a register with one of these values."""
        return replace(self, own=_put(self.own, register, values))

    def shared(self, registers: frozenset[int]) -> _Side:
        """Return the side after both sides filled these registers with the same things."""
        return replace(
            self,
            known=tuple(x for x in self.known if x[0] not in registers),
            own=tuple(x for x in self.own if x[0] not in registers),
        )


def _put(held: Held, register: int, values: frozenset[int]) -> Held:
    return tuple(sorted([*(x for x in held if x[0] != register), (register, values)], key=lambda x: x[0]))


class _Proof:
    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.followers: dict[int, list] = defaultdict(list)
        for index, choice in enumerate(grammar.choices):
            for which, sequence in enumerate(choice.sequences):
                for i, operation in enumerate(sequence):
                    if operation[0] == CHOICE:
                        self.followers[operation[1]].append((index, which, i + 1, _OPEN))
        self.assigned: dict[int, frozenset[int]] = {}
        self.prefix_free: dict[tuple[int, int], bool] = {}

    def fills(self, index: int) -> frozenset[int]:
        """Return the registers that a choice can fill."""
        if index not in self.assigned:
            found: set[int] = set()
            for sequence in self.grammar.choices[index].sequences:
                for operation in sequence:
                    if operation[0] == CHOICE:
                        found |= self.fills(operation[1])
                    elif operation[0] in (PICK, SET) and operation[1] >= 0:
                        found.add(operation[1])
            self.assigned[index] = frozenset(found)
        return self.assigned[index]

    def is_taken(self, held: Held, register: int, values: frozenset[int]) -> bool:
        """Return whether another register of the same class holds just this entity."""
        kinds = self.grammar.register_class
        return bool(kinds[register]) and any(
            other != register and others == values and kinds[other] == kinds[register] for other, others in held
        )

    def together(self, a: _Side, b: _Side) -> bool:
        """Return whether what the sides assume of the state that they share can hold at once."""
        merged = a.known
        for register, values in b.known:
            values = values & dict(merged).get(register, values)
            if not values or (len(values) == 1 and self.is_taken(merged, register, values)):
                return False
            merged = _put(merged, register, values)
        for side in (a, b):
            filled = {register for register, _ in side.own}
            others = tuple(x for x in merged if x[0] not in filled)
            if any(len(v) == 1 and self.is_taken(others, r, v) for r, v in side.own):
                return False
        return True

    def narrow(self, side: _Side, register: int, values: frozenset[int]) -> _Side | None:
        """Return the side with a register known to hold one of these values, or None if it cannot."""
        own = dict(side.own)
        if register in own:
            values = values & own[register]
            return side.with_own(register, values) if values else None
        values = values & dict(side.known).get(register, values)
        if not values or (len(values) == 1 and self.is_taken((*side.known, *side.own), register, values)):
            return None
        return replace(side, known=_put(side.known, register, values))

    def steps(self, side: _Side, seen: frozenset[int] = frozenset()) -> Iterator[tuple[tuple, _Side]]:
        """Yield (next operation other than SET, the side after it) for every way on; a call is not entered."""
        rest = side.rest
        while rest is not None:
            index, which, i, outer = rest
            sequence = self.grammar.choices[index].sequences[which]
            if i < len(sequence):
                operation = sequence[i]
                rest = (index, which, i + 1, outer)
                if operation[0] != SET:
                    yield operation, replace(side, rest=rest)
                    return
                side = side.with_own(operation[1], frozenset([operation[2]]))
            elif outer == _OPEN:
                if index == self.grammar.start:
                    yield (LIT, _END), replace(side, rest=None)
                if index not in seen:
                    for caller in self.followers[index]:
                        yield from self.steps(replace(side, rest=caller), seen | {index})
                return
            else:
                rest = outer
        yield (LIT, _END), replace(side, rest=None)

    def entered(self, called: int, side: _Side) -> Iterator[tuple[tuple, _Side]]:
        """Yield the steps of every alternative of a call that the side's state allows."""
        for which, guard in enumerate(self.grammar.choices[called].guards):
            inside: _Side | None = replace(side, rest=(called, which, 0, side.rest))
            for register, values in guard:
                inside = self.narrow(inside, register, values) if inside is not None else None
            if inside is not None:
                yield from self.steps(inside)

    def spelled(self, operation: tuple, side: _Side) -> Iterator[tuple[str, _Side]]:
        """Yield the texts that an operation can say, each with the side after it."""
        if operation[0] == LIT:
            yield operation[1], side
        elif operation[0] == CHOICE:
            for inner, after in self.entered(operation[1], side):
                yield from self.spelled(inner, after)
        else:
            pick = operation[0] == PICK
            register, texts = operation[1], self.grammar.tables[operation[3] if pick else operation[2]]
            by_text: dict[str, set[int]] = defaultdict(set)
            for entity in self.grammar.pools[operation[2]] if pick else range(len(texts)):
                if texts[entity] != UNSAID:
                    by_text[texts[entity]].add(entity)
            for text, members in by_text.items():
                values = frozenset(members)
                after = side if pick and register < 0 else None
                if pick and register >= 0:
                    after = side.with_own(register, values)
                elif not pick:
                    after = self.narrow(side, register, values)
                if after is not None:
                    yield text, after

    def in_step(self, operation: tuple, a: _Side, b: _Side) -> frozenset[int] | None:
        """Return the registers that both sides fill alike by the same operation, or None if it may differ."""
        if operation[0] == LIT:
            return frozenset()
        if operation[0] == REF:
            return None if operation[1] in dict(a.own) or operation[1] in dict(b.own) else frozenset()
        if operation[0] == CHOICE:
            same_state = a.own == b.own and all(len(values) == 1 for _, values in a.own)
            return self.fills(operation[1]) if same_state else None
        # The sides may stand at different places of the grammar: only texts that differ at once settle a pick for both.
        if not self.is_prefix_free(operation[2], operation[3]):
            return None
        return frozenset([operation[1]]) if operation[1] >= 0 else frozenset()

    def clash(self, a: tuple[str, _Side], b: tuple[str, _Side]) -> bool:
        """Return whether two sides, each with text said ahead, may come to the story's end without differing."""
        stack, seen = [(a, b)], set()
        while stack:
            pair = stack.pop()
            (left, x), (right, y) = pair
            common = min(len(left), len(right))
            if left[:common] != right[:common] or pair in seen or not self.together(x, y):
                continue
            if len(seen) > 20_000:
                return True
            seen.add(pair)
            left, right = left[common:], right[common:]
            if left == right == "" and x.rest is None and y.rest is None:
                return True
            if left or right:
                said, ahead, behind = (left, x, y) if left else (right, y, x)
                for operation, after in self.steps(behind):
                    for text, on in self.spelled(operation, after):
                        if text.startswith(said) or said.startswith(text):
                            stack.append(((said, ahead), (text, on)))
            else:
                stack += self.side_by_side(x, y)
        return False

    def side_by_side(self, x: _Side, y: _Side) -> Iterator[tuple[tuple[str, _Side], tuple[str, _Side]]]:
        """Yield the pairs of ways on, of two sides that have said the same, that do not differ at once."""
        right_steps = list(self.steps(y))
        right_texts: list[dict[str, list[tuple[str, _Side]]] | None] = [None] * len(right_steps)
        for operation, after in self.steps(x):
            left_texts: list[tuple[str, _Side]] | None = None
            for place, (other, other_after) in enumerate(right_steps):
                alike = self.in_step(operation, after, other_after) if operation == other else None
                if alike is not None:
                    yield ("", after.shared(alike)), ("", other_after.shared(alike))
                    continue
                if left_texts is None:
                    left_texts = list(self.spelled(operation, after))
                by_first = right_texts[place]
                if by_first is None:
                    by_first = right_texts[place] = defaultdict(list)
                    for text, on in self.spelled(other, other_after):
                        by_first[text[:1]].append((text, on))
                for text, on in left_texts:
                    for near, near_on in by_first.get(text[:1], ()):
                        if text.startswith(near) or near.startswith(text):
                            yield (text, on), (near, near_on)

    def alternatives(self, index: int) -> Iterator[tuple[int, int]]:
        """Yield the pairs of alternatives of one choice that are not shown to differ."""
        guards = self.grammar.choices[index].guards
        sides: list[_Side | None] = []
        for which, guard in enumerate(guards):
            side: _Side | None = _Side((index, which, 0, _OPEN))
            for register, values in guard:
                side = self.narrow(side, register, values) if side is not None else None
            sides.append(side)
        for j, b in enumerate(sides):
            for i, a in enumerate(sides[:j]):
                if a is not None and b is not None and self.clash(("", a), ("", b)):
                    yield i, j

    def pick(self, position: tuple, operation: tuple) -> Iterator[tuple[int, int]]:
        """Yield the pairs of entities that one pick cannot tell apart by what it says and what follows."""
        _, register, pool, table = operation
        texts = self.grammar.tables[table]
        found = sorted((texts[e], e) for e in self.grammar.pools[pool])
        distinguished_by_name = self.distinguished_by_name(position, operation)
        for i, (text, entity) in enumerate(found):
            for longer, other in found[i + 1 :]:
                if not longer.startswith(text):
                    break
                if longer == text and distinguished_by_name:
                    continue
                sides = [
                    _Side(position, own=((register, frozenset([e])),) if register >= 0 else ()) for e in (entity, other)
                ]
                if self.clash((text, sides[0]), (longer, sides[1])):
                    yield entity, other

    def distinguished_by_name(self, position: tuple, operation: tuple) -> bool:
        """Return whether a few fixed words and then the picked thing's own word follow, as in "a girl named Lily"."""
        index, which, i, _ = position
        for after in self.grammar.choices[index].sequences[which][i:]:
            if after[0] == REF:
                entities = self.grammar.pools[operation[2]]
                return after[1] == operation[1] and _prefix_free([self.grammar.tables[after[2]][e] for e in entities])
            if after[0] == CHOICE and not self.is_fixed(after[1]):
                return False
            if after[0] not in (CHOICE, LIT):
                return False
        return False

    def is_fixed(self, index: int) -> bool:
        """Return whether a choice says one of a few texts that differ at once, whatever the state."""
        choice = self.grammar.choices[index]
        literal = all(len(sequence) == 1 and sequence[0][0] == LIT for sequence in choice.sequences)
        return literal and not any(choice.guards) and _prefix_free([sequence[0][1] for sequence in choice.sequences])

    def is_prefix_free(self, pool: int, table: int) -> bool:
        """Return whether no text of a pick opens another one."""
        key = (pool, table)
        if key not in self.prefix_free:
            self.prefix_free[key] = _prefix_free([self.grammar.tables[table][e] for e in self.grammar.pools[pool]])
        return self.prefix_free[key]


def _prefix_free(texts: list[str]) -> bool:
    return not any(b.startswith(a) for a, b in pairwise(sorted(texts)))


def ambiguities(grammar: Grammar) -> list[str]:
    """Return a sentence for each pair of alternatives that is not shown to give different texts; empty is a proof.

    Args:
        grammar: a compiled level.
    """
    proof = _Proof(grammar)
    found = []
    for index, choice in enumerate(grammar.choices):
        for a, b in proof.alternatives(index):
            found.append(f"{choice.name}: {choice.labels[a]!r} and {choice.labels[b]!r}")
        for which, sequence in enumerate(choice.sequences):
            for i, operation in enumerate(sequence):
                if operation[0] == PICK:
                    for a, b in proof.pick((index, which, i + 1, _OPEN), operation):
                        texts = grammar.tables[operation[3]]
                        found.append(f"{choice.name}, {choice.labels[which]!r}: {texts[a]!r} and {texts[b]!r}")
    return found


def main() -> int:
    """Print what is not shown to differ, level by level; return 1 where there is anything."""
    found = {level: ambiguities(grammar(level)) for level in LEVELS}
    for level, sentences in found.items():
        print(f"{level}: {f'{len(sentences)} pairs are not shown to differ' if sentences else 'injective'}")
        print(*(f"  {sentence}" for sentence in sentences), sep="\n", end="\n" if sentences else "")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
