"""A study's budget in minutes → steps per run: `hornbook study run NAME --minutes M`.

Each shape of a step is timed, and what a run takes beside its updates (forecast.py), and all runs get the number of
steps, scaled by one factor, with which the study ends in the time: what its arms have in common stays so. Warm-up,
evaluations and records scale along, and an evaluation measures a sample (`evaluation.share`), as whole ones take longer
than short runs. What was picked is kept in the folder of the study (`minutes.json`), so that the same command goes on
after a kill although another probe would pick another number. Whatever the probe said, the study ends GRACE after the
minutes. Left out: several runs at a time, which take as long as they take.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from hornbook.config import merge
from hornbook.errors import ConfigError
from hornbook.fileio import atomic_write, canonical_json, read_json_object
from hornbook.format import counted, duration, quantity
from hornbook.studies.folder import study_path
from hornbook.studies.forecast import seconds_of_run, seconds_of_the_rest
from hornbook.studies.scales import base_recipe
from hornbook.studies.study import Options, Scale, Study
from hornbook.studies.verdict import FEWEST_UPDATES

FILE = "minutes.json"
GRACE = 0.1
"""Of the time: so much later runs that are not whole are saved, and the study ends (`run_study`)."""
SHARE = 0.9
"""Of the time for runs; the rest is for the data, samples and evaluations between."""
SCALED = (("schedule", "warmup_steps"), ("evaluation", "every"), ("logging", "every"))
"""Numbers of steps that follow the length of a run."""


def fit_into(
    studies: Sequence[Study], scale: Scale, options: Options, out: Path, minutes: float, *, keep: bool
) -> tuple[Options, str]:
    """Return the options with which studies take so many minutes here, and a sentence about it.

    Args:
        studies: those that share the time.
        scale: the scale that they start from.
        options: what the user changes.
        out: the folder of all studies.
        minutes: for all of them together.
        keep: write down what was picked, where no run has been made yet.

    Raises:
        ConfigError: the time is too short, or runs that are not planned by steps.
    """
    if not 0 < minutes < 1e6:
        raise ConfigError(f"--minutes {minutes:g} is no time to train in; give more than 0")
    if "steps" in options.overrides.get("training", {}):
        raise ConfigError("--minutes picks the steps, and --training.steps gives them; leave one of them out")
    base = base_recipe(scale, options)
    usual, file = base["training"]["steps"], study_path(out, studies[0].name, scale) / FILE
    runs, seconds, rest = _at(studies, scale, options)
    kept = read_json_object(file, missing_ok=True)
    steps = int(usual * (SHARE * 60 * minutes - rest) / seconds)
    if kept.get("minutes") == minutes and isinstance(kept.get("steps"), int):
        steps = kept["steps"]
    if steps < FEWEST_UPDATES:
        needed = math.ceil((seconds * FEWEST_UPDATES / usual + rest) / 60 / SHARE)
        raise ConfigError(
            f"{minutes:g} minutes leave {counted(max(0, steps), 'update')} for each of {counted(runs, 'run')}, and "
            f"fewer than {FEWEST_UPDATES} say nothing; give --minutes {max(1, needed)} or more, fewer --seeds, or "
            "a smaller --scale"
        )
    scaled = {name: {key: max(1, round(base[name][key] * steps / usual))} for name, key in SCALED if key in base[name]}
    scaled = merge(scaled, {"training": {"steps": steps}, "evaluation": {"full": False}})
    overrides = merge(scaled, options.overrides)
    if keep and not (file.parent / "runs").exists():
        atomic_write(file, canonical_json({"version": 1, "minutes": minutes, "steps": steps}))
    tokens = steps * base["training"]["batch_size"] * base["model"]["context_length"]
    return dataclasses.replace(options, overrides=overrides), (
        f"{minutes:g} minutes for {counted(runs, 'run')}: {counted(steps, 'step')} or {quantity(tokens)} tokens in a "
        f"run of the base recipe, where scale {scale} has {usual:,}; {duration(rest)} are counted for what each run "
        "does beside updates, and a tenth of the time for data, samples and evaluations between"
    )


def _at(studies: Sequence[Study], scale: Scale, options: Options) -> tuple[int, float, float]:
    """Return how many runs the studies have, the seconds of their updates at the scale's length, and of the rest."""
    known: dict[str, float] = {}
    runs, seconds, rest = 0, 0.0, 0.0
    for study in studies:
        plan = study.plan(scale, options)
        if not plan.arms or plan.base["training"].get("max_minutes") is not None:
            why = "trains nothing, it measures" if not plan.arms else "gives every run a time of its own"
            raise ConfigError(f"{study.name} {why} ({study.cost[scale]} at scale {scale}); leave out --minutes")
        made = len(plan.arms) * len(plan.seeds)
        runs, rest = runs + made, rest + made * seconds_of_the_rest(plan)
        seconds += len(plan.seeds) * sum(seconds_of_run(plan, arm, known)[1] for arm in plan.arms)
    return runs, seconds, rest
