"""A run that goes on with more steps, or more time, than it was planned for.

It takes up its last checkpoint, and batches follow in the order that they would have had. The learning rate is from
there on that of the longer plan, which may be a jump: where the shorter plan had declined already (cosine, linear, the
end of WSD), the rate rises again, and the result is not that of a run which was planned for as long from the start.
What the rate does at the seam is said. Evaluations measure what they did before, so that the curve stays one curve.
Left out: another schedule, model or data; those are a new run, from these weights (`model.init_from`).
"""

from __future__ import annotations

from hornbook.errors import HornbookError
from hornbook.format import duration
from hornbook.training.config import TrainConfig
from hornbook.training.progress import Budget, learning_rate_at
from hornbook.training.trainer import Trainer

KEYS = ("training.steps", "training.max_minutes")
"""What a run that goes on may have more of."""


def check_longer(stored: TrainConfig, config: TrainConfig, done: int) -> None:
    """Raise HornbookError where a run cannot go on by another plan.

    Args:
        stored: the recipe that it was made with.
        config: that recipe with the new plan.
        done: updates in its last checkpoint.
    """
    old, new = stored.training, config.training
    if (old.steps, old.max_minutes) == (new.steps, new.max_minutes):
        return
    by_time = old.max_minutes is not None
    if by_time != (new.max_minutes is not None) or (by_time and old.steps != new.steps):
        planned = f"{old.max_minutes:g} minutes" if by_time else f"{old.steps:,} steps"
        key = "--max-minutes" if by_time else "--training.steps"
        raise HornbookError(
            f"the run was planned for {planned} and goes on by the same measure: give it more with {key}, or start a "
            "new run (--run.name, and --model.init-from to begin with these weights)"
        )
    if old.max_minutes is not None and new.max_minutes is not None and new.max_minutes < old.max_minutes:
        raise HornbookError(
            f"the run was planned for {old.max_minutes:g} minutes, and {new.max_minutes:g} came: a run can only be "
            "lengthened; start a new one (--run.name) for less"
        )
    if old.max_minutes is None and new.steps <= done:
        raise HornbookError(
            f"the run has made {done:,} updates, and training.steps = {new.steps:,} came: it goes on with more than "
            f"{done:,}, or start a new run (--run.name) for fewer"
        )


def seam(stored: TrainConfig, trainer: Trainer) -> list[str]:
    """Return in sentences what a run that goes on has before it: what the learning rate does where the plan is longer
    than it was, how to make it longer where nothing is left to do, else nothing.

    Args:
        stored: the recipe that it had until now.
        trainer: put back at its last checkpoint.
    """
    config, step, peak = trainer.config, trainer.counters.step, trainer.config.optimizer.lr
    before, now = (_plan(c) for c in (stored, config))
    if before == now and trainer.finished:
        key, twice = "--training.steps", 2 * config.training.steps
        if config.training.max_minutes is not None:
            key, twice = "--max-minutes", 2 * config.training.max_minutes
        return [f"all {now} are done; with --resume {key} {twice:g} it goes on"]
    if before == now or step == 0:
        return []
    budget, earlier = trainer.state.budget, Budget(stored)
    earlier.load(budget.state())
    old = learning_rate_at(stored, peak, *earlier.schedule_position(step, 0.0, 0.0))
    clock = trainer.clock
    new = learning_rate_at(config, peak, *budget.schedule_position(step + 1, clock.seconds, clock.closing_seconds))
    sentence = (
        f"planned for {before}, now for {now}: the learning rate was {old:.3g} at step {step:,} and is {new:.3g} at "
        f"step {step + 1:,}, where the {config.schedule.name} schedule of {now} has it"
        + (f"; it ends at {config.min_lr:.3g}" if config.schedule.name != "constant" else "")
    )
    if config.training.max_minutes is not None:
        return [sentence]
    steps = {*range(1, step + 1, max(1, step // 100)), step}
    rates = [
        [learning_rate_at(c, peak, float(k), float(c.training.steps)) for k in sorted(steps)] for c in (stored, config)
    ]
    if rates[0] == rates[1]:
        return [sentence, f"no update so far would have had another rate: the weights are those of one run of {now}"]
    return [
        sentence,
        f"a run of {now} from its start would have had {rates[1][-1]:.3g} at step {step:,}: that is another run, and "
        "this one does not say how it would end",
    ]


def _plan(config: TrainConfig) -> str:
    minutes = config.training.max_minutes
    return f"{config.training.steps:,} steps" if minutes is None else duration(60.0 * minutes)
