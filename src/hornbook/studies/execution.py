"""Trains the runs of a study: one after another in this process, or several at a time in processes of their own.

A run that fails (out of memory, for one) is a result of the study, with its reason; an interrupt stops the study after
the current runs have saved themselves.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import math
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from hornbook.errors import HornbookError
from hornbook.fileio import atomic_write, canonical_json
from hornbook.processes import starting_workers
from hornbook.tracking.console import Console, Stage
from hornbook.tracking.environment import available_cores
from hornbook.tracking.run import CONFIG_FILE, SUMMARY_FILE, Run

State = Literal["new", "resume", "done", "other"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """A run that a study wants: its recipe, its folder and what is known of an earlier attempt."""

    arm: str
    seed: int
    path: Path
    recipe: dict[str, Any]
    mark: dict[str, Any]
    """What `study.json` of the finished run must say."""
    state: State
    """What is in the folder: nothing to keep, this run cut short or finished, or a run made otherwise."""
    summary: dict[str, Any]
    """What goes to the run's `summary.json`."""

    @property
    def name(self) -> str:
        """Its arm and seed, in words."""
        return f"{self.arm}, seed {self.seed}"

    @property
    def resume(self) -> bool:
        """Whether the run goes on from its last checkpoint."""
        return self.state == "resume"


def execute(jobs: Sequence[Job], parallel: int, stage: Stage, deadline: float) -> Iterator[tuple[Job, str, str]]:
    """Train the jobs and yield (job, status, reason) as each ends; status is the run's, or `failed`.

    Args:
        jobs: what to train.
        parallel: how many at a time.
        stage: shows which.
        deadline: `time.time()` at which runs save themselves and end as stopped, and none begins any more.
    """
    if parallel <= 1 or len(jobs) == 1:
        for job in jobs:
            stage.update(text=job.name)
            yield (job, *train_one(job.path, job.recipe, job.resume, job.summary, deadline))
        return
    threads = max(1, available_cores() // parallel)
    # Fresh interpreters: a forked one would inherit torch's threads in an unknown state.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        parallel, mp_context=context, initializer=_limit, initargs=(threads,)
    ) as pool:
        with starting_workers():
            waiting = {
                pool.submit(train_one, job.path, job.recipe, job.resume, job.summary, deadline): job for job in jobs
            }
        try:
            for future in concurrent.futures.as_completed(waiting):
                yield (waiting[future], *_result(future))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()  # SIGTERM: the training loop saves a checkpoint and ends
            raise


def _result(future: concurrent.futures.Future[tuple[str, str]]) -> tuple[str, str]:
    try:
        return future.result()
    except concurrent.futures.process.BrokenProcessPool:
        return "failed", "the process of the run was killed, most likely for lack of memory"


def train_one(
    path: Path, recipe: dict[str, Any], resume: bool, summary: dict[str, Any], deadline: float = math.inf
) -> tuple[str, str]:
    """Train one run in this process, until `deadline`; return its status and, unless it is done, the reason."""
    from hornbook.training.loop import train
    from hornbook.training.signals import OUT_OF_TIME

    if time.time() >= deadline:
        return "stopped", OUT_OF_TIME
    if summary:
        atomic_write(path / SUMMARY_FILE, canonical_json(summary))
    try:
        run = train(recipe, resume=resume, console=Console(silent=True), stop=lambda: time.time() >= deadline)
    except (HornbookError, OSError) as error:
        return _failed(path, str(error))
    except (RuntimeError, MemoryError) as error:
        # torch's out-of-memory errors are RuntimeErrors; any other is a defect and keeps its traceback.
        if not isinstance(error, MemoryError) and "memory" not in str(error).lower():
            raise
        return _failed(path, f"out of memory: {str(error).splitlines()[0] if str(error) else 'no more to be had'}")
    record = run.status_record()
    return run.status, str(record.get("reason", ""))


def _failed(path: Path, reason: str) -> tuple[str, str]:
    if (path / CONFIG_FILE).is_file():
        Run.open(path).set_status("failed", reason)
    return "failed", reason


def _limit(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
