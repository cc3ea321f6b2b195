"""`hornbook eval RUN [--text FILE…]`: loss, perplexity and bits per byte of a run, on its validation set or on text."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from hornbook.cli.arguments import parse
from hornbook.errors import DataError

if TYPE_CHECKING:
    from hornbook.data.sampler import TokenData


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
    max_tokens: int | None = None
    """Use the first so many tokens only."""
    stories: int = 100
    """On storyworld: compare so many whole validation stories with their true entropy; 0 for none."""
    device: str = "cpu"
    """Where to compute."""
    json_summary: bool = False
    """Print JSON."""


def main(argv: list[str]) -> int:
    """Run the verb; returns the exit code."""
    words = ["--json-summary" if word == "--json" else word for word in argv]
    arguments = parse(Arguments, words, prog="hornbook eval")
    from hornbook.tracking.console import Console, Stage
    from hornbook.training.evaluate import evaluate
    from hornbook.training.loop import load_run
    from hornbook.training.probe import choose_device

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
    facts = _stories(arguments, model, tokenizer, config, console)
    if arguments.json_summary:
        print(json.dumps({"run": arguments.run, "data": name, **result.to_tree(), **facts}))
        return 0
    bits = "unknown" if result.bits_per_byte is None else f"{result.bits_per_byte:.4f}"
    print(f"{arguments.run} on {name}: {result.num_tokens:,} tokens, context {result.context_length}")
    print(f"loss {result.loss:.4f} nats per token · perplexity {result.perplexity:.3f} · bits per byte {bits}")
    if facts:
        print(
            f"{facts['stories']} whole stories: {facts['story_bits_per_byte']:.4f} bits per byte, true entropy "
            f"{facts['entropy_floor_bits_per_byte']:.4f}: {facts['ratio_to_floor']:.3f} × the floor"
        )
    return 0


def _stories(arguments: Arguments, model: Any, tokenizer: Any, config: Any, console: Any) -> dict[str, Any]:
    """Return how far a model of storyworld is from the corpus's true entropy, on whole validation stories."""
    if arguments.text or config.data.corpus != "storyworld" or tokenizer is None or arguments.stories == 0:
        return {}
    from hornbook.data.storyworld import StoryError
    from hornbook.training.stories import score_stories, split_documents

    record = json.loads((Path(arguments.run) / "data.json").read_text(encoding="utf-8"))
    text = record.get("validation_text")
    if text is None or not Path(text).exists():
        return {}
    stories = split_documents(Path(text).read_text(encoding="utf-8"))[: arguments.stories]
    try:
        with console.stage(f"measuring {len(stories)} stories against their true entropy", len(stories)) as stage:
            score = score_stories(model, tokenizer, stories, config.data.corpus_level, progress=stage.update)
    except StoryError:
        console.say("the run's stories are of another version of storyworld, so their true entropy is not known here")
        return {}
    return {
        "stories": score.num_stories,
        "story_bits_per_byte": score.bits_per_byte,
        "entropy_floor_bits_per_byte": score.floor_bits_per_byte,
        "ratio_to_floor": score.ratio,
    }


def _data(arguments: Arguments, tokenizer: Any, config: Any, console: Any) -> tuple[TokenData, str]:
    import tempfile

    from hornbook.data.prepare import prepare
    from hornbook.data.sampler import TokenData

    if not arguments.text:
        record = Path(arguments.run) / "data.json"
        known = json.loads(record.read_text(encoding="utf-8"))["validation"] if record.exists() else []
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
            tokenizer.encode_file(path, out)
            files.append(out)
        # The ids stay mapped after the names are gone.
        return TokenData.open(files, config.model.vocab_size), ", ".join(arguments.text)
