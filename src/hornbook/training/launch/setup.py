"""From a recipe to a run that is ready to train, as a chain of values:

`resolve_recipe` (a file, sections or a config → `TrainConfig`) → `open_run` (→ folder, recipe with every "auto"
resolved, data) → `build_trainer` (→ model, optimizer, checkpoints) → `estimate_run` (→ what is about to happen).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hornbook.checkpoint.sharded_store import ShardedStore
from hornbook.checkpoint.store import CheckpointStore
from hornbook.config import merge, read, to_dict
from hornbook.data.prepare import Dataset
from hornbook.errors import ConfigError
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training.checkpointer import Checkpointer
from hornbook.training.clock import RunClock
from hornbook.training.config import TrainConfig, read_stored, resolve
from hornbook.training.distributed.world import World
from hornbook.training.evaluator import EvaluationSizes, Evaluator
from hornbook.training.launch.device import set_machine
from hornbook.training.launch.estimate import Estimate, estimate_run
from hornbook.training.launch.init_from import fill_from_source, weight_initializer
from hornbook.training.launch.longer import seam
from hornbook.training.launch.memory_check import check_memory_fits
from hornbook.training.launch.open_run import OpenRun, open_run
from hornbook.training.load import read_tokenizer
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
    world: World


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
    recipe: TrainConfig | None,
    *,
    resume: bool,
    console: Console,
    clock: RunClock | None = None,
    world: World | None = None,
) -> Setup:
    """Make or reopen the run of a recipe and build what trains it.

    Args:
        recipe: None in processes beside the main one, which take the run as that has opened it.
        resume: continue the run that is there.
        console: where progress goes.
        clock: of the run; None: one that starts now.
        world: the processes that share the work; None: this one alone.

    Raises:
        HornbookError: the folder holds a run and `resume` is False; the recipe differs from the stored one; the data or
            the checkpoint cannot be used.
    """
    world = world or World()
    opened = _open(recipe, resume, console, world)
    run, config, dataset = opened.run, opened.config, opened.dataset
    if world.is_main:
        console.log_to(run.path / "log.txt")
    try:
        set_machine(config)
        memory_bytes = check_memory_fits(config)
        clock = clock or RunClock()
        checkpointer = build_trainer(opened, console, clock, world)
        trainer, evaluator = checkpointer.trainer, Evaluator(config, dataset, world)
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
        return Setup(run, config, clock, trainer, evaluator, checkpointer, estimate, sizes, world)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the disk may be full: the first error is the one to report
            if world.is_main:
                run.set_status("failed", " ".join(str(error).split()) or type(error).__name__)
        run.release()
        raise


def build_trainer(opened: OpenRun, console: Console, clock: RunClock, world: World | None = None) -> Checkpointer:
    """Return the trainer of a run with its checkpoints; nothing is restored yet."""
    run, config, dataset = opened.run, opened.config, opened.dataset
    where = run.path / "checkpoints", config.checkpoint.keep_last, console.print
    store = CheckpointStore(*where)
    # A run that continues has weights of its own.
    initial = None if store.steps() else weight_initializer(config, dataset, console.print)
    trainer = Trainer(config, dataset, initial_weights=initial, clock=clock, world=world)
    if trainer.strategy.sharded:
        group = torch.distributed.new_group(backend="gloo")
        store = ShardedStore(*where, group, trainer.parameters, trainer.world.exchanges)
    return Checkpointer(trainer, store, config.checkpoint.background)


def _open(recipe: TrainConfig | None, resume: bool, console: Console, world: World) -> OpenRun:
    """Open the run in the main process, and as that has opened it in the others."""
    opened: OpenRun | None = None

    def open_and_tell() -> Any:
        nonlocal opened
        assert recipe is not None
        world.check_recipe(recipe)
        opened = open_run(recipe, resume=resume, console=console)
        return None if world.size == 1 else _told(opened)

    told = world.share(open_and_tell)
    return opened or _opened_elsewhere(told)


def _told(opened: OpenRun) -> dict[str, Any]:
    data = dataclasses.asdict(dataclasses.replace(opened.dataset, tokenizer=None))
    for name in ("train", "validation"):
        data[name] = [str(path.resolve()) for path in data[name]]
    data["validation_text"] = None
    return {"config": opened.config.to_dict(), "run": str(opened.run.path.resolve()), "data": data}


def _opened_elsewhere(told: Mapping[str, Any]) -> OpenRun:
    config, data, path = resolve(told["config"]), told["data"], Path(told["run"])
    if torch.device(config.training.device).type == "cuda":
        config = config.with_training(device=f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
    paths = {name: tuple(map(Path, data[name])) for name in ("train", "validation")}
    return OpenRun(Run.open(path), config, Dataset(**data | paths | {"tokenizer": read_tokenizer(path)}))
