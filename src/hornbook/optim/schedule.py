"""Learning-rate schedules as plain functions of the update number: warm-up, then cosine, linear, WSD or constant.

The k-th update (k = 1 … N) uses `it = k`, and the cycle length is N, so that the last update runs at the minimum.
`it` may be a fraction (a schedule that follows the clock). Sources: cosine: Touvron et al. 2023 as CS336 handout §4.4;
WSD (warm-up, stable, decay): Hu et al. 2024, https://arxiv.org/abs/2404.06395. Left out: restarts,
plateau detection.
"""

from __future__ import annotations

import math

from hornbook.errors import ConfigError, did_you_mean
from hornbook.optim.base import check_nonnegative

SCHEDULES = ("cosine", "linear", "wsd", "constant")


def lr_cosine_schedule(
    it: float,
    max_learning_rate: float,
    min_learning_rate: float,
    warmup_iters: float,
    cosine_cycle_iters: float,
) -> float:
    """Return the learning rate of update `it`: linear warm-up, half a cosine down to the minimum, then the minimum.

    Args:
        it: the update's number t; the first one is 1.
        max_learning_rate: α_max, reached at t = T_w.
        min_learning_rate: α_min, reached at t = T_c and kept after it.
        warmup_iters: T_w; while t < T_w the rate is t/T_w · α_max.
        cosine_cycle_iters: T_c ≥ T_w.

    Raises:
        ConfigError: a negative number, or a warm-up longer than the cycle.

    Source: CS336 assignment 1, §4.4.
    """
    done = _progress(it, max_learning_rate, min_learning_rate, warmup_iters, warmup_iters, cosine_cycle_iters)
    if done is None:
        return it / warmup_iters * max_learning_rate
    return min_learning_rate + 0.5 * (1.0 + math.cos(math.pi * done)) * (max_learning_rate - min_learning_rate)


def lr_linear_schedule(
    it: float, max_learning_rate: float, min_learning_rate: float, warmup_iters: float, total_iters: float
) -> float:
    """Return the learning rate of update `it`: linear warm-up, a straight line down to the minimum at `total_iters`.

    Args and errors as `lr_cosine_schedule`.
    """
    done = _progress(it, max_learning_rate, min_learning_rate, warmup_iters, warmup_iters, total_iters)
    if done is None:
        return it / warmup_iters * max_learning_rate
    return _between(max_learning_rate, min_learning_rate, done)


def lr_wsd_schedule(
    it: float,
    max_learning_rate: float,
    min_learning_rate: float,
    warmup_iters: float,
    total_iters: float,
    decay_iters: float | None = None,
) -> float:
    """Return the learning rate of update `it`: linear warm-up, a plateau, a straight line down to the floor.

    Args:
        it: the update's number; the first one is 1.
        max_learning_rate: the plateau.
        min_learning_rate: the floor.
        warmup_iters: updates of linear warm-up.
        total_iters: the last update.
        decay_iters: how many updates the decline takes, the last one at `total_iters`; None takes a fifth of
            `total_iters` (what is left after the warm-up, where that is less).

    Raises:
        ConfigError: as `lr_cosine_schedule`, or warm-up and decline together longer than the whole.
    """
    if decay_iters is None:
        decay_iters = max(0.0, min(0.2 * total_iters, total_iters - warmup_iters))
    check_nonnegative(decay_iters=decay_iters)
    if warmup_iters + decay_iters > total_iters:
        raise ConfigError(
            f"a warm-up of {warmup_iters} updates and a decline of {decay_iters} do not fit into {total_iters}; "
            "shorten one of them"
        )
    start = total_iters - decay_iters
    done = _progress(it, max_learning_rate, min_learning_rate, warmup_iters, start, total_iters)
    if done is None:
        return it / warmup_iters * max_learning_rate
    return _between(max_learning_rate, min_learning_rate, done)


def lr_constant_schedule(it: float, max_learning_rate: float, warmup_iters: float = 0) -> float:
    """Return the learning rate of update `it`: linear warm-up, then `max_learning_rate` for ever."""
    done = _progress(it, max_learning_rate, max_learning_rate, warmup_iters, math.inf, math.inf)
    return it / warmup_iters * max_learning_rate if done is None else max_learning_rate


def learning_rate(
    name: str,
    it: float,
    *,
    max_learning_rate: float,
    min_learning_rate: float,
    warmup_iters: float,
    total_iters: float,
    decay_iters: float | None = None,
) -> float:
    """Return the learning rate of update `it` under the schedule called `name` (one of `SCHEDULES`).

    Raises:
        ConfigError: an unknown name, or numbers that its schedule does not take.
    """
    if name == "cosine":
        return lr_cosine_schedule(it, max_learning_rate, min_learning_rate, warmup_iters, total_iters)
    if name == "linear":
        return lr_linear_schedule(it, max_learning_rate, min_learning_rate, warmup_iters, total_iters)
    if name == "wsd":
        return lr_wsd_schedule(it, max_learning_rate, min_learning_rate, warmup_iters, total_iters, decay_iters)
    if name == "constant":
        return lr_constant_schedule(it, max_learning_rate, warmup_iters)
    raise ConfigError(
        f"there is no schedule {name!r}{did_you_mean(name, SCHEDULES)}; choose one of {', '.join(SCHEDULES)}"
    )


def _between(high: float, low: float, done: float) -> float:
    """Return the point at `done` of the way from `high` to `low`, exactly `low` at the end."""
    return low if done >= 1.0 else high + (low - high) * done


def _progress(it: float, high: float, low: float, warmup: float, start: float, end: float) -> float | None:
    """Return how much of the decline from `start` to `end` is done at `it`, 0 … 1, or None during the warm-up."""
    check_nonnegative(it=it, max_learning_rate=high, min_learning_rate=low, warmup_iters=warmup)
    if warmup > end:
        raise ConfigError(f"a warm-up of {warmup} updates does not fit into {end}; shorten it or train longer")
    if it < warmup:
        return None
    if it >= end:
        return 1.0
    return max(0.0, (it - start) / (end - start)) if math.isfinite(start) else 0.0
