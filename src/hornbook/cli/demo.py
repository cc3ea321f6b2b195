"""`hornbook demo`: corpus → tokenizer → token files → model → samples → report, in one command.

On storyworld it also says how close the model came to the best possible: the ratio of its bits per byte to the corpus's
true entropy, and what storyworld's own parser says of its stories (evaluation/storyworld.py). The recipe below is
ordinary; the same run is `hornbook train` with these settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook import config
from hornbook.cli.arguments import Overrides
from hornbook.cli.common import command
from hornbook.errors import HornbookError
from hornbook.fileio import atomic_write
from hornbook.training.config import check_paths

if TYPE_CHECKING:
    from hornbook.tracking.console import Console
    from hornbook.tracking.run import Run

LEVEL = "easy"
STORIES_WRITTEN = 200
MOST_STORIES_MEASURED = 500

FULL: dict[str, dict[str, Any]] = {
    "data": {"corpus": "storyworld", "corpus_level": LEVEL, "corpus_bytes": 12_000_000},
    "tokenizer": {"vocab_size": 1024},
    "model": {"context_length": 256, "d_model": 192, "num_layers": 4, "num_heads": 6, "tie_embeddings": True},
    "optimizer": {"name": "adamw", "lr": 3e-3},
    "schedule": {"name": "cosine", "warmup_steps": 50},
    "training": {"max_minutes": 4.0, "batch_size": 16},
    "evaluation": {"every": 100, "sample_every": 200, "max_tokens": 50_000},
    "checkpoint": {"every": 200, "keep_last": 1},
}
QUICK: dict[str, dict[str, Any]] = {
    "data": {"corpus_bytes": 2_000_000},
    "training": {"max_minutes": 0.4},
    "evaluation": {"max_tokens": 20_000},
}


def main(
    *,
    text: Path | None = None,
    quick: bool = False,
    directory: Path = Path("demo"),
    seed: int = 0,
    overrides: Overrides,
) -> int:
    """Run the whole line in about five minutes: corpus, tokenizer, token files, model, samples, report.

    Args:
        text: a text file of yours instead of storyworld (UTF-8; documents separated by a line `<|endoftext|>`).
        quick: about a minute instead of about five.
        directory: where everything goes; a number is added where something is there already.
        seed: of the weights, the data order and the samples.
        overrides: keys of the recipe.

    Examples:
        hornbook demo --quick
    """
    recipe = config.merge(FULL, QUICK) if quick else FULL
    folder = _free(directory)
    own: dict[str, Any] = {"run": {"name": folder.name, "directory": str(folder / "run")}, "training": {"seed": seed}}
    recipe = config.merge(recipe, own)
    if text is not None:
        recipe = {**recipe, "data": {"text": [str(text)]}}
    recipe = config.merge(recipe, overrides)
    check_paths(recipe)
    from hornbook.report.render import write_report
    from hornbook.tracking.console import Console
    from hornbook.training.loop import train

    console = Console()
    run = train(recipe, console=console)
    if run.status == "stopped":
        console.print(f"stopped; continue with: {command('train', run.path, '--resume')}")
        return 130
    if run.status != "done":
        raise HornbookError(f"the demo's training ended as {run.status!r}; {run.path / 'log.txt'} says why")
    lines = _measure(run, console, folder, seed, quick) if text is None else []
    report = write_report([run.path], folder / "report.html", title="hornbook demo")
    console.print()
    for line in [*_loss_lines(run), *lines, "", *_what_next(run, report)]:
        console.print(line)
    return 0


def _free(directory: Path) -> Path:
    """Return the first folder of `demo`, `demo-2`, … that is not there yet or is empty."""
    candidate, number = directory, 1
    while candidate.exists() and (not candidate.is_dir() or any(candidate.iterdir())):
        number += 1
        candidate = directory.with_name(f"{directory.name}-{number}")
    return candidate


def _measure(run: Run, console: Console, folder: Path, seed: int, quick: bool) -> list[str]:
    """Compare the model with the corpus's true entropy, let it write, and record both in the run's folder."""
    from hornbook.data.corpora.storyworld import split_stories
    from hornbook.data.prepare import prepare
    from hornbook.evaluation.storyworld import evaluate_on_storyworld, save_metrics
    from hornbook.training.load import load_run

    model, tokenizer, config = load_run(run.path)
    assert tokenizer is not None
    validation = prepare(config.data, config.tokenizer, console).validation_text
    assert validation is not None
    stories = split_stories(validation.read_text(encoding="utf-8"))[: MOST_STORIES_MEASURED // (5 if quick else 1)]
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
    return metrics.lines()


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
