"""What a study would take on this machine, before anything is made: `hornbook study run NAME --dry-run`.

Each shape of a step is timed by a few updates on random tokens (training/launch/trial.py); nothing is written. Left
out: preparing the data, evaluations and samples, which come on top, and runs at the same time.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from hornbook.accounting.render import table
from hornbook.config import merge, to_dict
from hornbook.errors import HornbookError
from hornbook.fileio import canonical_json
from hornbook.format import counted, duration
from hornbook.studies.folder import run_path, study_path
from hornbook.studies.study import Arm, Options, Plan, Scale, Study
from hornbook.tokenizer.token_file import TokenFile
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training.config import TrainConfig, resolve
from hornbook.training.launch.device import resolve_auto
from hornbook.training.launch.trial import time_updates

PROBE_TOKENS = 65_536
SECONDS = 0.3
"""How long a step is timed."""


def forecast(study: Study, scale: Scale, options: Options, out: Path) -> list[str]:
    """Return the runs of a study, what they would take here, and how many have results already, in lines.

    Raises:
        ConfigError: a recipe that cannot be used.
    """
    plan, folder = study.plan(scale, options), study_path(out, study.name, scale)
    if not plan.arms:
        return [f"{study.name} at scale {scale} trains nothing, it measures: {study.cost[scale]}"]
    known: dict[str, float] = {}
    rows, waiting, expected = [], 0, 0.0
    for arm in plan.arms:
        config, run = seconds_of_run(plan, arm, known)
        left = sum(not _has_result(run_path(folder, arm.name, seed)) for seed in plan.seeds)
        updates = f"{config.training.steps:,}"
        if config.training.max_minutes is not None:
            updates = f"about {run / _seconds_per_update(config, known):,.0f}"
        rows.append([arm.name, updates, f"{config.tokens_per_step:,}", duration(run), str(left)])
        waiting, expected = waiting + left, expected + left * run
    runs = len(plan.arms) * len(plan.seeds)
    return [
        f"{study.name} at scale {scale}: {counted(len(plan.arms), 'arm')} × {counted(len(plan.seeds), 'seed')} = "
        f"{counted(runs, 'run')}, of which {runs - waiting} have a result in {folder}",
        *table(["arm", "updates", "tokens each", "a run", "to do"], rows),
        f"about {duration(expected)} of updates here, one run after another; data, evaluations and samples come on top",
        "Ctrl-C is safe at any moment: the same command goes on from there",
    ]


def seconds_of_run(plan: Plan, arm: Arm, known: dict[str, float]) -> tuple[TrainConfig, float]:
    """Return the recipe of an arm and what its updates take in a run.

    Args:
        plan: of the study.
        arm: one of its arms.
        known: what an update of a shape takes, as far as it has been timed.
    """
    config = _config(plan, arm)
    budget = config.training.max_minutes
    return config, 60 * budget if budget is not None else config.training.steps * _seconds_per_update(config, known)


def seconds_of_the_rest(plan: Plan) -> float:
    """Return what a run takes beside its updates: a run of one update on random tokens, in a folder that goes again.

    Counted are the set-up, the measuring of a step, the first and the last evaluation, a checkpoint, the records.
    """
    from hornbook.training.loop import train

    recipe = plan.recipe(plan.arms[0], plan.seeds[0])
    size = _config(plan, plan.arms[0]).model.vocab_size
    with tempfile.TemporaryDirectory() as place:
        file, ids = Path(place, "ids.npy"), np.arange(PROBE_TOKENS) % size
        TokenFile.write(
            file, ids, vocab_size=size, tokenizer_fingerprint="", sources=[], num_bytes=len(ids), num_documents=1
        )
        recipe = merge(recipe, {"training": {"steps": 1}, "evaluation": {"full": False}})
        recipe |= {"data": {"tokens": [str(file)], "validation_tokens": [str(file)]}}
        took = []
        for name in ("loads the modules", "counts"):
            start = time.perf_counter()
            train(recipe | {"run": {"directory": f"{place}/{name}"}}, console=Console(silent=True))
            took.append(time.perf_counter() - start)
        return min(took)


def _config(plan: Plan, arm: Arm) -> TrainConfig:
    recipe = merge(plan.recipe(arm, plan.seeds[0]), {"training": {"compile": False}})
    recipe["data"] = {key: value for key, value in recipe.get("data", {}).items() if value is not None}
    return resolve_auto(resolve(recipe))


def _seconds_per_update(config: TrainConfig, known: dict[str, float]) -> float:
    """Time an update of a shape, once for all arms that share it."""
    sections = to_dict(config)
    kept = ("batch_size", "gradient_accumulation", "activation_checkpointing", "dtype", "fused")
    training = {key: value for key, value in sections["training"].items() if key in kept}
    shape = canonical_json([sections["model"], sections["optimizer"]["name"], training])
    if shape not in known:
        known[shape] = time_updates(config, SECONDS).typical
    return known[shape]


def _has_result(path: Path) -> bool:
    try:
        return Run.open(path).status in ("done", "diverged")
    except (HornbookError, OSError):
        return False
