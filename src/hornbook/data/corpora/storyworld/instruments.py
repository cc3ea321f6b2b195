"""Instruments built on the parser: what a set of generated texts is worth, as pure functions.

Used by the evaluation, the demo, reports and the study of sampling: share of valid stories, first point of failure by
kind, novelty against the training stories, and coverage of the plot shapes against their true distribution.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.data.corpora.storyworld.corpus import grammar
from hornbook.data.corpora.storyworld.grammar import CHOICE, SET, Grammar
from hornbook.data.corpora.storyworld.parser import KINDS, Decision, StoryError, recover
from hornbook.errors import DataError
from hornbook.tokenizer.special import END_OF_TEXT

PLOT_RULE = "plot"
"""The rule whose alternatives are the plot shapes."""


@dataclass(frozen=True)
class Assessment:
    """What the parser says of a set of samples."""

    num_samples: int
    num_valid: int
    failures: dict[str, int]
    """Kind (of `KINDS`) → samples that fail by it."""
    valid_prefixes: tuple[float, ...]
    """For each sample the share of its characters that a story could open with; 1 for a valid one."""
    num_sentences: int
    """Sentences of all samples."""
    num_right_sentences: int
    """Those before the place where their sample stops being a story."""
    novelty: float
    """Share of the valid samples that are not among the known stories; NaN if none is valid."""
    plot_counts: dict[str, int]
    """Plot shape → valid samples that have it."""
    true_plots: dict[str, float]
    """Plot shape → its probability in the corpus."""
    verdicts: tuple[str, ...]
    """For each sample: empty for a valid one, else the sentence that says where and why it stops being a story."""

    @property
    def valid_share(self) -> float:
        """Return the share of samples that are valid stories."""
        return self.num_valid / self.num_samples

    @property
    def mean_valid_prefix(self) -> float:
        """Return the mean share of a sample that a story could open with, 0 … 1."""
        return sum(self.valid_prefixes) / self.num_samples

    @property
    def sentence_share(self) -> float:
        """Return the share of the sentences that parse: that a story could go on with at their place."""
        return self.num_right_sentences / max(1, self.num_sentences)

    @property
    def plot_coverage(self) -> float:
        """Return the share of the plot shapes that occur among the valid samples."""
        return sum(count > 0 for count in self.plot_counts.values()) / len(self.plot_counts)

    @property
    def plot_distance(self) -> float:
        """Return the total variation distance of the valid samples' plots from the true ones, 0 … 1; NaN if none is."""
        if not self.num_valid:
            return float("nan")
        return sum(abs(self.plot_counts[n] / self.num_valid - p) for n, p in self.true_plots.items()) / 2

    @property
    def plot_distance_by_chance(self) -> float:
        """Return about the distance that as many stories of the corpus itself would have; NaN if none is valid.

        A count is nearly normal, so its mean absolute deviation is √(2/π) of its standard one.
        """
        if not self.num_valid:
            return float("nan")
        return sum(math.sqrt(2 * p * (1 - p) / math.pi / self.num_valid) for p in self.true_plots.values()) / 2

    def to_dict(self) -> dict[str, Any]:
        """Return the measures as values for JSON, without the verdicts; what is not defined is None."""
        measures = {
            "samples": self.num_samples,
            "valid": self.num_valid,
            "valid_share": self.valid_share,
            "mean_valid_prefix": self.mean_valid_prefix,
            "sentences": self.num_sentences,
            "sentence_share": self.sentence_share,
            "novelty": self.novelty,
            "plot_coverage": self.plot_coverage,
            "plot_distance": self.plot_distance,
            "plot_distance_by_chance": self.plot_distance_by_chance,
        }
        plots = {n: {"count": self.plot_counts[n], "true_share": p} for n, p in self.true_plots.items()}
        return {key: None if value != value else value for key, value in measures.items()} | {
            "failures": dict(self.failures),
            "plots": plots,
        }


def assess(samples: Sequence[str], level: str = "normal", known: Collection[str] = ()) -> Assessment:
    """Read generated texts by the parser.

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
    valid = new = sentences = right = 0
    prefixes: list[float] = []
    verdicts = []
    for sample in (s.strip() for s in samples):
        ends = sentence_ends(sample)
        sentences += len(ends)
        try:
            decisions = recover(compiled, sample)
        except StoryError as error:
            failures[error.kind] += 1
            prefixes.append(error.position / len(sample) if sample else 0.0)
            right += sum(end <= error.position for end in ends)
            verdicts.append(str(error))
            continue
        verdicts.append("")
        valid += 1
        right += len(ends)
        prefixes.append(1.0)
        new += sample not in known
        plots[plot_of(decisions)] += 1
    return Assessment(
        num_samples=len(samples),
        num_valid=valid,
        failures=failures,
        valid_prefixes=tuple(prefixes),
        num_sentences=sentences,
        num_right_sentences=right,
        novelty=new / valid if valid else float("nan"),
        plot_counts={name: plots[name] for name in true},
        true_plots=true,
        verdicts=tuple(verdicts),
    )


def sentence_ends(text: str) -> list[int]:
    """Return where the sentences of a text end; what follows the last mark, if anything, is one too."""
    ends = [match.end() for match in re.finditer(r'[.!?]+["”’]*(?=\s|$)', text)]
    return ends if not text or (ends and ends[-1] == len(text)) else [*ends, len(text)]


def first_places(samples: Iterable[str], corpus: Iterable[bytes]) -> tuple[dict[str, int], int]:
    """Return where in a corpus each sample that is in it stands first, and how many stories the corpus has.

    Args:
        samples: texts; white space around them does not count.
        corpus: its text in pieces of whole stories (`corpus_bytes`), so that one of any size fits into memory.
    """
    wanted = {sample.strip().encode() for sample in samples}
    places: dict[str, int] = {}
    number = 0
    for piece in corpus:
        for text in map(bytes.strip, piece.split(END_OF_TEXT.encode())):
            if not text:
                continue
            if text in wanted:
                places.setdefault(text.decode(), number)
            number += 1
    return places, number


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
