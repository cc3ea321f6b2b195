"""Instruments built on the parser: what a set of generated texts is worth, as pure functions.

Used by the evaluation, the demo and reports: share of valid stories, first point of failure by kind, novelty against
the training stories, and coverage of the plot shapes against their true distribution.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hornbook.data.storyworld.corpus import grammar
from hornbook.data.storyworld.grammar import CHOICE, SET, Grammar
from hornbook.data.storyworld.parser import KINDS, Decision, StoryError, recover
from hornbook.errors import DataError

__all__ = ["Assessment", "assess", "plot_of", "true_plot_shares"]

PLOT_RULE = "plot"
"""The rule whose alternatives are the plot shapes."""


@dataclass(frozen=True)
class Assessment:
    """What the parser says of a set of samples."""

    num_samples: int
    num_valid: int
    failures: dict[str, int]
    """Kind (of `KINDS`) → samples that fail by it."""
    mean_valid_prefix: float
    """Mean share of a sample's characters that a story could open with; 1 for a valid one."""
    novelty: float
    """Share of the valid samples that are not among the known stories; NaN if none is valid."""
    plot_counts: dict[str, int]
    """Plot shape → valid samples that have it."""
    plot_distance: float
    """Total variation distance of the valid samples' plots from the true distribution, 0 … 1; NaN if none is valid."""

    @property
    def valid_share(self) -> float:
        """Return the share of samples that are valid stories."""
        return self.num_valid / self.num_samples

    @property
    def plot_coverage(self) -> float:
        """Return the share of the plot shapes that occur among the valid samples."""
        return sum(count > 0 for count in self.plot_counts.values()) / len(self.plot_counts)


def assess(samples: Sequence[str], level: str = "normal", known: Collection[str] = ()) -> Assessment:
    """Judge generated texts by the parser.

    Args:
        samples: one text per sample, without separator; white space around it does not count.
        level: the level that the model was trained on.
        known: the training stories, for the novelty (a set makes it fast).

    Raises:
        DataError: no sample, or an unknown level.
    """
    if not samples:
        raise DataError("no sample came; storyworld's instruments need at least one")
    compiled = grammar(level)
    failures = dict.fromkeys(KINDS, 0)
    true = true_plot_shares(level)
    plots: Counter[str] = Counter()
    valid = new = 0
    prefix = 0.0
    for sample in (s.strip() for s in samples):
        try:
            decisions = recover(compiled, sample)
        except StoryError as error:
            failures[error.kind] += 1
            prefix += error.position / len(sample) if sample else 0.0
            continue
        valid += 1
        prefix += 1.0
        new += sample not in known
        plots[plot_of(decisions)] += 1
    return Assessment(
        num_samples=len(samples),
        num_valid=valid,
        failures=failures,
        mean_valid_prefix=prefix / len(samples),
        novelty=new / valid if valid else float("nan"),
        plot_counts={name: plots[name] for name in true},
        plot_distance=sum(abs(plots[n] / valid - p) for n, p in true.items()) / 2 if valid else float("nan"),
    )


def plot_of(decisions: Sequence[Decision]) -> str:
    """Return the plot shape of a parsed story."""
    return _plot_name(next(d.chosen for d in decisions if d.rule == PLOT_RULE))


def _plot_name(label: str) -> str:
    return re.findall(r"<(\w+)", label)[-1]


def true_plot_shares(level: str) -> dict[str, float]:
    """Return the exact probability of each plot shape of a level.

    Where a plot depends on the state (the weather), the state's distribution is followed through the opening exactly.
    """
    compiled = grammar(level)
    shares: dict[str, float] = {}
    choice = next(c for c in compiled.choices if c.name == PLOT_RULE)
    for state, probability in _states_before(compiled, choice.name).items():
        known = dict(state)
        open_ = [i for i, guard in enumerate(choice.guards) if all(known.get(r, -1) in v for r, v in guard)]
        total = sum(choice.weights[i] for i in open_)
        for i, label in enumerate(choice.labels):
            name = _plot_name(label)
            chance = probability * choice.weights[i] / total if i in open_ else 0.0
            shares[name] = shares.get(name, 0.0) + chance
    return shares


def _states_before(compiled: Grammar, rule: str) -> dict[frozenset[tuple[int, int]], float]:
    """Return the distribution of the flags that the rule's guards ask, at the moment when the rule is called first."""
    target = next(i for i, c in enumerate(compiled.choices) if c.name == rule)
    asked = {register for guard in compiled.choices[target].guards for register, _ in guard}
    (sequence,) = compiled.choices[compiled.start].sequences
    states: dict[frozenset[tuple[int, int]], float] = {frozenset(): 1.0}
    for operation in sequence:
        if operation == (CHOICE, target):
            return states
        states = _after(compiled, operation, states, asked)
    raise AssertionError("the start rule calls the plots")


def _after(compiled: Grammar, operation: tuple, states: dict, asked: set[int]) -> dict:
    if operation[0] == CHOICE:
        choice = compiled.choices[operation[1]]
        result: dict = {}
        for state, probability in states.items():
            known = dict(state)
            # What these openings guard on is among what is asked or not set before; the tests compare with a sample.
            open_ = [i for i, guard in enumerate(choice.guards) if all(known.get(r, -1) in v for r, v in guard)]
            total = sum(choice.weights[i] for i in open_)
            for i in open_:
                inner = {state: probability * choice.weights[i] / total}
                for step in choice.sequences[i]:
                    inner = _after(compiled, step, inner, asked)
                for after, chance in inner.items():
                    result[after] = result.get(after, 0.0) + chance
        return result
    if operation[0] == SET and operation[1] in asked:
        return {
            frozenset({(r, v) for r, v in state if r != operation[1]} | {(operation[1], operation[2])}): p
            for state, p in states.items()
        }
    return states
