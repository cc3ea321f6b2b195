"""`hornbook eval RUN [--text FILE…]`: loss, perplexity and bits per byte of a run, on its validation set or on text.

Where the corpus that the run was trained on has an evaluation of its own (evaluation/registry.py), also by that.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from hornbook.cli.common import parse
from hornbook.errors import ConfigError, DataError

if TYPE_CHECKING:
    from hornbook.data.sampler import TokenData
    from hornbook.evaluation.registry import CorpusMetrics


@dataclass(frozen=True)
class Arguments:
    """Measure a run: loss, perplexity and bits per byte over a whole validation set or a text."""

    run: Annotated[str, tyro.conf.Positional]
    """The run's folder."""
    text: tuple[str, ...] = ()
    """Text files to measure on instead of the run's validation set."""
    checkpoint: str = "best"
    """"best", "last" or a step."""
    context_length: int | None = None
    """Window of the evaluation; the model's context if not given."""
    batch_size: int = 32
    """Windows per forward pass; changes the time taken, not the result."""
    errors: Literal["strict", "replace"] = "strict"
    """Of text: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them."""
    max_tokens: int | None = None
    """Use the first so many tokens only."""
    stories: int = 100
    """On storyworld: compare so many whole validation stories with their true entropy; 0 for none."""
    samples: int = 200
    """On storyworld: let the model write so many stories and have the corpus's parser read them; 0 for none."""
    seed: int = 0
    """Of the stories that the model writes."""
    device: str = "cpu"
    """Where to compute."""
    json_summary: bool = False
    """Print JSON."""


def main(argv: list[str]) -> int:
    """Run the verb; returns the exit code."""
    words = ["--json-summary" if word == "--json" else word for word in argv]
    arguments = parse(Arguments, words, prog="hornbook eval")
    from hornbook.evaluation.loss import evaluate
    from hornbook.tracking.console import Console, Stage
    from hornbook.training.launch.device import choose_device
    from hornbook.training.loop import load_run

    console = Console(stream=sys.stderr)
    model, tokenizer, config = load_run(arguments.run, arguments.checkpoint, choose_device(arguments.device))
    data, name = _data(arguments, tokenizer, config, console)
    stage = Stage("evaluating", len(data))
    with console.watch(stage):
        result = evaluate(
            model,
            data,
            arguments.batch_size,
            arguments.context_length,
            max_tokens=arguments.max_tokens,
            progress=stage.update,
        )
    metrics = None if arguments.text else _evaluate_on_corpus(arguments, model, tokenizer, config, console)
    if arguments.json_summary:
        facts = {} if metrics is None else {config.data.corpus: metrics.to_dict()}
        print(json.dumps({"run": arguments.run, "data": name, **result.to_dict(), **facts}))
        return 0
    bits = "unknown" if result.bits_per_byte is None else f"{result.bits_per_byte:.4f}"
    print(f"{arguments.run} on {name}: {result.num_tokens:,} tokens, context {result.context_length}")
    print(f"loss {result.loss:.4f} nats per token · perplexity {result.perplexity:.3f} · bits per byte {bits}")
    for line in metrics.lines() if metrics else []:
        print(line)
    return 0


def _evaluate_on_corpus(
    arguments: Arguments, model: Any, tokenizer: Any, config: Any, console: Any
) -> CorpusMetrics | None:
    """Return what the corpus's own evaluation finds, and keep it for the run's report; None where it has none."""
    for name, value in (("--stories", arguments.stories), ("--samples", arguments.samples)):
        if value < 0:
            raise ConfigError(f"{name} {value} is less than none")
    from hornbook.data.prepare import prepare
    from hornbook.evaluation.registry import find_evaluator

    evaluator = find_evaluator(config.data.corpus)
    if evaluator is None or tokenizer is None or not (arguments.stories or arguments.samples):
        return None
    record = _record(arguments.run)
    if obstacle := evaluator.obstacle(tokenizer, record):
        console.say(obstacle)
        return None
    text = Path(record.get("validation_text") or "")
    if not text.is_file():
        text = prepare(config.data, config.tokenizer, console).validation_text or Path()
    documents = evaluator.documents(text.read_text(encoding="utf-8"))[: arguments.stories] if text.is_file() else []
    metrics = evaluator.evaluate(
        model, tokenizer, config.data, documents, num_written=arguments.samples, seed=arguments.seed, console=console
    )
    if arguments.checkpoint == "best":
        try:
            path = evaluator.save(metrics, Path(arguments.run))
            console.say(f"kept in {path}; `hornbook report {arguments.run}` shows it")
        except OSError as error:
            console.say(f"the run's folder cannot be written ({error.strerror}), so its report will not show this")
    return metrics


def _record(run: str) -> dict[str, Any]:
    """Return what the run noted about its data, or nothing."""
    path = Path(run) / "data.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _data(arguments: Arguments, tokenizer: Any, config: Any, console: Any) -> tuple[TokenData, str]:
    import tempfile

    from hornbook.data.prepare import prepare
    from hornbook.data.sampler import TokenData

    if not arguments.text:
        known = _record(arguments.run).get("validation", [])
        if not known or not all(Path(path).exists() for path in known):
            known = prepare(config.data, config.tokenizer, console).validation
        return TokenData.open(known, config.model.vocab_size), "its validation set"
    if tokenizer is None:
        raise DataError(f"{arguments.run} has no tokenizer, so it cannot read text; it was trained on bare token files")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, path in enumerate(arguments.text):
            if Path(path).stat().st_size == 0:
                raise DataError(f"{path} is empty; there is nothing to measure")
            out = Path(folder) / f"{number}.npy"
            tokenizer.encode_file(path, out, errors=arguments.errors)
            files.append(out)
        # The ids stay mapped after the names are gone.
        return TokenData.open(files, config.model.vocab_size), ", ".join(arguments.text)
