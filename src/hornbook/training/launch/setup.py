"""From a recipe to a run that is ready to train: data, folder, "auto" values, model, checkpoint, plan.

A new run stores its recipe with everything resolved; a resumed one takes what is stored, so that the same choices are
made again. What may differ on resume is what changes nothing that is computed (tags, checkpoints kept, sinks).
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hornbook.accounting.flops import training_flops_per_token
from hornbook.checkpoint.folder import CheckpointStore
from hornbook.data.corpora.registry import find_corpus
from hornbook.data.prepare import Dataset, prepare
from hornbook.data.sampler import BatchSampler
from hornbook.data.token_data import TokenData
from hornbook.errors import HornbookError
from hornbook.fileio import atomic_write, canonical_json, read_json_object
from hornbook.tracking.console import Console
from hornbook.tracking.environment import describe_environment
from hornbook.tracking.run import Run
from hornbook.training.config import TrainConfig, resolve
from hornbook.training.distributed.group import Group
from hornbook.training.launch.device import measure_step, peak_flops, resolve_auto, set_machine, timed
from hornbook.training.launch.estimate import Plan
from hornbook.training.launch.init_from import starter
from hornbook.training.launch.memory_check import check_room
from hornbook.training.trainer import Trainer

__all__ = ["Setup", "prepare_run", "read_tokenizer", "warn"]

# A resumed run may change these without a word …
FREE = ("run", "checkpoint", "logging", "data.verify", "evaluation.sample_every", "evaluation.sample_tokens")
# … and these with one: the run goes on, but not with the same bits.
MACHINE = (
    "training.device",
    "training.dtype",
    "training.compile",
    "training.fused",
    "training.threads",
    "training.deterministic",
    "training.distributed",
)


@dataclass
class Setup:
    """A run that is ready to train."""

    run: Run
    trainer: Trainer
    plan: Plan


def prepare_run(
    recipe: TrainConfig,
    *,
    resume: bool,
    console: Console,
    clock: Callable[[], float],
    group: Group | None = None,
) -> Setup:
    """Make or reopen the run of a recipe; `group` are the processes that will share the work.

    Raises:
        HornbookError: the folder holds a run and `resume` is False; the recipe differs from the stored one; the data or
            the checkpoint cannot be used.
    """
    if group is not None:
        group.check_recipe(recipe)
    path = recipe.run.path
    exists = (path / "config.toml").exists()
    if exists and not resume and _never_trained(path):
        (path / "config.toml").unlink()
        exists = False
    if exists and not resume:
        raise HornbookError(
            f"{path} already holds a run; continue it with --resume (resume=True in Python), or give this one "
            "another --run.name"
        )
    if resume and not exists:
        console.say(f"there is no run in {path} to resume: it starts at step 0")
    if not exists:
        run, config, prepared = _new_run(recipe, console)
    else:
        run, config, prepared = _old_run(recipe, console)
    console.log_to(run.path / "log.txt")
    try:
        set_machine(config)
        memory_bytes = check_room(config)
        store = CheckpointStore(run.path / "checkpoints", config.checkpoint.keep_last, console.say)
        if group is not None:
            group.send_build(_build_message(config, prepared))
        # A run that continues has weights of its own.
        start = None if store.steps() else starter(config, prepared, console.say)
        trainer = Trainer(config, prepared, store, start=start, clock=clock, group=group)
        plan = _plan(trainer, run.path / "plan.json", memory_bytes, console)
        for line in plan.lines():
            console.say(line)
        if store.steps():
            trainer.restore(store.load())
            console.say(f"continuing {run.path} at step {trainer.progress.step:,}")
        else:
            trainer.initialise()
        return Setup(run, trainer, plan)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the disk may be full: the first error is the one to tell
            run.set_status("failed", " ".join(str(error).split()) or type(error).__name__)
        run.release()
        raise


def _never_trained(path: Path) -> bool:
    """Return whether the run in a folder failed before it had anything to lose: it may be started over."""
    try:
        return Run.open(path).status == "failed" and not CheckpointStore(path / "checkpoints").steps()
    except HornbookError:
        return False


def _new_run(recipe: TrainConfig, console: Console) -> tuple[Run, TrainConfig, Dataset]:
    prepared = prepare(recipe.data, recipe.tokenizer, console)
    config = resolve_auto(recipe.with_vocab_size(prepared.vocab_size))
    # What the data cannot give is said before there is a folder.
    BatchSampler(TokenData.open(prepared.train), 1, config.model.context_length, 0)
    run = Run.create(config.run.path, config.to_dict(), describe_environment())
    if prepared.tokenizer is not None:
        prepared.tokenizer.save(run.path / "tokenizer")
    _remember_data(run, prepared, config.data.corpus)
    return run, config, prepared


def _old_run(recipe: TrainConfig, console: Console) -> tuple[Run, TrainConfig, Dataset]:
    run = Run.open(recipe.run.path)
    run.hold()
    try:
        config = _reconcile(resolve(run.config), recipe, console)
        prepared = prepare(config.data, config.tokenizer, console)
        if read_tokenizer(run.path) is None and prepared.tokenizer is not None:
            prepared.tokenizer.save(run.path / "tokenizer")  # killed between the recipe and the tokenizer
        run.config = config.to_dict()
        atomic_write(run.path / "config.toml", _toml(run.config))
        run.set_status("running")
    except BaseException:
        run.release()
        raise
    return run, config, prepared


def _reconcile(stored: TrainConfig, recipe: TrainConfig, console: Console) -> TrainConfig:
    """Return the stored recipe with the changes that a resumed run may make. Raises HornbookError on others."""
    old, new = _flat(stored.to_dict()), _flat(recipe.to_dict())
    new.pop("model.vocab_size", None)
    changes: dict[str, Any] = {}
    for key, value in new.items():
        if value == old.get(key) or value == "auto":
            continue
        if key.startswith(tuple(f"{free}." for free in FREE)) or key in FREE:
            changes[key] = value
        elif key in MACHINE:
            console.say(
                f"continuing with {key} = {value} (it was {old.get(key)}): not bit for bit what it would have been"
            )
            changes[key] = value
        else:
            raise HornbookError(
                f"the run was made with {key} = {old.get(key)!r}, the recipe now says {value!r}; continue without the "
                "change, or start a new run (--run.name, and --model.init-from to begin with these weights)"
            )
    tree = stored.to_dict()
    for key, value in changes.items():
        section, _, name = key.partition(".")
        tree[section][name] = value
    return resolve_auto(resolve(tree))


def _build_message(config: TrainConfig, prepared: Dataset) -> dict[str, Any]:
    """Return what the workers need to know to build what the main process has: read by worker.py."""
    return {
        "config": config.to_dict(),
        "run": str(config.run.path.resolve()),
        "vocab_size": prepared.vocab_size,
        "train": [str(path.resolve()) for path in prepared.train],
        "validation": [str(path.resolve()) for path in prepared.validation],
    }


def _plan(trainer: Trainer, path: Path, memory_bytes: int | None, console: Console) -> Plan:
    """Return the plan of a run: the one kept with it, or a new one from a measured step.

    A compiled step is compiled here, before the run's clock starts, by a first update. Leaves the random states as they
    were; weights and optimizer are to be set up anew after it.
    """
    c = trainer.config
    compiles = c.training.compile is True
    kept = _kept_plan(path)
    if kept is not None and not compiles:
        return dataclasses.replace(kept, compile_seconds=None)  # it may have been, before this resume

    def update() -> None:
        trainer.update_at(0, 1, max(1, c.training.steps))

    title = "compiling the step" if compiles else "measuring a step"
    with console.stage(title), torch.random.fork_rng(devices=[]):
        if kept is not None:
            first, seconds = timed(update, trainer.device), kept.seconds_per_step
        else:
            first, seconds = measure_step(update, trainer.device, compiles=compiles)
        trainer.optimizer.zero_grad(set_to_none=True)
        compile_seconds = max(0.0, first - seconds) if compiles else None
        if kept is not None:
            return dataclasses.replace(kept, compile_seconds=compile_seconds)
        peak = peak_flops(trainer.device, c.training.dtype) * (trainer.group.size if trainer.group else 1)
    limited = c.training.max_minutes is not None
    steps = None if limited else c.training.steps
    plan = Plan(
        parameters=sum(p.numel() for p in trainer.model.parameters()),
        train_tokens=len(trainer.train_data),
        validation_tokens=len(trainer.validation_data),
        tokens_per_step=c.tokens_per_step,
        steps=steps,
        epochs=None if steps is None else trainer.sampler.epoch(steps),
        seconds_per_step=seconds,
        expected_seconds=60.0 * (c.training.max_minutes or 0.0) if steps is None else steps * seconds,
        flops_per_token=training_flops_per_token(c.model),
        peak_flops=peak,
        device=c.training.device,
        dtype=c.training.dtype,
        threads=torch.get_num_threads(),
        memory_bytes=memory_bytes,
        compile_seconds=compile_seconds,
    )
    atomic_write(path, canonical_json(plan.to_dict()))
    return plan


def _kept_plan(path: Path) -> Plan | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        kept = read_json_object(path)
        if kept.pop("version") == 1:
            return Plan(**kept)
    return None


def _remember_data(run: Run, prepared: Dataset, corpus: str | None) -> None:
    """Keep where the token files lie, so that `hornbook eval` finds the validation set again."""
    record = {
        "version": 1,
        "digest": prepared.digest,
        "train": [str(path.resolve()) for path in prepared.train],
        "validation": [str(path.resolve()) for path in prepared.validation],
        "validation_text": None if prepared.validation_text is None else str(prepared.validation_text.resolve()),
    }
    if corpus is not None:
        record[corpus] = find_corpus(corpus).version  # an evaluation may know the text of its own version only
    atomic_write(run.path / "data.json", canonical_json(record))


def read_tokenizer(path: Path) -> Any:
    """Return the tokenizer kept with a run, or None."""
    if not (path / "tokenizer").is_dir():
        return None
    from hornbook.tokenizer.tokenizer import Tokenizer

    return Tokenizer.load(path / "tokenizer")


def warn(sentence: str) -> None:
    """Say a warning on standard error."""
    print(f"hornbook: {sentence}", file=sys.stderr)  # noqa: T201


def _toml(tree: Mapping[str, Any]) -> str:
    from hornbook.config import dump_toml

    return dump_toml(tree)


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, keys in tree.items() for key, value in keys.items()}
