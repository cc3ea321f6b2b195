"""`hornbook train RECIPE | --text FILE… [--section.key value …]`: train a model, or continue a run with `--resume`."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook import config
from hornbook.cli.arguments import Overrides
from hornbook.cli.common import command
from hornbook.errors import ConfigError, DataError
from hornbook.training.config import check_paths
from hornbook.training.launch.overfit import judgement, one_batch_recipe

if TYPE_CHECKING:
    from hornbook.tracking.console import Console
    from hornbook.tracking.run import Run

EXIT_CODES = {"done": 0, "diverged": 1, "stopped": 130}


def main(
    recipe: str | None = None,
    *,
    text: tuple[str, ...] = (),
    name: str | None = None,
    note: str | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    verify: bool = False,
    log_norms: bool = False,
    profile: bool = False,
    overfit_batch: bool = False,
    show_recipe: bool = False,
    show_schedule: bool = False,
    json_: bool = False,
    overrides: Overrides,
) -> int:
    """Train a model from a recipe, or from text files of yours. Exit code 1: it diverged; 130: stopped by a signal.

    Args:
        recipe: a .toml, .json or .yaml recipe, or the folder of a run to continue.
        text: text to train on (files, folders, globs; .jsonl, .json, .csv, .parquet, packed or not); without a
            recipe, sizes are picked to suit it and this machine.
        name: name of the run: its folder is runs/NAME.
        note: a sentence about why this run is made; `hornbook runs` shows it.
        resume: continue the run where its last checkpoint left it.
        max_minutes: train for so long; the learning rate decays to its end by then.
        verify: check every token id, and their SHA-256, before training.
        log_norms: record the norms of weights, gradients and activations of every layer.
        profile: trace a few steps and print the ten most expensive operations.
        overfit_batch: train on one batch again and again (200 times), and say whether the model has learned it: the
            first test of a change.
        show_recipe: print the recipe that would be trained, and stop.
        show_schedule: draw the learning rate over the run that would be trained, and stop.
        json_: print the result as JSON; progress goes to standard error.
        overrides: keys of the recipe.

    Examples:
        hornbook train recipes/tinystories-cpu.toml --optimizer.lr 1e-3 --name faster
        hornbook train --text my.txt --max-minutes 20
        hornbook train runs/faster --resume
    """
    from hornbook.tracking.console import Console

    is_worker = int(os.environ.get("RANK", "0")) > 0  # under torchrun the main process writes for all
    console = Console(stream=io.StringIO() if is_worker else sys.stderr if json_ else sys.stdout)
    flags = {"training.max_minutes": max_minutes, "data.verify": verify}
    flags |= {"run.name": name, "run.note": note, "logging.norms": log_norms, "logging.profile": profile}
    given = config.merge({key: value for key, value in flags.items() if value not in (None, False)}, overrides)
    sections: dict[str, Any] = {}
    if not is_worker:
        sections = recipe_sections(recipe, text, resume, given, console)
        if overfit_batch:
            sections = one_batch_recipe(sections)
        sections = config.merge(sections, given)
    if not is_worker:
        check_paths(sections, resume=resume)
    if show_recipe or show_schedule:
        if not is_worker:
            from hornbook.cli.schedule import schedule
            from hornbook.training.launch.setup import resolve_recipe

            resolved = resolve_recipe(sections)
            print("\n".join(schedule(resolved)) if show_schedule else config.dump_toml(resolved.to_dict()).rstrip("\n"))
        return 0
    from hornbook.training.loop import train

    run = train(sections, resume=resume, console=console)
    if not is_worker:
        _close(run, console, json_)
        if overfit_batch and run.status == "done":
            console.print(judgement(run))
    return EXIT_CODES.get(run.status, 2)


def recipe_sections(
    recipe: str | None, text: tuple[str, ...], resume: bool, given: dict[str, Any], console: Console
) -> dict[str, Any]:
    """Return the sections to train with, from a file, a run's folder, or the size of the text."""
    if recipe is None and text:
        return _automatic(text, resume, given, console)
    if recipe is None:
        if {"text", "corpus", "tokens"}.isdisjoint(given.get("data", {})):
            raise ConfigError("nothing to train: give a recipe (recipes/*.toml), or a text of yours with --text FILE")
        return {}
    path = Path(recipe)
    if path.is_dir():
        if not (path / "config.toml").is_file():
            raise ConfigError(f"{path} is a folder without a run in it; give a recipe, or a text with --text")
        from hornbook.training.config import read_stored

        sections = config.merge(read_stored(path), {"run": {"directory": str(path)}})
    elif resume and not path.exists() and not path.suffix:
        raise ConfigError(f"there is no run in {path} to resume; `hornbook runs` lists those there are")
    else:
        sections = config.merge({"run": {"name": path.stem}}, config.read(path))
    return config.merge(sections, {"data": {"text": list(text)}}) if text else sections


