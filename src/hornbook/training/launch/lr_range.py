"""A learning-rate range test: one short training whose rate grows from update to update until the loss runs away.

The rate is multiplied by the same factor after every update (Smith 2017, "Cyclical Learning Rates for Training Neural
Networks", §3.3, https://arxiv.org/abs/1506.01186; the exponential sweep is that of fast.ai's `lr_find`). Two readings
of the curve, both of the smoothed loss: the rate at which it falls most steeply per decade, and a tenth of the rate at
which it is lowest; the lower of the two is suggested. It says which rates the first updates from these weights stand,
with this batch and clipping. It does not say which rate ends lowest after a whole run with warm-up and decline: that
takes whole runs (`hornbook study run learning_rate`). Nothing is written. Left out: several processes.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from hornbook.data.prepare import prepare
from hornbook.errors import ConfigError, HornbookError
from hornbook.tracking.console import Console
from hornbook.training.config import TrainConfig
from hornbook.training.launch.device import resolve_auto, set_machine
from hornbook.training.launch.init_from import weight_initializer
from hornbook.training.launch.memory_check import check_memory_fits
from hornbook.training.sections import ScheduleSection
from hornbook.training.trainer import Trainer

MEMORY = 0.9
"""Share of the past in the running mean that is watched for the end."""
AWAY = 1.1
"""The loss has run away where its running mean is so many times the first loss, or nothing finite …"""
BACK = 0.5
"""… or where it has lost this share of what it had gained."""
REACH = 0.3
"""Decades to each side over which the loss is smoothed and its slope is taken."""
FEWEST = 20
"""Updates below which a curve says nothing."""


@dataclass(frozen=True)
class RangeTest:
    """A finished test."""

    rates: list[float]
    """Learning rate of each update."""
    losses: list[float]
    """Loss of each batch before its update."""
    ran_away: bool
    """The loss ran away; otherwise the test ended at its highest rate."""
    smooth: list[float]
    """The losses, smoothed over `REACH` decades."""
    slopes: list[float]
    """Change of the loss per decade of the rate."""

    @property
    def steepest(self) -> float:
        """The rate at which the loss falls most steeply."""
        return self.rates[int(np.argmin(self.slopes))]

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed loss is lowest."""
        return self.rates[int(np.argmin(self.smooth))]

    @property
    def suggestion(self) -> float | None:
        """The lower of the steepest point and a tenth of the lowest one, to two figures; None where nothing fell."""
        if min(self.smooth) > self.smooth[0] - 0.01 * abs(self.smooth[0]) or min(self.slopes) >= 0:
            return None
        return float(f"{min(self.steepest, self.lowest / 10):.2g}")


def range_test(config: TrainConfig, low: float, high: float, steps: int, console: Console) -> RangeTest:
    """Train with a growing rate and read the curve.

    Args:
        config: the recipe; its schedule, steps and time are not used.
        low: rate of the first update.
        high: rate of the last, if it comes to that.
        steps: updates from one to the other.
        console: where progress goes.

    Raises:
        ConfigError: the range is none.
        HornbookError: the loss ran away before there was a curve; the recipe or the data cannot be used.
    """
    if not (0 < low < high <= 1e6 and steps >= FEWEST):
        raise ConfigError(
            f"a sweep from {low:g} to {high:g} in {steps:,} updates is none: give 0 < --low < --high, and --steps "
            f"{FEWEST} or more"
        )
    trainer = _trainer(config, console)
    peaks = [group["peak_lr"] for group in trainer.state.optimizer.param_groups]
    rates, losses = [], []
    mean = first = best = 0.0
    with console.stage("range test", steps) as stage:
        for number in range(steps):
            rate = low * (high / low) ** (number / (steps - 1))
            # Groups with a rate of their own (muon_lr) keep their ratio to it.
            for group, peak in zip(trainer.state.optimizer.param_groups, peaks, strict=True):
                group["peak_lr"] = rate * peak / config.optimizer.lr
            loss = float(trainer.update_at(number, 1, 1).loss)
            if not math.isfinite(loss):
                return _read(rates, losses, ran_away=True)
            rates.append(rate)
            losses.append(loss)
            mean = MEMORY * mean + (1 - MEMORY) * loss
            now = mean / (1 - MEMORY ** (number + 1))
            first = first or loss
            best = now if number == 0 else min(best, now)
            stage.update(number + 1, f"rate {rate:.2g}, loss {loss:.3f}")
            gained = first - best
            if now > AWAY * first or (gained > 0.05 * first and now > best + BACK * gained):
                return _read(rates, losses, ran_away=True)
    return _read(rates, losses, ran_away=False)


def _trainer(config: TrainConfig, console: Console) -> Trainer:
    """Return a trainer of a recipe that belongs to no run."""
    if config.optimizer.lr <= 0:
        raise ConfigError("optimizer.lr = 0 has no ratio to other rates; give any other")
    dataset = prepare(config.data, config.tokenizer, console)
    constant = ScheduleSection(name="constant", warmup_steps=0)
    config = dataclasses.replace(resolve_auto(config.with_vocab_size(dataset.vocab_size)), schedule=constant)
    config = config.with_training(compile=False)
    set_machine(config)
    check_memory_fits(config)
    return Trainer(config, dataset, initial_weights=weight_initializer(config, dataset, console.print))


def _read(rates: list[float], losses: list[float], *, ran_away: bool) -> RangeTest:
    """Smooth the curve and take its slope: a straight line through what is near each point, by least squares."""
    if len(losses) < FEWEST:
        raise HornbookError(
            f"the loss ran away after {len(losses)} updates, at a rate of {rates[-1] if rates else 0:.2g}: begin "
            "lower, with --low"
        )
    x, y = np.log10(rates), np.asarray(losses)
    smooth, slopes = [], []
    for place in x:
        near = np.abs(x - place) <= REACH
        slope, height = np.polyfit(x[near] - place, y[near], 1)
        smooth.append(float(height))
        slopes.append(float(slope))
    return RangeTest(rates, losses, ran_away, smooth, slopes)
