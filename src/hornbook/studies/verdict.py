"""The words in which studies and reports say how a run ended and what a comparison found; others have no words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from hornbook.format import counted

FEWEST_SEEDS = 5
"""Paired seeds below which no arm is called better or worse."""
FEWEST_UPDATES = 20
"""Updates of a run below which it only shows that the study works: nothing is judged by it."""

Ending = Literal["finished", "learned nothing", "diverged", "failed"]
Course = Literal["overfitting", "still falling", "level"]
BETTER, WORSE, NOT_DISTINGUISHABLE = TESTED = "better", "worse", "not distinguishable"

RISEN = 1.1
"""A final loss of so many times the first one is a divergence that the guard has not seen, …"""
RISEN_UPDATES = 20
"""… and so is a training loss that stays there, and above ln V, for so many updates, whatever is repaired later."""

OVERFITTED = 1.02
"""A last validation loss of so many times the lowest one, while the training loss fell on, is overfitting."""
LAST_PART, FALLEN = 0.2, 0.99
"""A validation loss that is at most so many times what it was before the last fifth of the steps still falls."""


def ending_of(status: str, values: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> Ending:
    """Return how a run ended.

    `failed`: without a result. `diverged`: stopped by the guard, without a finite loss, ending well above its first
    one, or having stayed well above it for RISEN_UPDATES. `learned nothing`: no better than guessing all tokens alike
    (ln V) after FEWEST_UPDATES; its number is shown. `finished`: all else.

    Args:
        status: the run's own: `done`, `diverged` or `failed`.
        values: `val_loss`, `uniform_loss` (ln V) and `step` where they are known.
        records: of `metrics.jsonl`.
    """
    if status == "failed":
        return "failed"
    loss, uniform = values.get("val_loss"), values.get("uniform_loss")
    if status == "diverged" or loss is None:
        return "diverged"
    first = next((r["val_loss"] for r in records if r.get("val_loss") is not None), None)
    if first is not None and _stayed_above(RISEN * max(first, uniform or first), records):
        return "diverged"
    if uniform is None or loss < uniform:
        return "finished"
    if first is not None and loss > RISEN * first:
        return "diverged"
    return "finished" if values.get("step", FEWEST_UPDATES) < FEWEST_UPDATES else "learned nothing"


def _stayed_above(level: float, records: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the training loss was above a level (or NaN) in all records of RISEN_UPDATES."""
    since: int | None = None
    for record in records:
        if "train_loss" not in record:
            continue
        loss = record["train_loss"]
        if loss is not None and loss <= level:
            since = None
        elif since is None:
            since = record["step"]
        elif record["step"] - since >= RISEN_UPDATES:
            return True
    return False


def course_of(records: Sequence[Mapping[str, Any]]) -> tuple[Course, Mapping[str, Any]] | None:
    """Return how the validation loss went at the end, and the record to compare the last one with: the lowest of an
    overfitting run, otherwise the last before LAST_PART of the steps. None: fewer than three validation losses.

    Args:
        records: of `metrics.jsonl`.
    """
    measured = [r for r in records if isinstance(r.get("val_loss"), float) and math.isfinite(r["val_loss"])]
    if len(measured) < 3:
        return None
    last, best = measured[-1], min(measured, key=lambda r: r["val_loss"])
    training = [(r["step"], r["train_loss"]) for r in records if r.get("train_loss") is not None]
    before = [loss for step, loss in training if step <= best["step"]]
    if last["val_loss"] > OVERFITTED * best["val_loss"] and before and training[-1][1] < before[-1]:
        return "overfitting", best
    earlier = [r for r in measured if r["step"] <= (1 - LAST_PART) * last["step"]]
    reference = earlier[-1] if earlier else measured[0]
    return "still falling" if last["val_loss"] <= FALLEN * reference["val_loss"] else "level", reference


def comparison_of(low: float | None, high: float | None, seeds: int, updates: int | None = None) -> str:
    """Return what the interval of a mean paired difference (arm − baseline, lower is better) says.

    Args:
        low: its lower end; None: there is none.
        high: its upper end.
        seeds: pairs behind it.
        updates: fewest of a run; None: nothing was trained.
    """
    if updates is not None and updates < FEWEST_UPDATES:
        return f"not tested: {counted(updates, 'update')}, {FEWEST_UPDATES} are needed"
    if low is None or high is None or seeds < FEWEST_SEEDS:
        return f"not tested: {counted(seeds, 'seed')}, {FEWEST_SEEDS} are needed"
    return BETTER if high < 0 else WORSE if low > 0 else NOT_DISTINGUISHABLE
