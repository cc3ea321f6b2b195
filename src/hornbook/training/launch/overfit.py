"""`hornbook train --overfit-batch`: can this model learn at all? One batch, many times, until it knows it by heart.

The first test of a new layer, loss or recipe: what is wrong there (a gradient that does not flow, a mask that hides the
targets, a learning rate far off) keeps the loss of a single batch up, in seconds instead of hours. Left out: what the
model makes of text that it has not seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hornbook.config import merge
from hornbook.tracking.run import Run

STEPS = 200
"""Updates, where the command line says nothing else: a model of two layers has its batch by heart after a hundred."""
BY_HEART = 0.05
"""Share of ln V below which a batch counts as known. 0 is out of reach: the first tokens of windows that begin alike
cannot be told apart, which leaves up to ln B nats at a few of the T positions."""

CHANGES: dict[str, dict[str, Any]] = {
    "data": {"order": "one-batch"},
    "training": {"steps": STEPS, "max_minutes": None},
    "schedule": {"warmup_steps": STEPS // 10, "decay_steps": None},
    "evaluation": {"every": 0, "sample_every": 0},
    "checkpoint": {"every": 0},
}


def one_batch_recipe(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe as one that trains on its first batch alone, in a run of its own beside it."""
    run = dict(sections.get("run", {}))
    name = run.get("name") or Path(run.pop("directory", "run")).name
    run.pop("directory", None)
    return merge({**sections, "run": {**run, "name": f"{name}-one-batch"}}, CHANGES)


def judgement(run: Run) -> str:
    """Return in a sentence whether a finished run has learned its batch."""
    last = run.summary()
    loss, steps = last.get("train_loss"), last.get("step", 0)
    if loss is None:
        return "one batch: no loss was recorded"
    bound = BY_HEART * math.log(run.config["model"]["vocab_size"])
    said = f"one batch, {steps:,} times: its loss went to {loss:.4f}"
    if loss < bound:
        return f"{said}; below {bound:.2f} it is known by heart: this model can learn"
    return (
        f"{said}, and below {bound:.2f} it would be known by heart: try --training.steps {2 * steps}, another "
        "--optimizer.lr, or --model.dropout 0; if it stays there, something in the model or the recipe is wrong"
    )
