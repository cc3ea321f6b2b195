"""Means, intervals and paired comparisons over seeds.

Arms of a study are paired: seed k gives every arm the same data order (and, where shapes agree, the same initial
weights), so the difference to the baseline is taken seed by seed, which removes most of the spread between seeds.
Student's t for both, Holm's step-down correction (Holm 1979) over the comparisons of one study. Every interval of a
comparison is given at the level of its Holm step, so "the interval excludes 0" and "Holm rejects" are one statement.
The t distribution is scipy's. Left out: unequal weights, and normality tests (with five seeds they would see nothing).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from hornbook.studies.charts import Interval
from hornbook.studies.verdict import comparison_of

ALPHA = 0.05
FEWEST_FOR_AN_INTERVAL = 3
"""Values below which they are shown one by one: the interval of two would be 13 standard errors wide to each side."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """One arm against the baseline, lower values being better."""

    arm: str
    seeds: int
    """Pairs that both finished."""
    difference: float
    """Mean of arm − baseline."""
    low: float | None
    """Lower end of the interval at the Holm level; None with fewer than two pairs."""
    high: float | None
    p: float | None
    """Two-sided p of the paired t-test, before correction."""
    p_holm: float | None
    """The same, corrected over all comparisons of the study."""
    verdict: str
    """In the words of `verdict.comparison_of`."""

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """Its ends, none where there are too few pairs for an interval that says something."""
        return (None, None) if self.seeds < FEWEST_FOR_AN_INTERVAL else (self.low, self.high)

    def cells(self, interval: Callable[[float, float], str]) -> dict[str, Any]:
        """Return the table cells, all but the difference; `interval` says how its ends are written."""
        (low, high), p = self.interval, self.p_holm if self.seeds >= FEWEST_FOR_AN_INTERVAL else None
        return {
            "seeds": self.seeds,
            "interval": None if low is None or high is None else {"value": low, "text": interval(low, high)},
            "p": None if p is None else {"value": p, "text": "< 0.0001" if p < 1e-4 else f"{p:.4f}"},
            "verdict": self.verdict,
        }

    def in_words(self) -> str:
        """Return the difference, its interval (where there is one) and the number of pairs."""
        few = self.low is None or self.seeds < FEWEST_FOR_AN_INTERVAL
        interval = "" if few else f"interval {self.low:+.4f} to {self.high:+.4f}, "
        return f"difference {self.difference:+.4f}, {interval}{self.seeds} paired seeds"


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of `values` and the half-width of its 95 % t-interval (None below three values).

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("the mean of no values is not defined")
    mean = fmean(values)
    if len(values) < FEWEST_FOR_AN_INTERVAL:
        return Interval(mean, None, tuple(values))
    error = stdev(values) / math.sqrt(len(values))
    return Interval(mean, t_quantile(1 - ALPHA / 2, len(values) - 1) * error, tuple(values))


def compare(
    arms: Mapping[str, Mapping[int, float]], baseline: str, alpha: float = ALPHA, *, updates: int | None = None
) -> list[Comparison]:
    """Compare every arm with the baseline over the seeds that both finished.

    Args:
        arms: arm → seed → value (lower is better); seeds that diverged are absent.
        baseline: the arm that the others are compared with.
        alpha: family-wise error rate of all comparisons together.
        updates: fewest of a run; None: nothing was trained.

    Returns:
        One comparison per other arm, in the order of `arms`; arms without a common seed are left out.
    """
    differences = {}
    for arm, values in arms.items():
        common = sorted(set(values) & set(arms[baseline]))
        if arm != baseline and common:
            differences[arm] = [values[seed] - arms[baseline][seed] for seed in common]
    p_values = {arm: _paired_p(d) for arm, d in differences.items() if len(d) >= 2}
    levels, corrected = _holm(p_values, alpha)
    return [
        _comparison(arm, d, p_values.get(arm), corrected.get(arm), levels.get(arm), updates)
        for arm, d in differences.items()
    ]


def _comparison(
    arm: str, d: Sequence[float], p: float | None, p_holm: float | None, level: float | None, updates: int | None
) -> Comparison:
    mean = fmean(d)
    half = None
    if level is not None:
        half = t_quantile(1 - level / 2, len(d) - 1) * stdev(d) / math.sqrt(len(d))
    low, high = (None, None) if half is None else (mean - half, mean + half)
    verdict = comparison_of(low, high, len(d), updates)
    return Comparison(arm=arm, seeds=len(d), difference=mean, low=low, high=high, p=p, p_holm=p_holm, verdict=verdict)


def _paired_p(differences: Sequence[float]) -> float:
    spread = stdev(differences)
    mean = fmean(differences)
    if spread == 0:
        # Identical runs give p = 1; a constant, exact difference could not be more certain.
        return 1.0 if mean == 0 else 0.0
    return t_two_sided_p(mean / (spread / math.sqrt(len(differences))), len(differences) - 1)


def _holm(p_values: Mapping[str, float], alpha: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return for every name the level that Holm's procedure tests it at, and its corrected p."""
    ordered = sorted(p_values, key=lambda name: p_values[name])
    levels, corrected, largest, stopped_at = {}, {}, 0.0, None
    for rank, name in enumerate(ordered):
        remaining = len(ordered) - rank
        level = alpha / remaining if stopped_at is None else stopped_at
        if stopped_at is None and p_values[name] >= level:
            stopped_at = level
        largest = max(largest, min(1.0, remaining * p_values[name]))
        levels[name], corrected[name] = level, largest
    return levels, corrected


def t_two_sided_p(t: float, df: float) -> float:
    """Return P(|T| ≥ |t|) for Student's t with `df` degrees of freedom."""
    from scipy.special import stdtr  # here, so that listing and showing studies does not wait for scipy

    return float(2 * stdtr(df, -abs(t)))


def t_quantile(probability: float, df: float) -> float:
    """Return the value that Student's t with `df` degrees of freedom stays below with `probability`."""
    from scipy.special import stdtrit

    return float(stdtrit(df, probability))
