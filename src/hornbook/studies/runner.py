"""Runs a study: prepares the data, skips what is done, resumes what was cut, trains the rest, reads the results.

A run is done when its folder says so and its digest is the one wanted: the resolved recipe without name, paths,
device and threads, and the data's own digest. The package's commit counts too, unless older results are accepted. A
diverged run is a result. The folder is one process's at a time, and runs that were made otherwise are removed only
where that is asked for. Killed at any moment, the same command goes on: the training loop's checkpoints take care of
the run that was being made. Left out: several machines (give each its own studies).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hornbook.earlier import LATER_OF_STUDY_DATA, without_later
from hornbook.errors import HornbookError
from hornbook.fileio import atomic_write, canonical_json, read_json_object, sha256_bytes
from hornbook.format import counted, duration
from hornbook.locks import hold
from hornbook.studies.data import prepare_all, recipe_key
from hornbook.studies.execution import Job, State, execute
from hornbook.studies.folder import remove_run, run_path, study_path, write_results, write_study
from hornbook.studies.outcome import read_outcome
from hornbook.studies.study import Options, Plan, Results, Scale, Study
from hornbook.tracking.console import Console, Stage
from hornbook.tracking.environment import describe_environment
from hornbook.tracking.run import Run

MARK_FILE = "study.json"
"""In every run folder of a study: the digest that the run was made for."""


class StudyStoppedError(HornbookError):
    """A study was interrupted; what is done is kept."""


def run_study(
    study: Study,
    scale: Scale,
    options: Options,
    *,
    out: Path,
    jobs: int = 1,
    accept_older: bool = False,
    replace: bool = False,
    command: str = "",
    deadline: float = math.inf,
    console: Console | None = None,
) -> Path:
    """Run what is missing of a study and write its results.

    Args:
        study: an entry of the catalogue, or one of your own.
        scale: `tiny`, `cpu` or `gpu`.
        options: seeds, texts and overrides of the user.
        out: the folder of all studies; this one's is `<out>/<name>-<scale>`.
        jobs: runs at a time, each in a process of its own if more than one.
        accept_older: runs made by another commit of hornbook count as done.
        replace: runs made by another commit or another recipe are removed and made anew.
        command: how to make this study again, for the report.
        deadline: `time.time()` at which what is being made is saved, and what is whole is analysed.
        console: where progress goes.

    Returns:
        The study folder, with results.json and results.csv.

    Raises:
        StudyStoppedError: interrupted, or out of time before a run was whole; the same call goes on where it was.
        HornbookError: a recipe or text that cannot be used; another process runs this study in the same folder; runs
            made otherwise are there, and neither `accept_older` nor `replace` says what is to become of them.
    """
    console = console or Console()
    plan = study.plan(scale, options)
    folder = study_path(out, study.name, scale)
    commit = current_commit()
    with hold(folder, "running this study"):
        wanted = make_jobs(plan, folder, commit, accept_older=accept_older, console=console)
        _check_older(folder, wanted, replace)
        write_study(folder, study, plan, scale=scale, command=command)
        waiting = [job for job in wanted if job.state != "done"]
        if wanted:
            known = len(wanted) - len(waiting)
            console.print(
                f"{study.name} at scale {scale}: {counted(len(wanted), 'run')}, {known} done before, {len(waiting)} to "
                "do; Ctrl-C is safe, and --dry-run says how long they take here"
            )
        missing = _train_all(waiting, jobs, console, deadline)
        if missing and len(missing) == len(wanted):
            raise StudyStoppedError(f"the time was up before a run of {study.name} was whole; the same command goes on")
        outcomes = [read_outcome(job.path, job.arm, job.seed) for job in wanted if job not in missing]
        results = Results(
            plan=plan, scale=scale, options=options, outcomes=outcomes, folder=folder, console=console, commit=commit
        )
        write_results(folder, study.analyse(results), outcomes, describe_environment(), [job.name for job in missing])
    return folder


def _check_older(folder: Path, jobs: Sequence[Job], replace: bool) -> None:
    """Refuse to go on where that would remove runs that nobody asked to remove."""
    others = [job for job in jobs if job.state == "other"]
    if others and not replace:
        raise HornbookError(
            f"{folder} holds {counted(len(others), 'run')} made by another commit or with another recipe, such as "
            f"{others[0].path.relative_to(folder)}; --accept-older counts those of another commit as done, --replace "
            "removes them all and makes them anew, --out names another folder"
        )


def current_commit() -> str:
    """Return what stands for the code that makes the runs: the commit, or the version outside a checkout."""
    environment = describe_environment()
    return str(environment.get("commit") or environment.get("hornbook"))


def make_jobs(plan: Plan, folder: Path, commit: str, *, accept_older: bool, console: Console) -> list[Job]:
    """Return every run of the plan with what is known of it, seed by seed, so that early results cover all arms."""
    from hornbook.training.config import resolve

    recipes = {(arm.name, seed): plan.recipe(arm, seed) for seed in plan.seeds for arm in plan.arms}
    data_of = prepare_all(list(recipes.values()), console)
    jobs = []
    for (arm, seed), recipe in recipes.items():
        data = data_of[recipe_key(recipe)]
        path = run_path(folder, arm, seed)
        recipe = recipe | {"data": data.section, "run": {"name": f"{arm}-seed-{seed}", "directory": str(path)}}
        config = resolve(recipe).with_vocab_size(data.vocab_size).to_dict()
        mark = {"version": 1, "config": config_digest(config, data.digest), "commit": commit}
        state = known_state(path, mark, accept_older=accept_older)
        jobs.append(Job(arm=arm, seed=seed, path=path, recipe=recipe, mark=mark, state=state, summary=data.summary))
    return jobs


def config_digest(config: dict[str, Any], data_digest: str) -> str:
    """Return the digest of what a run computes: not its name, its paths, its device or its number of threads."""
    plain = {name: dict(section) for name, section in config.items() if name not in ("run", "data", "logging")}
    for section, key in (("tokenizer", "path"), ("training", "device"), ("training", "threads")):
        plain.get(section, {}).pop(key, None)
    # What the token files depend on is in their digest.
    data = {key: config.get("data", {}).get(key) for key in ("order", "document_mask")}
    plain["data"] = {**without_later(data, LATER_OF_STUDY_DATA), "digest": data_digest}
    return sha256_bytes(canonical_json(plain).encode())


def known_state(path: Path, mark: dict[str, Any], *, accept_older: bool) -> State:
    """Return what is in a run folder: nothing to keep, the run that is wanted, or one made otherwise."""
    try:
        found = read_json_object(path / MARK_FILE)
        run = Run.open(path)
        status = run.status
    except (OSError, ValueError):
        return "new"
    finished = status in ("done", "diverged")
    if not finished and not any(path.glob("checkpoints/step-*")):
        return "new"
    same = found.get("config") == mark["config"] and (found.get("commit") == mark["commit"] or accept_older)
    if same and status not in ("done", "diverged", "stopped"):
        return "new"  # failed: tried again
    return ("done" if finished else "resume") if same else "other"


def _train_all(jobs: Sequence[Job], parallel: int, console: Console, deadline: float) -> list[Job]:
    """Train the jobs, with an estimate of the rest after each; return those for which the time was too short."""
    from hornbook.training.signals import OUT_OF_TIME

    missing: list[Job] = []
    if not jobs:
        return missing
    for job in jobs:
        if not job.resume:
            remove_run(job.path)
        atomic_write(job.path / MARK_FILE, canonical_json(job.mark))
    started = time.monotonic()
    stage = Stage("runs", len(jobs))
    with console.watch(stage):
        for count, (job, status, reason) in enumerate(execute(jobs, parallel, stage, deadline), 1):
            if status == "stopped" and reason.startswith(OUT_OF_TIME):
                missing.append(job)
                continue
            outcome = read_outcome(job.path, job.arm, job.seed) if status != "failed" else None
            loss = outcome.values.get("val_loss") if outcome else None
            ended = f"val loss {loss:.4f}" if loss is not None else reason or "no loss"
            left = (time.monotonic() - started) / count * (len(jobs) - count)
            stage.update(count, f"{job.name}: {status}, {ended}")
            console.print(
                f"[{count}/{len(jobs)}] {job.name}: {status}, {ended}"
                + (f"; about {duration(left)} left" if count < len(jobs) else "")
            )
            if status == "stopped":
                raise StudyStoppedError(
                    f"stopped after {count - 1} of {len(jobs)} runs; nothing is lost, the same command goes on "
                    "from here"
                )
    return missing
