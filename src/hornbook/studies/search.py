"""A search over settings with optuna, on the same execution as the studies: every trial is a run in a run folder.

Trials are kept in `search.jsonl`; a search that was cut short reads them back and goes on, with the same sampler seed.
Left out: pruning (runs here are short, and a pruned run is not a result that compares), and parallel trials.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hornbook.config import flatten, merge
from hornbook.errors import ConfigError, HornbookError
from hornbook.fileio import atomic_write
from hornbook.studies.execution import train_one
from hornbook.studies.folder import remove_run
from hornbook.studies.outcome import read_outcome
from hornbook.tracking.console import Console
from hornbook.tracking.records import read_records

TRIALS_FILE = "search.jsonl"
WORST = 1e9
"""What a diverged trial counts as: optuna needs a number, and none is worse."""


@dataclasses.dataclass(frozen=True)
class Range:
    """Values that a setting may take: from `low` to `high`, or one of `choices`."""

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[str, ...] = ()


def parse_space(overrides: Mapping[str, Any]) -> tuple[dict[str, Range], dict[str, Any]]:
    """Separate ranges (`low:high`, `low:high:log`, `a|b`) from fixed values; both as `section.key` → value.

    Raises:
        ConfigError: a range that is empty, not finite, or logarithmic from zero.
    """
    words = flatten(overrides)
    ranges = {key: _parse_range(key, value) for key, value in words.items()}
    space = {key: found for key, found in ranges.items() if found is not None}
    return space, {key: value for key, value in words.items() if key not in space}


def _parse_range(key: str, value: Any) -> Range | None:
    if not isinstance(value, str):
        return None
    if "|" in value:
        return Range(choices=tuple(value.split("|")))
    parts = value.split(":")
    if len(parts) not in (2, 3) or (len(parts) == 3 and parts[2] != "log"):
        return None
    try:
        low, high = float(parts[0]), float(parts[1])
    except ValueError:
        return None
    log = len(parts) == 3
    if not (math.isfinite(low) and math.isfinite(high) and low < high and (low > 0 or not log)):
        raise ConfigError(f"--{key} {value} is not a range: it needs low < high, and low > 0 where it is logarithmic")
    return Range(low, high, log, whole=all(part.lstrip("-").isdigit() for part in parts[:2]))


def search_settings(
    base: Mapping[str, Any],
    space: Mapping[str, Range],
    folder: Path,
    *,
    trials: int,
    seeds: int = 1,
    console: Console | None = None,
) -> tuple[dict[str, Any], float, Path]:
    """Minimise the mean final validation loss over `space`.

    Args:
        base: the recipe that every trial starts from.
        space: `section.key` → range.
        folder: trials go to `trial-00000/seed-0` and on; existing ones of the same space are taken over.
        trials: in all, those of an earlier call included.
        seeds: runs per trial.
        console: where progress goes.

    Returns:
        The best settings, their loss, and the folder.

    Raises:
        HornbookError: optuna is not installed, or no trial finished.
        ConfigError: `folder` holds a search over another space.
    """
    try:
        import optuna
    except ImportError:
        raise HornbookError("the search needs optuna: pip install 'hornbook[studies]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    console = console or Console()
    sampler = optuna.samplers.TPESampler(seed=0)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    distributions = {key: _distribution(optuna, r) for key, r in space.items()}
    done = read_records(folder / TRIALS_FILE, flat=False) if (folder / TRIALS_FILE).is_file() else []
    for known in done:
        if set(known["settings"]) != set(space):
            raise ConfigError(f"{folder} holds a search over {', '.join(known['settings'])}; choose another --out")
        study.add_trial(
            optuna.trial.create_trial(
                params=known["settings"], distributions=distributions, value=known["value"] or WORST
            )
        )
    for number in range(len(done), trials):
        trial = study.ask(distributions)
        value = _run_trial(base, trial.params, folder / f"trial-{number:05d}", seeds)
        study.tell(trial, WORST if value is None else value)
        done.append({"number": number, "settings": trial.params, "value": value})
        atomic_write(folder / TRIALS_FILE, "".join(json.dumps(t, sort_keys=True) + "\n" for t in done))
        ended = "diverged" if value is None else f"validation loss {value:.4f}"
        console.print(
            f"[{number + 1}/{trials}] " + ", ".join(f"{k} = {v}" for k, v in trial.params.items()) + f": {ended}"
        )
    finished = [t for t in done if t["value"] is not None]
    if not finished:
        raise HornbookError(f"no trial of {folder} finished with a loss; narrow the ranges")
    best = min(finished, key=lambda t: t["value"])
    return best["settings"], best["value"], folder


def _run_trial(base: Mapping[str, Any], settings: Mapping[str, Any], folder: Path, seeds: int) -> float | None:
    """Return the mean final validation loss over the seeds, None if one of them has none."""
    losses = []
    for seed in range(seeds):
        path = folder / f"seed-{seed}"
        remove_run(path)
        run = {"name": f"{folder.name}-seed-{seed}", "directory": str(path)}
        recipe = merge(merge(base, settings), {"run": run, "training": {"seed": seed}})
        status, reason = train_one(path, recipe, False, {})
        if status == "stopped":
            raise HornbookError("the search was stopped; the same command goes on from the trials that are done")
        outcome = read_outcome(path, folder.name, seed)
        if status == "failed":
            raise HornbookError(f"{path} failed: {reason}")
        if outcome.diverged:
            return None
        losses.append(float(outcome.values["val_loss"]))
    return math.fsum(losses) / len(losses)


def _distribution(optuna: Any, r: Range) -> Any:
    if r.choices:
        return optuna.distributions.CategoricalDistribution(r.choices)
    if r.whole:
        return optuna.distributions.IntDistribution(int(r.low), int(r.high), log=r.log)
    return optuna.distributions.FloatDistribution(r.low, r.high, log=r.log)