def _automatic(text: tuple[str, ...], resume: bool, given: dict[str, Any], console: Console) -> dict[str, Any]:
    """Pick a recipe for text files; a run that is there already keeps the one it was made with."""
    from hornbook.data.text_files import find_files, is_stream, settled
    from hornbook.data.text_kinds import ending, packing_of_name

    name = str(given.get("run", {}).get("name") or _run_name(text[0]))
    text = tuple(settled([source])[0] if is_stream(source) else source for source in text)
    packed = {path: packing_of_name(path) or ending(path) == ".parquet" for path in find_files(text)}
    sizes = [Path(path).stat().st_size * (4 if is_packed else 1) for path, is_packed in packed.items()]
    if not any(sizes):
        raise DataError(f"{', '.join(text)} is empty; give some text to train on")
    stored = Path("runs") / name
    if resume and (stored / "config.toml").exists():
        from hornbook.training.config import read_stored

        return read_stored(stored)
    from hornbook.training.launch.auto_recipe import automatic_recipe
    from hornbook.training.launch.device import training_rate
    from hornbook.training.sections import TrainingSection

    training = config.build(TrainingSection, given.get("training", {}), "training")
    with console.stage("measuring this machine"):
        peak, dtype = training_rate(training)
    model = None
    if (init_from := given.get("model", {}).get("init_from")) is not None:
        from hornbook.training.launch.init_from import source_config

        model = source_config(str(init_from))
    sections, words = automatic_recipe(text, sum(sizes), peak, dtype, training.max_minutes, model)
    console.print(words)
    return {**sections, "run": {"name": name}}


def _run_name(source: str) -> str:
    """Return the name of a run on a file or a folder: without its endings, and a word for a glob or a stream."""
    from hornbook.data.text_files import is_stream
    from hornbook.data.text_kinds import unpacked_name

    stem = "text" if is_stream(source) else unpacked_name(Path(source).resolve().name)
    stem = stem.rsplit(".", 1)[0] if stem.rsplit(".", 1)[0] else stem
    return re.sub(r"[*?\[\]]+", "-", stem).strip("-. ") or "text"


def _close(run: Run, console: Console, as_json: bool) -> None:
    """Say how the run ended and what can be done with it."""
    summary = run.summary()
    status = run.status_record()
    if as_json:
        print(json.dumps({"run": str(run.path), "status": run.status, "reason": status.get("reason", ""), **summary}))
        return
    if run.status == "stopped":
        console.print(f"stopped ({status.get('reason')}); continue with: {command('train', run.path, '--resume')}")
        return
    loss = summary.get("best_val_loss")
    if loss is not None:
        console.print(f"{run.status}: best validation loss {loss:.4f} at step {summary['best_step']:,}, in {run.path}")
    if run.status == "done":
        try_ = command("generate", run.path, "--prompt", "Once"), command("report", run.path)
        console.print("try: " + "     ".join(try_))
