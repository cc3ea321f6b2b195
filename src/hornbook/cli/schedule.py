"""`hornbook train … --show-schedule`: the learning rate over the run that would be trained, as a picture."""

from __future__ import annotations

import shutil

from hornbook.cli.plot import MARGIN, plot
from hornbook.format import counted
from hornbook.training.config import TrainConfig
from hornbook.training.progress import Budget, learning_rate_at


def schedule(recipe: TrainConfig) -> list[str]:
    """Return the learning rate over a run as a picture; over the share of the time where a run is planned by time."""
    columns = max(40, min(110, shutil.get_terminal_size((100, 24)).columns)) - MARGIN
    peak, minutes, steps = recipe.optimizer.lr, recipe.training.max_minutes, recipe.training.steps
    budget, rates = Budget(recipe), []
    for column in range(columns):
        share = column / (columns - 1)
        step = max(1, round(share * steps))
        elapsed = 0.0 if minutes is None else share * 60 * minutes
        rates.append(learning_rate_at(recipe, peak, *budget.schedule_position(step, elapsed, 0.0)))
    if minutes is None:  # its top may lie between two columns
        top = learning_rate_at(recipe, peak, min(recipe.schedule.warmup_steps, steps), steps)
        rates[rates.index(max(rates))] = max(*rates, top)
    length = counted(steps, "step") if minutes is None else f"{minutes:g} min"
    name, warmup = recipe.schedule.name, counted(recipe.schedule.warmup_steps, "step")
    start = "step 1" if minutes is None else "0"
    said = f"{name}: {max(rates):.3g} after {warmup} of warm-up, {rates[-1]:.3g} at the end"
    return [*plot(rates, "{:7.1e}".format, {0: start, columns - 1: length}), said]
