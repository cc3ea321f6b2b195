"""The parser: recovers the choices behind a story, or says where and why a text stops being one.

It runs the same tables as the generator with the text as oracle: at a choice it follows each alternative whose guard
holds until the text contradicts it. The grammar's proof (tools/storyworld_proof.py) shows that two alternatives always
differ before either is over, so that at most one survives and the parse is unique; nothing is searched beyond a few
words.

A failure is the furthest point that any alternative reached. Its kind: "unknown word" (a word that no story of the
level has), "dead end" (the text ends inside a story), "wrong name", "wrong owner", "wrong thing", "wrong pronoun"
(the word contradicts what the story said before; together: broken continuity), else "grammar".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, log

from hornbook.data.corpora.storyworld.grammar import CHOICE, LIT, PICK, REF, Choice, Grammar
from hornbook.data.corpora.storyworld.lexicon import PRONOUNS
from hornbook.data.corpora.storyworld.machine import allowed
from hornbook.errors import DataError

KINDS: tuple[str, ...] = (
    "grammar",
    "unknown word",
    "wrong name",
    "wrong owner",
    "wrong thing",
    "wrong pronoun",
    "dead end",
)


class StoryError(DataError):
    """A text that is not a story.

    Attributes:
        position: characters of the text that a story could open with.
        kind: one of `KINDS`.
    """

    def __init__(self, message: str, position: int, kind: str) -> None:
        super().__init__(message)
        self.position = position
        self.kind = kind


@dataclass(frozen=True)
class Decision:
    """One choice of a story: where it was made, what was chosen, and how likely that was given the state."""

    position: int
    """Character of the text at which the choice shows first."""
    rule: str
    chosen: str
    weight: int
    total: int

    @property
    def probability(self) -> float:
        """Return weight / total."""
        return self.weight / self.total


class _Run:
    """One parse: the stack of open alternatives and the furthest failure."""

    def __init__(self, grammar: Grammar, text: str) -> None:
        self.grammar = grammar
        self.text = text
        self.furthest = -1
        self.expected: list[tuple[tuple, tuple]] = []

    def miss(self, position: int, operation: tuple, state: tuple) -> None:
        if position > self.furthest:
            self.furthest, self.expected = position, []
        if position == self.furthest:
            self.expected.append((operation, state))

    def follow(self):
        """Return the trail of decisions (newest first, linked), or None."""
        grammar, text = self.grammar, self.text
        start: tuple = ((CHOICE, grammar.start),)
        stack: list = [((start, 0, None), 0, (-1,) * len(grammar.registers), None)]
        while stack:
            rest, at, state, trail = stack.pop()
            while True:
                if rest is None:
                    if at == len(text):
                        return trail
                    self.miss(at, (LIT, ""), state)
                    break
                sequence, i, outer = rest
                if i == len(sequence):
                    rest = outer
                    continue
                operation = sequence[i]
                rest = (sequence, i + 1, outer)
                code = operation[0]
                if code in (LIT, REF):
                    said = operation[1] if code == LIT else grammar.tables[operation[2]][state[operation[1]]]
                    if not text.startswith(said, at):
                        self.miss(at + _common(text, at, said), operation if code == REF else (LIT, said), state)
                        break
                    at += len(said)
                elif code == CHOICE:
                    self.branch(operation[1], rest, at, state, trail, stack)
                    break
                elif code == PICK:
                    self.pick(operation, rest, at, state, trail, stack)
                    break
                else:
                    state = (*state[: operation[1]], operation[2], *state[operation[1] + 1 :])
        return None

    def branch(self, index: int, rest: tuple, at: int, state: tuple, trail, stack: list) -> None:
        choice: Choice = self.grammar.choices[index]
        open_ = allowed(choice.guards, state)
        total = sum(choice.weights[i] for i in open_)
        for i in reversed(open_):
            sequence = choice.sequences[i]
            if sequence and sequence[0][0] == LIT and not self.text.startswith(sequence[0][1], at):
                said = sequence[0][1]
                self.miss(at + _common(self.text, at, said), sequence[0], state)
                continue
            taken = trail if len(open_) == 1 else (at, choice.name, choice.labels[i], choice.weights[i], total, trail)
            stack.append(((sequence, 0, rest), at, state, taken))

    def pick(self, operation: tuple, rest: tuple, at: int, state: tuple, trail, stack: list) -> None:
        _, register, pool, table = operation
        grammar = self.grammar
        taken = {state[r] for r in grammar.rivals[pool]} if register >= 0 else set()
        candidates = [e for e in grammar.pools[pool] if e not in taken]
        texts = grammar.tables[table]
        found = False
        for entity in candidates:
            if self.text.startswith(texts[entity], at):
                found = True
                held = (*state[:register], entity, *state[register + 1 :]) if register >= 0 else state
                link = (at, "{" + grammar.pool_names[pool] + "}", texts[entity], 1, len(candidates), trail)
                stack.append((rest, at + len(texts[entity]), held, trail if len(candidates) == 1 else link))
        if not found:
            reach = max((_common(self.text, at, texts[entity]) for entity in candidates), default=0)
            self.miss(at + reach, operation, state)


def _common(text: str, at: int, said: str) -> int:
    n = 0
    while n < len(said) and at + n < len(text) and text[at + n] == said[n]:
        n += 1
    return n


def recover(grammar: Grammar, text: str) -> list[Decision]:
    """Return the decisions that tell `text`, in the order of the text.

    Args:
        grammar: the compiled level.
        text: one story without separator; white space at its end is not part of it.

    Raises:
        StoryError: the text is not a story of this level.
    """
    text = text.rstrip("\n")
    run = _Run(grammar, text)
    trail = run.follow()
    if trail is None:
        raise _explain(run)
    decisions = []
    while trail is not None:
        *fields, trail = trail
        decisions.append(Decision(*fields))
    decisions.reverse()
    return decisions


def total_log_probability(decisions: list[Decision]) -> float:
    """Return the natural logarithm of the product of the decisions' probabilities."""
    return fsum(log(d.weight / d.total) for d in decisions)


