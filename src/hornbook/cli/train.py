"""`hornbook train RECIPE | --text FILE… [--section.key value …]`: train a model, or continue a run with `--resume`."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from hornbook import config
from hornbook.cli.common import command, parse
from hornbook.errors import ConfigError, DataError

if TYPE_CHECKING:
    from hornbook.tracking.console import Console
    from hornbook.tracking.run import Run

PACKED = (".gz", ".zst", ".parquet")
"""Files that hold about four times their size of text."""
EXIT_CODES = {"done": 0, "diverged": 1, "stopped": 130}


@dataclass(frozen=True)
class Arguments:
    """Train a model from a recipe, or from text files of yours; any key of the recipe can follow as --section.key
    value."""

    recipe: Annotated[str | None, tyro.conf.Positional] = None
    """A .toml, .json or .yaml recipe, or the folder of a run to continue."""
    text: tuple[str, ...] = ()
    """Text to train on (files, folders, globs; .jsonl, .parquet, .gz, .zst too); without a recipe, sizes are picked to
    suit it and this machine."""
    name: str | None = None
    """Name of the run: its folder is runs/NAME."""
    resume: bool = False
    """Continue the run where its last checkpoint left it."""
    max_minutes: float | None = None
    """Train for so long; the learning rate decays to its end by then."""
    verify: bool = False
    """Check every token id against the vocabulary before training."""
    log_norms: bool = False
    """Record the norms of weights, gradients and activations of every layer."""
    profile: bool = False
    """Trace a few steps and print the ten most expensive operations."""
    show_recipe: bool = False
    """Print the recipe that would be trained, and stop."""
    json_summary: bool = False
    """Print the result as JSON; progress goes to standard error."""


def main(argv: list[str]) -> int:
    """Run the verb; returns 0 done, 1 diverged, 130 stopped by a signal."""
    overrides, rest = config.split_words(["--json-summary" if word == "--json" else word for word in argv])
    arguments = parse(Arguments, rest, prog="hornbook train")
    from hornbook.tracking.console import Console

    # Under torchrun the first process speaks for all.
    following = int(os.environ.get("RANK", "0")) > 0
    quiet = io.StringIO() if following else None
    console = Console(stream=quiet or (sys.stderr if arguments.json_summary else sys.stdout))
    recipe = {} if following else _recipe(arguments, overrides, console)
    if arguments.show_recipe:
        if following:
            return 0
        from hornbook.training.loop import as_config

        print(config.dump_toml(as_config(recipe, {}).to_dict()), end="")
        return 0
    from hornbook.training.loop import train

    run = train(recipe, resume=arguments.resume, console=console)
    if following:
        return EXIT_CODES.get(run.status, 2)
    _close(run, console, arguments.json_summary)
    return EXIT_CODES.get(run.status, 2)


def _recipe(arguments: Arguments, overrides: list[str], console: Console) -> dict[str, Any]:
    """Return the sections to train with, from a file, a run's folder, or the size of the text."""
    if arguments.recipe is not None:
        path = Path(arguments.recipe)
        if path.is_dir():
            if not (path / "config.toml").is_file():
                raise ConfigError(f"{path} is a folder without a run in it; give a recipe, or a text with --text")
            recipe = config.merge(config.read(path / "config.toml"), {"run": {"directory": str(path)}})
        elif arguments.resume and not path.exists() and not path.suffix:
            raise ConfigError(f"there is no run in {path} to resume; `hornbook runs` lists those there are")
        else:
            recipe = config.merge({"run": {"name": path.stem}}, config.read(path))
        if arguments.text:
            recipe = config.merge(recipe, {"data": {"text": list(arguments.text)}})
    elif arguments.text:
        recipe = _automatic(arguments, overrides, console)
    elif any(word.startswith("--data.") for word in overrides):
        recipe = {}
    else:
        raise ConfigError("nothing to train: give a recipe (recipes/*.toml), or a text of yours with --text FILE")
    return config.apply_overrides(recipe, [*_flags(arguments), *overrides])


def _flags(arguments: Arguments) -> list[str]:
    words: list[str] = []
    if arguments.name is not None:
        words += ["--run.name", arguments.name]
    if arguments.max_minutes is not None:
        words += ["--training.max-minutes", str(arguments.max_minutes)]
    for given, key in (
        (arguments.verify, "--data.verify"),
        (arguments.log_norms, "--logging.norms"),
        (arguments.profile, "--logging.profile"),
    ):
        words += [key, "true"] if given else []
    return words


def _automatic(arguments: Arguments, overrides: list[str], console: Console) -> dict[str, Any]:
    """Pick a recipe for text files; a run that is there already keeps the one it was made with."""
    from hornbook.data.text_reader import find_files

    sizes = [Path(path).stat().st_size * (4 if path.endswith(PACKED) else 1) for path in find_files(arguments.text)]
    if not any(sizes):
        raise DataError(f"{', '.join(arguments.text)} is empty; give some text to train on")
    name = arguments.name or _run_name(Path(arguments.text[0]).resolve().name)
    stored = Path("runs") / name / "config.toml"
    if arguments.resume and stored.exists():
        return config.read(stored)
    from hornbook.training.config import TrainingSection
    from hornbook.training.launch.auto_recipe import automatic_recipe
    from hornbook.training.launch.device import training_rate

    given = config.apply_overrides({}, [*_flags(arguments), *overrides]).get("training", {})
    training = config.build(TrainingSection, given, "training")
    with console.stage("measuring this machine"):
        peak, dtype = training_rate(training)
    init_from = config.apply_overrides({}, overrides).get("model", {}).get("init_from")
    model = None
    if init_from is not None:
        from hornbook.training.launch.init_from import source_config

        model = source_config(str(init_from))
    recipe, words = automatic_recipe(arguments.text, sum(sizes), peak, dtype, training.max_minutes, model)
    console.say(words)
    return {**recipe, "run": {"name": name}}


def _run_name(file_name: str) -> str:
    """Return the name of a run on a file or a folder: without its endings, and a word for a glob."""
    stem = file_name.removesuffix(".gz").removesuffix(".zst")
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
        console.say(f"stopped ({status.get('reason')}); continue with: {command()} train {run.path} --resume")
        return
    loss = summary.get("best_val_loss")
    if loss is not None:
        console.say(f"{run.status}: best validation loss {loss:.4f} at step {summary['best_step']:,}, in {run.path}")
    if run.status == "done":
        console.say(f'try: {command()} generate {run.path} --prompt "…"     {command()} report {run.path}')
