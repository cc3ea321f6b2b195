"""`hornbook demo`: corpus → tokenizer → token files → model → samples → report, in one command.

On storyworld it also says how close the model came to the best possible: the ratio of its bits per byte to the corpus's
true entropy, and what storyworld's own parser says of its stories (evaluation/storyworld.py). The recipe below is
ordinary; the same run is `hornbook train` with these settings.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook import config
from hornbook.cli.arguments import Overrides
from hornbook.cli.common import command, result_console
from hornbook.data.text_files import find_files
from hornbook.errors import ConfigError, HornbookError
from hornbook.fileio import atomic_write
from hornbook.format import quantity
from hornbook.training.config import check_paths

if TYPE_CHECKING:
    from hornbook.evaluation.storyworld import StoryworldMetrics
    from hornbook.tracking.console import Console
    from hornbook.tracking.run import Run

STORIES_WRITTEN = 200
MOST_STORIES_MEASURED = 500
SHORT = 4.0
"""Minutes below which fewer stories are measured."""
BESIDE = 0.9
"""Minutes that the corpus, the tokenizer, the measures and the report take, at most."""


def main(
    *,
    minutes: float = 5.0,
    quick: bool = False,
    text: Path | None = None,
    directory: Path = Path("demo"),
    seed: int = 0,
    json_: bool = False,
    overrides: Overrides,
) -> int:
    """Run the whole line in about five minutes: corpus, tokenizer, token files, model, samples, report.

    Args:
        minutes: about how long all of it may take; model, batch and corpus are chosen to suit it and this machine.
        quick: the same as `--minutes 1`.
        text: a text file of yours instead of storyworld (UTF-8; documents separated by a line `<|endoftext|>`).
        directory: where everything goes; a number is added where something is there already.
        seed: of the weights, the data order and the samples.
        json_: print the result as JSON; progress goes to standard error.
        overrides: keys of the recipe.

    Examples:
        hornbook demo --quick
        hornbook demo --minutes 15
    """
    minutes = 1.0 if quick else minutes
    if not 0.1 <= minutes < math.inf:
        raise ConfigError(f"--minutes {minutes:g} is too short; half a minute is the least that says anything")
    started, folder = time.monotonic(), _free(directory)
    given: dict[str, Any] = {"run": {"name": folder.name, "directory": str(folder / "run")}, "training": {"seed": seed}}
    given = config.merge(given, overrides)
    if text is not None:
        find_files(str(text))
    from hornbook.report.render import write_report
    from hornbook.training.loop import train

    console = result_console(json_)
    recipe = _sized(minutes, given, text, console)
    check_paths(recipe)
    run = train(recipe, console=console)
    if run.status == "stopped":
        console.print(f"stopped; continue with: {command('train', run.path, '--resume')}")
        return 130
    if run.status != "done":
        raise HornbookError(f"the demo's training ended as {run.status!r}; {run.path / 'log.txt'} says why")
    metrics = _measure(run, console, folder, seed, minutes) if text is None else None
    report = write_report([run.path], folder / "report.html", title="hornbook demo")
    if json_:
        print(json.dumps(_result(run, metrics, time.monotonic() - started)))
        return 0
    lines = [] if metrics is None else [*_story_lines(metrics, folder), *metrics.lines()[:1], ""]
    lines += [*_loss_lines(run), *([] if metrics is None else metrics.lines()[1:])]
    console.print()
    for line in [*lines, "", *_what_next(run, report)]:
        console.print(line)
    return 0


def _sized(minutes: float, given: dict[str, Any], text: Path | None, console: Console) -> dict[str, Any]:
    """Return a recipe for this machine and time, after a short trial; say what it is and what to expect of it."""
    from hornbook.training.launch.story_ladder import choose, expect, recipe
    from hornbook.training.launch.trial import rung_timer

    training_minutes = max(0.4 * minutes, minutes - BESIDE)
    changes = {key: given["training"][key] for key in ("device", "dtype", "threads") if key in given["training"]}
    with console.stage("trying out this machine"):
        choice = choose(60 * training_minutes, rung_timer({"training": changes}))
    sections = config.merge(recipe(choice, training_minutes), given)
    if text is not None:
        return {**sections, "data": {"text": [str(text)], **given.get("data", {})}}
    rung = choice.rung
    shape = f"{rung.num_layers} layers of width {rung.d_model}, {quantity(rung.parameters)} parameters"
    console.print(
        f"about {minutes:g} minutes, {training_minutes:.2g} of them training: {shape}, some {choice.updates:,} updates "
        f"of {rung.tokens_per_step:,} tokens, {quantity(sections['data']['corpus_bytes'], 'B')} of stories"
    )
    if sections["data"]["corpus_level"] == "easy":
        found = expect(choice.tokens)
        console.print(
            f"expect the loss to end {'at or below' if found.beyond else 'at about'} {found.ratio:.2f} × the true "
            f"entropy of the stories, and {found.valid_share:.0%} of what it writes to be stories without a mistake"
        )
    return sections


def _free(directory: Path) -> Path:
    """Return the first folder of `demo`, `demo-2`, … that is not there yet or is empty."""
    candidate, number = directory, 1
    while candidate.exists() and (not candidate.is_dir() or any(candidate.iterdir())):
        number += 1
        candidate = directory.with_name(f"{directory.name}-{number}")
    return candidate


def _measure(run: Run, console: Console, folder: Path, seed: int, minutes: float) -> StoryworldMetrics:
    """Compare the model with the corpus's true entropy, let it write, and record both in the run's folder."""
    from hornbook.data.corpora.storyworld import split_stories
    from hornbook.data.prepare import prepare
    from hornbook.evaluation.storyworld import evaluate_on_storyworld, save_metrics
    from hornbook.training.load import load_run

    model, tokenizer, config = load_run(run.path)
    assert tokenizer is not None
    validation = prepare(config.data, config.tokenizer, console).validation_text
    assert validation is not None
    most = MOST_STORIES_MEASURED // (5 if minutes < SHORT else 1)
    stories = split_stories(validation.read_text(encoding="utf-8"))[:most]
    metrics = evaluate_on_storyworld(
        model, tokenizer, config.data, stories, num_written=STORIES_WRITTEN, seed=seed, console=console
    )
    save_metrics(metrics, run.path)
    assert metrics.written is not None
    verdicts = zip(metrics.written.verdicts, metrics.texts, strict=True)
    atomic_write(
        folder / "stories.txt",
        "".join(f"[{f'not a story: {verdict}' if verdict else 'a story'}]\n{text}\n\n" for verdict, text in verdicts),
    )
    return metrics


def _story_lines(metrics: StoryworldMetrics, folder: Path) -> list[str]:
    """Return a story that the model wrote, or what comes nearest to one."""
    story = metrics.best_story()
    if not story:
        return []
    whole = metrics.written is not None and metrics.written.num_valid > 0
    title = "a story that it wrote" if whole else "what it wrote that comes nearest to a story"
    return [f"{title} (all of them: {folder / 'stories.txt'})", "", *(f"  {line}" for line in story.splitlines()), ""]


def _result(run: Run, metrics: StoryworldMetrics | None, seconds: float) -> dict[str, Any]:
    """Return what a script wants to know."""
    summary, score, written = run.summary(), metrics and metrics.score, metrics and metrics.written
    return {
        "run": str(run.path),
        "ratio_to_floor": score.ratio if score else None,
        "valid_share": written.valid_share if written else None,
        "sentence_share": written.sentence_share if written else None,
        "seconds": round(seconds, 1),
        **{key: summary.get(key) for key in ("step", "tokens", "val_loss", "val_bits_per_byte")},
    }


def _loss_lines(run: Run) -> list[str]:
    summary = run.summary()
    return [
        f"validation loss {summary['val_loss']:.4f} nats/token, {summary['val_bits_per_byte']:.4f} bits/byte "
        f"after {summary['step']:,} steps ({summary['tokens']:,} tokens)"
    ]


def _what_next(run: Run, report: Path) -> list[str]:
    return [
        f"report      {report}",
        f"run         {run.path}  (config, metrics, checkpoints, tokenizer, samples)",
        "",
        "try next",
        f"  {command('generate', run.path, '--prompt', 'Once upon a time')}",
        f"  {command('train', '--text', 'my.txt')}           a text of yours",
        f"  {command('eval', run.path, '--text', 'my.txt')}",
        f"  {command('study', 'run', 'learning_rate', '--scale', 'tiny')}",
    ]
