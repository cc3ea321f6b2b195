"""Training: evaluate → sample → save → step → log, until the run is done, stopped or diverged.

`train` sets a run up (launch/setup.py) and runs the loop. What each of its words does is elsewhere: evaluator.py,
checkpointer.py, trainer.py (one update), monitoring/run_logger.py (records); when it happens is here.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hornbook.evaluation.loss import Interrupted
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training.clock import RunClock
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.group import Group, WorkerLostError, join
from hornbook.training.divergence import Divergence
from hornbook.training.launch.setup import Setup, resolve_recipe, set_up
from hornbook.training.monitoring.diagnostics import layer_norms
from hornbook.training.monitoring.run_logger import RunLogger
from hornbook.training.signals import Signals
from hornbook.training.step import StepResult
from hornbook.training.worker import work


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
    try:
        if group is not None and not group.is_main:
            return work(group)
        run = _train(resolve_recipe(config, overrides), resume, console or Console(), RunClock(clock), group)
        if group is not None:
            group.close()
        return run
    except BaseException as error:
        if group is not None:
            group.fail(error)
        raise


def _train(recipe: TrainConfig, resume: bool, console: Console, clock: RunClock, group: Group | None) -> Run:
    try:
        setup = set_up(recipe, resume=resume, console=console, clock=clock, group=group)
    except BaseException:
        console.close()
        raise
    run = setup.run
    if group is not None:
        group.watch.on_leave = lambda sentence: run.set_status("failed", sentence)
    try:
        with Signals(one_of_many=group is not None) as signals:
            console.on_lost = lambda: signals.request(signal.SIGPIPE)
            status, reason = _run(setup, signals, console)
        run.set_status(status, reason)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the disk may be full: the first error is the one to report
            run.set_status("failed", " ".join(str(error).split()) or type(error).__name__)
        raise
    finally:
        console.close()
        run.release()
    return run


def _run(s: Setup, signals: Signals, console: Console) -> tuple[str, str]:
    counters = s.trainer.counters
    logger = RunLogger(
        s.run, s.config, s.estimate, s.clock, console,
        step=counters.step, fresh=not (counters.step or counters.evaluated), processes=s.group.size if s.group else 1,
    )  # fmt: skip
    with logger:
        s.clock.start()
        try:
            return _loop(s, logger, signals)
        except WorkerLostError as lost:
            # Gradients are exchanged before weights change: a whole copy of them is the last whole update.
            logger.sync()
            fate = s.checkpointer.save_after_worker_loss()
            raise WorkerLostError(f"{lost}; {fate}: start torchrun again with --resume") from lost
        finally:
            # A checkpoint that is being written is finished, whatever else happens.
            s.checkpointer.saver.wait()


def _loop(s: Setup, logger: RunLogger, signals: Signals) -> tuple[str, str]:
    """Train until something ends it; return the status and the reason."""
    trainer = s.trainer
    while True:
        due = _Due(s, signals)
        if due.guard and (divergence := trainer.check_divergence(weights=due.save or due.stop)):
            if not _rewind(s, logger, divergence):
                return "diverged", str(divergence)
            continue
        if due.stop:
            _save(s, logger)
            if s.group is not None:  # torchrun passes on no reason: it sends the same signal when a process has died
                s.group.check_alive()
            return "stopped", f"signal {signals.requested} at step {trainer.counters.step}"
        if due.evaluation:
            try:
                _evaluate(s, logger, signals)
            except Interrupted:
                continue
        if due.sample:
            _sample(s, logger)
        if _Due(s, signals).save:
            _save(s, logger)
        if trainer.finished:
            return "done", ""
        _log_step(s, logger, trainer.train_step())


class _Due:
    """What is due before the next update."""

    def __init__(self, s: Setup, signals: Signals):
        config, counters, budget = s.config, s.trainer.counters, s.trainer.state.budget
        step, end = counters.step, s.trainer.finished
        self.stop = signals.requested is not None
        self.evaluation = not counters.evaluated and (end or step == 0 or _every(config.evaluation.every, step))
        if self.evaluation and not end and budget.seconds is not None:
            # Near the end of a time budget the final evaluation is the only one that still fits.
            self.evaluation = step == 0 or budget.seconds - s.clock.seconds > 3 * s.clock.closing_seconds
        self.sample = not counters.sampled and (end or _every(config.evaluation.sample_every, step))
        self.sample &= config.evaluation.sample_every > 0
        new_best = counters.best_step == step and step > 0
        self.save = s.checkpointer.last_saved != step and (end or new_best or _every(config.checkpoint.every, step))
        # No checkpoint is written, and no evaluation trusted, without a check of the guard.
        checks = _every(config.guard.check_every, step)
        self.guard = step > 0 and (checks or end or self.stop or self.evaluation or self.save)


def _every(period: int, step: int) -> bool:
    return period > 0 and step > 0 and step % period == 0


def _evaluate(s: Setup, logger: RunLogger, signals: Signals) -> None:
    counters = s.trainer.counters
    with s.clock.aside("evaluation"):
        model = s.trainer.gather_model()
        result = s.evaluator.evaluate(
            model, s.sizes, logger.on_eval_progress, lambda: signals.requested is not None, end=s.trainer.finished
        )
    # A time budget keeps back what the last evaluation takes, and that one may measure more than the others.
    s.clock.closing["evaluation"] *= s.sizes.end / result.num_tokens
    counters.record_evaluation(result.loss if result.sample_loss is None else result.sample_loss)
    best = counters.best_step == counters.step and counters.step > 0
    logger.on_evaluation(counters.step, result, best=best)


def _sample(s: Setup, logger: RunLogger) -> None:
    s.trainer.counters.sampled = True
    if s.evaluator.tokenizer is None:
        return
    logger.on_sampling()
    with s.clock.aside("samples"):
        text = s.evaluator.sample(s.trainer.gather_model(), s.evaluator.tokenizer)
    if text is not None:
        logger.on_sample(s.trainer.counters.step, text)


def _save(s: Setup, logger: RunLogger) -> None:
    logger.sync()
    s.checkpointer.save()


def _log_step(s: Setup, logger: RunLogger, result: StepResult) -> None:
    record = s.trainer.finished or _every(s.config.logging.every, result.step)
    logger.on_step(result, s.trainer.state.budget.remaining(result.step, s.clock.seconds), record=record)
    if record and s.config.logging.norms:
        with s.clock.aside("norms"):
            inputs, _ = s.trainer.micro_batches(s.trainer.counters.position - 1)[0]()
            logger.log_norms(result.step, layer_norms(s.trainer.gather_model(), inputs))


def _rewind(s: Setup, logger: RunLogger, divergence: Divergence) -> bool:
    """Rewind if the recipe says so and still allows it; return False to stop."""
    logger.save_bad_batch(divergence, s.trainer.bad_batch(divergence))
    counters, guard = s.trainer.counters, s.config.guard
    if guard.action != "rewind" or counters.rewinds >= guard.max_rewinds:
        logger.log_divergence(divergence, None, counters.rewinds)
        return False
    back_to = s.checkpointer.rewind(divergence)
    logger.log_divergence(divergence, back_to, s.trainer.counters.rewinds)
    return True
