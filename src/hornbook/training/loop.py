"""Training: evaluate → sample → save → step → log, until the run is done, stopped or diverged.

`train` prepares the data and the run folder and runs the loop; `load_run` reads a trained model back. What the words of
the loop mean is in trainer.py (state), evaluate.py, step.py, guard.py and records.py; when they happen is here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hornbook.config import merge, read, to_dict
from hornbook.errors import ConfigError
from hornbook.evaluation.loss import Interrupted
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training import config as recipes
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.group import Group, WorkerLostError, join
from hornbook.training.divergence import Trouble
from hornbook.training.launch.init_from import inherit
from hornbook.training.launch.setup import Setup, prepare_run
from hornbook.training.monitoring.run_logger import Journal
from hornbook.training.signals import Signals
from hornbook.training.trainer import Trainer
from hornbook.training.worker import work

if TYPE_CHECKING:
    from hornbook.models.transformer import TransformerLM
    from hornbook.tokenizer.tokenizer import Tokenizer

__all__ = ["load_run", "train"]


def train(
    config: TrainConfig | Mapping[str, Any] | str | Path,
    *,
    resume: bool = False,
    console: Console | None = None,
    clock: Callable[[], float] = time.monotonic,
    **overrides: Any,
) -> Run:
    """Train a model.

    Args:
        config: a recipe: its file, its sections as nested dicts, or built.
        resume: continue the run in the recipe's folder if there is one; otherwise a folder with a run is an error.
        console: where progress goes; None: standard output.
        clock: seconds; for tests.
        overrides: sections or dotted keys laid over the recipe: `training={"steps": 10}`.

    Returns:
        The run; `run.status` says how it ended.

    Raises:
        HornbookError: the recipe, the data or a checkpoint cannot be used.
        OSError: a file cannot be read or written.
    """
    group = join()
    if group is not None and not group.is_main:
        return work(group)
    code = 2
    try:
        run = _train(as_config(config, overrides), resume, console or Console(), clock, group)
        code = 0
    finally:
        if group is not None:
            group.close(code)
    return run


def _train(recipe: TrainConfig, resume: bool, console: Console, clock: Callable[[], float], group: Group | None) -> Run:
    try:
        setup = prepare_run(recipe, resume=resume, console=console, clock=clock, group=group)
    except BaseException:
        console.close()
        raise
    run = setup.run
    try:
        with Signals(one_of_many=group is not None) as signals:
            status, reason = _run(setup, signals, console)
        run.set_status(status, reason)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the disk may be full: the first error is the one to tell
            run.set_status("failed", " ".join(str(error).split()) or type(error).__name__)
        raise
    finally:
        console.close()
        run.release()
    return run


def _run(setup: Setup, signals: Signals, console: Console) -> tuple[str, str]:
    trainer = setup.trainer
    with Journal(setup, console) as journal:
        trainer.begin()
        try:
            return _loop(trainer, journal, signals)
        except WorkerLostError as lost:
            # Gradients are exchanged before weights change: a whole copy of them is the last whole update.
            journal.sync()
            raise WorkerLostError(f"{lost}; {trainer.salvage()}: start torchrun again with --resume") from lost
        finally:
            # A checkpoint that is being written is finished, whatever else happens.
            trainer.saver.wait()


def _loop(t: Trainer, journal: Journal, signals: Signals) -> tuple[str, str]:
    """Train until something ends it; return the status and the reason."""
    while True:
        due = _Due(t, signals)
        if due.guard and (trouble := t.look(weights=due.save or due.stop)):
            if not _go_back(t, journal, trouble):
                return "diverged", str(trouble)
            continue
        if due.stop:
            journal.sync()
            t.save()
            if t.group is not None:  # torchrun passes on no reason: it sends the same signal when a process has died
                t.group.check_alive()
            return "stopped", f"signal {signals.requested} at step {t.progress.step}"
        if due.evaluation:
            try:
                journal.evaluation(t.evaluate(journal.evaluating, lambda: signals.requested is not None))
            except Interrupted:
                continue
        if due.sample:
            journal.sample()
        if _Due(t, signals).save:
            journal.sync()
            t.save()
        if t.finished:
            return "done", ""
        loss, norm = t.advance()
        journal.step(loss, norm)


class _Due:
    """What is due before the next update."""

    def __init__(self, t: Trainer, signals: Signals):
        c, p = t.config, t.progress
        end = t.finished
        self.stop = signals.requested is not None
        self.evaluation = not p.evaluated and (end or p.step == 0 or _every(c.evaluation.every, p.step))
        if self.evaluation and not end and t.budget.seconds is not None:
            # Near the end of a time budget the final evaluation is the only one that still fits.
            self.evaluation = p.step == 0 or t.budget.seconds - t.seconds > 3 * t.budget.closing_seconds
        self.sample = not p.sampled and (end or _every(c.evaluation.sample_every, p.step))
        self.sample &= c.evaluation.sample_every > 0
        new_best = p.best_step == p.step and p.step > 0
        self.save = t.saver.last_saved != p.step and (end or new_best or _every(c.checkpoint.every, p.step))
        # No checkpoint is written, and no evaluation trusted, without a look at the guard.
        looks = _every(c.guard.check_every, p.step)
        self.guard = p.step > 0 and (looks or end or self.stop or self.evaluation or self.save)


def _every(period: int, step: int) -> bool:
    return period > 0 and step > 0 and step % period == 0


def _go_back(t: Trainer, journal: Journal, trouble: Trouble) -> bool:
    """Rewind if the recipe says so and still allows it; return False to stop."""
    section = t.config.guard
    journal.dump(trouble, t.batch_of(trouble.step))
    if section.action != "rewind" or t.progress.rewinds >= section.max_rewinds:
        journal.trouble(trouble, None)
        return False
    journal.trouble(trouble, t.rewind(trouble))
    return True


def as_config(config: TrainConfig | Mapping[str, Any] | str | Path, overrides: Mapping[str, Any]) -> TrainConfig:
    """Return a recipe given in any form, with overrides, as a `TrainConfig`. Raises ConfigError."""
    if isinstance(config, TrainConfig):
        tree: Mapping[str, Any] = config.to_dict()
    elif isinstance(config, str | Path):
        path = Path(config)
        tree = read(path / "config.toml" if path.is_dir() else path)
    elif isinstance(config, Mapping):
        tree = config
    else:
        raise ConfigError(f"a recipe is a path, a dict of sections or a TrainConfig, not {type(config).__name__}")
    return recipes.resolve(inherit(merge(tree, to_dict(overrides))))


def load_run(
    path: str | Path, checkpoint: str | int = "best", device: torch.device | str | None = None
) -> tuple[TransformerLM, Tokenizer | None, TrainConfig]:
    """Read a trained model.

    Args:
        path: the run's folder.
        checkpoint: "best" (lowest validation loss), "last", or a step.
        device: where the model goes; None: the CPU.

    Returns:
        The model in evaluation mode, its tokenizer (None for a run on bare token files), and the recipe.

    Raises:
        HornbookError: there is no run, no such checkpoint, or it does not fit the model; damaged files.
    """
    from hornbook.checkpoint.folder import CheckpointStore
    from hornbook.checkpoint.tensors import load_module
    from hornbook.models.transformer import TransformerLM
    from hornbook.training.launch.setup import read_tokenizer, warn

    run = Run.open(path)
    config = recipes.resolve(run.config)
    if isinstance(checkpoint, str) and checkpoint.isdecimal():
        checkpoint = int(checkpoint)
    loaded = CheckpointStore(run.path / "checkpoints", warn=warn).load(checkpoint)
    model = TransformerLM(config.model, device=device)
    load_module(model, loaded.model, str(run.path))
    return model.eval(), read_tokenizer(run.path), config
