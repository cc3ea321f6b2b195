"""Training: evaluate → sample → save → step → log, until the run is done, stopped or diverged.

`train` sets a run up (launch/setup.py) and runs the loop, under torchrun in every process alike. What each of its words
does is elsewhere: evaluator.py, checkpointer.py, trainer.py (one update), monitoring/run_logger.py (records); when it
happens is here.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError
from hornbook.evaluation.loss import Interrupted
from hornbook.fileio import FULL
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training.clock import RunClock
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.world import WorkerLostError, World, join, was_restarted
from hornbook.training.divergence import Divergence
from hornbook.training.launch.setup import Setup, resolve_recipe, set_up
from hornbook.training.monitoring.diagnostics import layer_norms
from hornbook.training.monitoring.run_logger import RunLogger, Silence
from hornbook.training.signals import Signals
from hornbook.training.step import StepResult


def train(
    config: TrainConfig | Mapping[str, Any] | str | Path,
    *,
    resume: bool = False,
    console: Console | None = None,
    clock: Callable[[], float] = time.monotonic,
    stop: Callable[[], bool] = lambda: False,
    **overrides: Any,
) -> Run:
    """Train a model.

    Args:
        config: a recipe: its file, its sections as nested dicts, or built.
        resume: continue the run in the recipe's folder if there is one; otherwise a folder with a run is an error.
            Processes that torchrun has started again (`--max-restarts`) always do.
        console: where progress goes; None: standard output.
        clock: seconds; for tests.
        stop: is asked before each update and within evaluations; once it says True, the run saves itself and ends as
            stopped, to be resumed.
        overrides: sections or dotted keys laid over the recipe: `training={"steps": 10}`.

    Returns:
        The run; `run.status` says how it ended.

    Raises:
        HornbookError: the recipe, the data or a checkpoint cannot be used.
        OSError: a file cannot be read or written.
    """
    world = join()
    resume = resume or was_restarted()
    try:
        recipe = resolve_recipe(config, overrides) if world.is_main else None
        run = _train(recipe, resume, console or Console(silent=not world.is_main), RunClock(clock), world, stop)
        world.close()
        return run
    except BaseException as error:
        world.fail(error)
        raise


def _train(
    recipe: TrainConfig | None,
    resume: bool,
    console: Console,
    clock: RunClock,
    world: World,
    stop: Callable[[], bool],
) -> Run:
    try:
        setup = set_up(recipe, resume=resume, console=console, clock=clock, world=world)
    except BaseException:
        console.close()
        raise
    run = setup.run

    def record(status: str, reason: str) -> None:
        if world.is_main:
            run.set_status(status, reason)

    world.on_leave(lambda sentence: record("failed", sentence))
    try:
        with Signals(one_of_many=world.size > 1, stop=stop) as signals:
            console.on_lost = lambda: signals.request(signal.SIGPIPE)
            status, reason = _run(setup, signals, console)
        record(status, reason)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the disk may be full: the first error is the one to report
            record("failed", " ".join(str(error).split()) or type(error).__name__)
        if isinstance(error, OSError) and error.errno in FULL:
            raise HornbookError(
                f"the disk is full (writing {error.filename or run.path}); make room, then continue with --resume"
            ) from error
        raise
    finally:
        console.close()
        run.release()
    return run


def _run(s: Setup, signals: Signals, console: Console) -> tuple[str, str]:
    counters = s.trainer.counters
    logger: Any = Silence()
    if s.world.is_main:
        logger = RunLogger(
            s.run, s.config, s.estimate, s.clock, console,
            step=counters.step, fresh=not (counters.step or counters.evaluated), processes=s.world.size,
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
        s.world.tick(f"update {trainer.counters.step:,}")
        s.checkpointer.saver.check()  # a checkpoint that could not be written ends the run here, not at the next save
        due = _Due(s, signals)
        if due.guard and (divergence := trainer.check_divergence(weights=due.save or due.stop)):
            if not _rewind(s, logger, divergence):
                return "diverged", str(divergence)
            continue
        if due.stop:
            _save(s, logger)
            return "stopped", f"{signals.reason} at step {trainer.counters.step}"
        if due.evaluation:
            try:
                _evaluate(s, logger, signals)
            except Interrupted:
                continue
        if due.sample:
            _sample(s, logger)
        if _save_is_due(s):
            _save(s, logger)
        if trainer.finished:
            return "done", ""
        _log_step(s, logger, trainer.train_step())


class _Due:
    """What is due before the next update, the same in all processes; a collective."""

    def __init__(self, s: Setup, signals: Signals):
        config, counters, budget = s.config, s.trainer.counters, s.trainer.state.budget
        step, end = counters.step, s.trainer.finished
        # Near the end of a time budget the final evaluation is the only one that still fits.
        late = budget.seconds is not None and budget.seconds - s.clock.seconds <= 3 * s.clock.closing_seconds
        # torchrun passes on no reason: it sends the same signal when a process has died, which shows here.
        stops, late = s.world.total(signals.asked, late and s.world.is_main)
        self.stop = stops > 0
        self.evaluation = not counters.evaluated and (end or step == 0 or _every(config.evaluation.every, step))
        if self.evaluation and not end and budget.seconds is not None:
            self.evaluation = step == 0 or not late
        self.sample = not counters.sampled and (end or _every(config.evaluation.sample_every, step))
        self.sample &= config.evaluation.sample_every > 0
        self.save = _save_is_due(s)
        # No checkpoint is written, and no evaluation trusted, without a check of the guard.
        checks = _every(config.guard.check_every, step)
        self.guard = step > 0 and (checks or end or self.stop or self.evaluation or self.save)


def _save_is_due(s: Setup) -> bool:
    counters, step = s.trainer.counters, s.trainer.counters.step
    new_best = counters.best_step == step and step > 0
    due = s.trainer.finished or new_best or _every(s.config.checkpoint.every, step)
    return s.checkpointer.last_saved != step and due


def _every(period: int, step: int) -> bool:
    return period > 0 and step > 0 and step % period == 0


def _evaluate(s: Setup, logger: RunLogger, signals: Signals) -> None:
    counters = s.trainer.counters

    def stop() -> bool:
        s.world.tick("the begin of an evaluation's batch", slow=counters.step == 0)
        return signals.asked

    with s.clock.aside("evaluation"), s.trainer.reading() as model:
        result = s.evaluator.evaluate(
            model,
            s.sizes,
            logger.on_eval_progress,
            stop,
            end=s.trainer.finished,
        )
    # A time budget keeps back what the last evaluation takes, and that one may measure more than the others.
    s.clock.closing["evaluation"] *= s.sizes.end / result.num_tokens
    counters.record_evaluation(result.loss if result.sample_loss is None else result.sample_loss)
    best = counters.best_step == counters.step and counters.step > 0
    logger.on_evaluation(counters.step, result, best=best)


def _sample(s: Setup, logger: RunLogger) -> None:
    s.trainer.counters.sampled = True
    s.world.tick("the begin of a sample", slow=True)
    sharded = s.trainer.strategy.sharded
    if s.evaluator.tokenizer is None or not (sharded or s.world.is_main):
        return
    logger.on_sampling()
    with s.clock.aside("samples"), s.trainer.reading() as model:
        text = s.evaluator.sample(model, s.evaluator.tokenizer, cache=not sharded)
    if text is not None:
        logger.on_sample(s.trainer.counters.step, text)


def _save(s: Setup, logger: RunLogger) -> None:
    s.world.tick("the begin of a checkpoint", slow=True)
    logger.sync()
    s.checkpointer.save()


def _log_step(s: Setup, logger: RunLogger, result: StepResult) -> None:
    record = s.trainer.finished or _every(s.config.logging.every, result.step)
    logger.on_step(result, s.trainer.state.budget.remaining(result.step, s.clock.seconds), record=record)
    if record and s.config.logging.norms and s.world.is_main:
        with s.clock.aside("norms"):
            inputs, _ = s.trainer.micro_batches(s.trainer.counters.position - 1)[0]()
            logger.log_norms(result.step, layer_norms(s.trainer.model, inputs))


def _rewind(s: Setup, logger: RunLogger, divergence: Divergence) -> bool:
    """Rewind if the recipe says so and still allows it; return False to stop."""
    logger.save_bad_batch(divergence, s.trainer.bad_batch(divergence))
    counters, guard = s.trainer.counters, s.config.guard
    if guard.action != "rewind" or counters.rewinds >= guard.max_rewinds:
        logger.log_divergence(divergence, None, counters.rewinds)
        return False
    s.world.tick("a divergence", slow=True)
    back_to = s.checkpointer.rewind(divergence)
    logger.log_divergence(divergence, back_to, s.trainer.counters.rewinds)
    return True
