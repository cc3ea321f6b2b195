"""How far a run is: by steps, or by the clock under `max_minutes`; and the learning rate that follows from it.

By steps, update k of N uses the schedule at k. Under a time budget N is not known, so the decline follows the share of
the time that will be spent when the update is done; the warm-up is counted in steps, but ends after a tenth of the
time. The last update is the
one that ends the time left after keeping back what the final evaluation and checkpoint take (measured as they happen),
and it runs at the share 1: the learning rate is fully decayed whatever the machine did in between.
"""

from __future__ import annotations

from typing import Any

from hornbook.optim.schedule import learning_rate
from hornbook.training.config import TrainConfig

# Length of the decline in the schedule's own unit under a time budget; any number does, it only has to be fine.
FINE = 1_000_000.0
# Largest part of a time budget that a warm-up takes; of a run by steps it is only said when there is more of it.
WARM_UP_SHARE = 0.1


class Budget:
    """How far one run is, in steps or in time.

    Args:
        config: the recipe.
    """

    def __init__(self, config: TrainConfig):
        self.steps = config.training.steps
        self.seconds = None if config.training.max_minutes is None else 60.0 * config.training.max_minutes
        self.warmup = config.schedule.warmup_steps
        self.step_seconds = 0.0
        """Recent duration of a step."""
        self.warmed_at: float | None = None
        """Share of the time that was spent when the warm-up ended."""
        self.share = 0.0
        """Share of the run that is done after the update that was asked for last."""

    def schedule_position(self, step: int, elapsed: float, closing: float) -> tuple[float, float]:
        """Return where in the schedule an update is.

        Args:
            step: its number, from 1.
            elapsed: seconds of the run when it starts.
            closing: seconds to keep back for the final evaluation, samples and checkpoint (`RunClock`).

        Returns:
            `it` and the length of the run, in the unit of the schedule.
        """
        if self.seconds is None:
            self.share = step / self.steps
            return float(step), float(self.steps)
        usable = max(1e-9, self.seconds - closing)
        # Half a step more: the run should end as often a little early as a little late. Never back: one slow step makes
        # the estimate jump, and the learning rate must not rise again when it falls.
        self.share = max(self.share, min(1.0, (elapsed + 1.5 * self.step_seconds) / usable))
        if self.share >= 1.0:
            return self.warmup + FINE, self.warmup + FINE
        warming = max(float(step), self.warmup * self.share / WARM_UP_SHARE)
        if warming <= self.warmup:
            self.warmed_at = self.share
            return warming, self.warmup + FINE
        start = self.warmed_at or 0.0
        return self.warmup + FINE * (self.share - start) / (1.0 - start), self.warmup + FINE

    def finished(self, step: int) -> bool:
        """Return whether `step` updates are all there will be."""
        return step >= self.steps if self.seconds is None else self.share >= 1.0

    def measure_step(self, seconds: float) -> None:
        """Take in how long an update took."""
        self.step_seconds = seconds if self.step_seconds == 0.0 else 0.8 * self.step_seconds + 0.2 * seconds

    def remaining(self, step: int, elapsed: float) -> float | None:
        """Return the seconds left, or None before anything is known."""
        if self.seconds is not None:
            return max(0.0, self.seconds - elapsed)
        return (self.steps - step) * self.step_seconds if self.step_seconds else None

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: how long steps take, the share of the time, where the warm-up ended."""
        return {
            "step_seconds": self.step_seconds,
            "warmed_at": self.warmed_at,
            "share": self.share,
            "seconds": self.seconds,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` returned; what was a share of another time budget becomes one of this."""
        earlier = state.get("seconds")
        scale = 1.0 if earlier is None or self.seconds is None else float(earlier) / self.seconds
        self.step_seconds = float(state["step_seconds"])
        self.warmed_at = None if state["warmed_at"] is None else scale * float(state["warmed_at"])
        self.share = scale * float(state["share"])


def slow_warm_up(config: TrainConfig) -> str | None:
    """Return a sentence where the warm-up takes more than a tenth of a run by steps, as when one is cut short."""
    warmup, steps = config.schedule.warmup_steps, config.training.steps
    if config.training.max_minutes is not None or warmup <= max(1, WARM_UP_SHARE * steps):
        return None
    peak = ", so that the learning rate never reaches its peak" if warmup >= steps else ""
    return (
        f"warm-up: {warmup:,} of {steps:,} steps{peak}; a tenth would be --schedule.warmup-steps "
        f"{max(1, int(WARM_UP_SHARE * steps))}"
    )


def learning_rate_at(config: TrainConfig, peak: float, it: float, total: float) -> float:
    """Return the learning rate of a group whose peak is `peak`, at `it` of `total` (`Budget.schedule_position`)."""
    floor = config.min_lr * (peak / config.optimizer.lr) if config.optimizer.lr else 0.0
    return learning_rate(
        config.schedule.name,
        it,
        max_learning_rate=peak,
        min_learning_rate=floor,
        warmup_iters=min(config.schedule.warmup_steps, total),
        total_iters=total,
        decay_iters=_decay_iters(config),
    )


def _decay_iters(config: TrainConfig) -> float | None:
    steps = config.schedule.decay_steps
    if steps is None or config.training.max_minutes is None:
        return steps
    # A decline given in steps has no meaning on the clock; its share of the recipe's steps does.
    return min(1.0, steps / config.training.steps) * FINE
