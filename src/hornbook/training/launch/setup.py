"""From a recipe to a run that is ready to train, as a chain of values:

`resolve_recipe` (a file, sections or a config → `TrainConfig`) → `open_run` (→ folder, recipe with every "auto"
resolved, data) → `build_trainer` (→ model, optimizer, checkpoints) → `estimate_run` (→ what is about to happen).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.checkpoint.store import CheckpointStore
from hornbook.config import merge, read, to_dict
from hornbook.data.prepare import Dataset
from hornbook.errors import ConfigError
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training.checkpointer import Checkpointer
from hornbook.training.clock import RunClock
from hornbook.training.config import TrainConfig, read_stored, resolve
from hornbook.training.distributed.group import Group
from hornbook.training.evaluator import EvaluationSizes, Evaluator
from hornbook.training.launch.device import set_machine
from hornbook.training.launch.estimate import Estimate, estimate_run
from hornbook.training.launch.init_from import fill_from_source, weight_initializer
from hornbook.training.launch.longer import seam
from hornbook.training.launch.memory_check import check_memory_fits
from hornbook.training.launch.open_run import OpenRun, open_run
from hornbook.training.progress import slow_warm_up
from hornbook.training.trainer import Trainer


@dataclass(frozen=True)
class Setup:
    """A run that is ready to train."""

    run: Run
    config: TrainConfig
    clock: RunClock
    trainer: Trainer
    evaluator: Evaluator
    checkpointer: Checkpointer
    estimate: Estimate
    sizes: EvaluationSizes
    group: Group | None


def resolve_recipe(
    recipe: TrainConfig | Mapping[str, Any] | str | Path, overrides: Mapping[str, Any] | None = None
) -> TrainConfig:
    """Return a recipe given in any form, with overrides laid over it, checked and complete. Raises ConfigError."""
    if isinstance(recipe, TrainConfig):
        sections: Mapping[str, Any] = recipe.to_dict()
    elif isinstance(recipe, str | Path):
        path = Path(recipe)
        sections = read_stored(path) if path.is_dir() else read(path)
    elif isinstance(recipe, Mapping):
        sections = recipe
    else:
        raise ConfigError(f"a recipe is a path, a dict of sections or a TrainConfig, not {type(recipe).__name__}")
    return resolve(fill_from_source(merge(sections, to_dict(overrides or {}))))


def set_up(
    recipe: TrainConfig,
    *,
    resume: bool,
    console: Console,
    clock: RunClock | None = None,
    group: Group | None = None,
) -> Setup:
    """Make or reopen the run of a recipe and build what trains it; `group` are the processes that share the work.

    Raises:
        HornbookError: the folder holds a run and `resume` is False; the recipe differs from the stored one; the data or
            the checkpoint cannot be used.
    """
    if group is not None:
        group.check_recipe(recipe)
    opened = open_run(recipe, resume=resume, console=console)
    run, config, dataset = opened.run, opened.config, opened.dataset
    console.log_to(run.path / "log.txt")
    try:
        set_machine(config)
        memory_bytes = check_memory_fits(config)
        clock = clock or RunClock()
        checkpointer = build_trainer(opened, console, clock, group)
        trainer, evaluator = checkpointer.trainer, Evaluator(config, dataset)
        estimate = estimate_run(trainer, evaluator, run.path, memory_bytes=memory_bytes, console=console)
        sizes = estimate.evaluation or evaluator.plan(config.training.steps)
        for line in estimate.lines():
            console.print(line)
        if sentence := slow_warm_up(config):
            console.print(sentence)
        if checkpointer.start():
            console.print(f"continuing {run.path} at step {trainer.counters.step:,}")
            for line in seam(opened.stored or config, trainer):
                console.print(line)
        return Setup(run, config, clock, trainer, evaluator, checkpointer, estimate, sizes, group)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the disk may be full: the first error is the one to report
            run.set_status("failed", " ".join(str(error).split()) or type(error).__name__)
        run.release()
        raise


def build_trainer(opened: OpenRun, console: Console, clock: RunClock, group: Group | None = None) -> Checkpointer:
    """Return the trainer of a run with its checkpoints, in all processes; nothing is restored yet."""
    run, config, dataset = opened.run, opened.config, opened.dataset
    store = CheckpointStore(run.path / "checkpoints", config.checkpoint.keep_last, console.print)
    if group is not None:
        group.send_build(_build_message(config, dataset))
    # A run that continues has weights of its own.
    initial = None if store.steps() else weight_initializer(config, dataset, console.print)
    trainer = Trainer(config, dataset, initial_weights=initial, clock=clock, group=group)
    return Checkpointer(trainer, store, config.checkpoint.background)


def _build_message(config: TrainConfig, dataset: Dataset) -> dict[str, Any]:
    """Return what the workers need to build what the main process has (worker.py reads it)."""
    return {
        "config": config.to_dict(),
        "run": str(config.run.path.resolve()),
        "vocab_size": dataset.vocab_size,
        "separator_id": dataset.separator_id,
        "train": [str(path.resolve()) for path in dataset.train],
    }
