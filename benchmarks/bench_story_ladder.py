"""What a rung of the storyworld ladder ends at: a row of src/hornbook/training/launch/story_runs.toml.

    python benchmarks/bench_story_ladder.py --rung 3 --minutes 4 [--seed 0] [--optimizer.lr 2e-3 …]

Trains the rung (0 is the smallest) by the clock, or for `--updates N`, measures it as `hornbook demo` does, and prints
the row to be added, with what else it needs to be believed: commit, processor, kernels, seconds. Keys of a recipe after
the flags change it, so that settings are compared by the same script. The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from hornbook import config
from hornbook.config import parse_overrides
from hornbook.data.corpora.storyworld import split_stories
from hornbook.data.prepare import prepare
from hornbook.evaluation.storyworld import evaluate_on_storyworld
from hornbook.nn import cpu_kernels
from hornbook.tracking.console import Console
from hornbook.tracking.environment import describe_environment
from hornbook.training.launch.story_ladder import STORY_RUNGS, ChosenRung, recipe
from hornbook.training.launch.trial import rung_timer
from hornbook.training.load import load_run
from hornbook.training.loop import train


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rung", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--updates", type=int, help="so many updates, whatever time they take, instead of --minutes")
    parser.add_argument("--seed", type=int, default=0)
    given, words = parser.parse_known_args()
    rung, console = STORY_RUNGS[given.rung], Console(stream=sys.stderr)
    step = rung_timer(parse_overrides(words))(rung)
    choice = ChosenRung(rung, step, given.updates or int(60 * given.minutes / step))
    sections = recipe(choice, given.minutes)
    if given.updates:
        sections["training"] = {"steps": given.updates, "batch_size": rung.batch_size}
    with tempfile.TemporaryDirectory() as folder:
        own = {"run": {"directory": str(Path(folder) / "run")}, "training": {"seed": given.seed}}
        run = train(config.merge(config.merge(sections, own), parse_overrides(words)), console=console)
        model, tokenizer, resolved = load_run(run.path)
        text = prepare(resolved.data, resolved.tokenizer, console).validation_text
        assert tokenizer is not None
        assert text is not None
        stories = split_stories(text.read_text(encoding="utf-8"))[:500]
        metrics = evaluate_on_storyworld(
            model, tokenizer, resolved.data, stories, num_written=200, seed=given.seed, console=console
        )
        summary = run.summary()
    assert metrics.score is not None
    assert metrics.written is not None
    environment = describe_environment()
    source = (
        f"benchmarks/bench_story_ladder.py {' '.join(sys.argv[1:])}: {summary['seconds']:.0f} s on "
        f"{environment['cores']} cores of {environment['processor']}, {cpu_kernels.variant()}, "
        f"{resolved.training.dtype}, at {str(environment['commit'])[:7]}"
    )
    print(
        f"[[run]]\nd_model = {rung.d_model}\nnum_layers = {rung.num_layers}\nbatch_size = {rung.batch_size}\n"
        f"updates = {summary['step']}\ntokens = {summary['tokens']}\n"
        f"floor_bits_per_byte = {metrics.score.floor_bits_per_byte:.4f}\n"
        f"ratio_to_floor = {metrics.score.ratio:.4f}\nvalid_share = {metrics.written.valid_share}\n"
        f'source = "{source}"'
    )
    print(f"# sentences that parse: {metrics.written.sentence_share:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