@lru_cache(maxsize=8)
def _words_of(level: str, texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(w for t in texts for w in re.findall(r"[A-Za-z]+", t))


def vocabulary(grammar: Grammar) -> frozenset[str]:
    """Return every word (run of letters, as written) that a story of the level can have."""
    texts = [t for table in grammar.tables for t in table]
    for choice in grammar.choices:
        for sequence in choice.sequences:
            texts += [op[1] for op in sequence if op[0] == LIT]
    return _words_of(grammar.level, tuple(texts))


def _explain(run: _Run) -> StoryError:
    text, at = run.text, run.furthest
    start = at
    while start > 0 and text[start - 1].isalpha():
        start -= 1
    found = re.compile(r"\s*[A-Za-z]+|[^A-Za-z]").match(text, start)
    word = found[0].lstrip() or found[0] if found else ""
    before = text[max(0, start - 40) : start].replace("\n", " ")
    if not word or (found is not None and found.end() == len(text) and at == len(text)):
        return StoryError(f"the text ends inside a story, after {before + word!r}", at, "dead end")
    if word.isalpha() and word not in vocabulary(run.grammar):
        return StoryError(f"no story has the word {word!r} (after {before!r})", at, "unknown word")
    for operation, state in run.expected:
        if operation[0] != REF:
            continue
        kind = _contradiction(run, operation, state)
        if kind:
            wanted = run.grammar.tables[operation[2]][state[operation[1]]]
            return StoryError(
                f"{kind}: the story so far wants {wanted!r} after {before!r}, the text has {word!r}", at, kind
            )
    return StoryError(f"no story goes on with {word!r} after {before!r}", at, "grammar")


def _contradiction(run: _Run, operation: tuple, state: tuple) -> str | None:
    """Return the kind of broken continuity if the text names another entity where the state wanted one, else None."""
    _, register, table = operation
    grammar = run.grammar
    wanted = grammar.tables[table][state[register]]
    class_name, asked = grammar.table_names[table]
    for said in set(grammar.tables[table]) - {wanted}:
        common = _common(said, 0, wanted)
        begin = run.furthest - _common(wanted, 0, said)
        if begin >= 0 and run.text.startswith(said, begin) and common < max(len(said), 1):
            if asked[0].lower() + asked[1:] in PRONOUNS:
                return "wrong pronoun"
            if not _is_person(grammar, class_name):
                return "wrong thing"
            return "wrong owner" if run.text.startswith("'s ", begin + len(said)) else "wrong name"
    return None


def _is_person(grammar: Grammar, class_name: str) -> bool:
    return any(entity.tags & {"f", "m"} for entity in grammar.entities[class_name])
