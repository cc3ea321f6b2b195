"""The words in which a study says how a run ended and what a comparison found; no other module has words of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from hornbook.format import counted

FEWEST_SEEDS = 5
"""Paired seeds below which no arm is called better or worse."""

Ending = Literal["finished", "learned nothing", "diverged", "failed"]
BETTER, WORSE, NOT_DISTINGUISHABLE = "better", "worse", "not distinguishable"

RISEN = 1.1
"""A final loss of so many times the first one is a divergence that the guard has not seen."""


def ending_of(status: str, values: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> Ending:
    """Return how a run ended.

    `failed`: without a result. `diverged`: stopped by the guard, without a finite loss, or with one risen well above
    its first. `learned nothing`: no better than guessing all tokens alike (ln V); its number is shown. `finished`: all
    else.

    Args:
        status: the run's own: `done`, `diverged` or `failed`.
        values: `val_loss` and `uniform_loss` (ln V) where they are known.
        records: of `metrics.jsonl`.
    """
    if status == "failed":
        return "failed"
    loss, uniform = values.get("val_loss"), values.get("uniform_loss")
    if status == "diverged" or loss is None:
        return "diverged"
    if uniform is None or loss < uniform:
        return "finished"
    first = next((r["val_loss"] for r in records if r.get("val_loss") is not None), None)
    return "diverged" if first is not None and loss > RISEN * first else "learned nothing"


def comparison_of(low: float | None, high: float | None, seeds: int) -> str:
    """Return what the interval of a mean paired difference (arm − baseline, lower is better) says."""
    if low is None or high is None or seeds < FEWEST_SEEDS:
        return f"not tested: {counted(seeds, 'seed')}, {FEWEST_SEEDS} are needed"
    return BETTER if high < 0 else WORSE if low > 0 else NOT_DISTINGUISHABLE
