"""A recipe for storyworld that suits a machine and a time: the rungs of a ladder of shapes, and what they end at.

The largest rung is taken that makes at least a thousand updates and sees at least three tokens per parameter in the
time. What to expect of it is read off runs that were measured (story_runs.toml says where each comes from; more of them
by benchmarks/bench_story_ladder.py). Left out: other corpora (auto_recipe.py sizes recipes for texts).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

from hornbook.accounting.flops import training_flops_per_token
from hornbook.accounting.parameters import count_parameters
from hornbook.models.config import ModelConfig

VOCAB_SIZE, CONTEXT = 1024, 256
FEWEST_UPDATES = 1000
TOKENS_PER_PARAMETER = 3
BYTES_PER_TOKEN = 3.5
HARDER_FROM_MINUTES = 30.0
"""From here on the level easy is learnt, and the level normal is taken."""
MEASURED_BELOW = 0.3
"""Steps that are expected to be longer are not tried out but counted from the one before, by their operations."""


@dataclass(frozen=True)
class StoryRung:
    """A shape with the batch and the learning rate that go with it."""

    d_model: int
    num_layers: int
    batch_size: int
    lr: float

    @property
    def model(self) -> ModelConfig:
        """Its model: heads of 32, tied embeddings."""
        return ModelConfig(
            vocab_size=VOCAB_SIZE,
            context_length=CONTEXT,
            d_model=self.d_model,
            num_layers=self.num_layers,
            num_heads=self.d_model // 32,
            tie_embeddings=True,
        )

    @property
    def parameters(self) -> int:
        """Numbers that are trained."""
        return count_parameters(self.model).total

    @property
    def tokens_per_step(self) -> int:
        """Tokens of one update."""
        return self.batch_size * CONTEXT

    @property
    def flops_per_step(self) -> int:
        """Operations of one update."""
        return training_flops_per_token(self.model) * self.tokens_per_step


STORY_RUNGS = (
    StoryRung(64, 2, 4, 5e-3),
    StoryRung(96, 3, 4, 5e-3),
    StoryRung(128, 4, 8, 4e-3),
    StoryRung(192, 4, 16, 3e-3),
    StoryRung(256, 6, 16, 2e-3),
    StoryRung(384, 6, 32, 1.5e-3),
)


class ChosenRung(NamedTuple):
    """A rung for a time."""

    rung: StoryRung
    seconds_per_step: float
    updates: int

    @property
    def tokens(self) -> int:
        """Tokens that it will see."""
        return self.updates * self.rung.tokens_per_step


class Expected(NamedTuple):
    """What a run on the level easy ends at."""

    ratio: float
    """Bits per byte ÷ the true entropy."""
    bits_per_byte: float
    valid_share: float
    """Of the stories that it writes."""
    beyond: bool
    """More tokens than any measured run saw: it ends at this or better."""


def choose(seconds: float, time_of: Callable[[StoryRung], float]) -> ChosenRung:
    """Return the rung for so many seconds of training.

    Args:
        seconds: of updates.
        time_of: seconds of one update of a rung, measured; small rungs are asked for first.
    """
    chosen: ChosenRung | None = None
    for rung in STORY_RUNGS:
        step = 0.0 if chosen is None else chosen.seconds_per_step * rung.flops_per_step / chosen.rung.flops_per_step
        step = time_of(rung) if step < MEASURED_BELOW else step
        now = ChosenRung(rung, step, max(1, int(seconds / step)))
        enough = now.updates >= FEWEST_UPDATES and now.tokens >= TOKENS_PER_PARAMETER * rung.parameters
        if chosen is not None and not enough:
            break
        chosen = now
    assert chosen is not None
    return chosen


def recipe(choice: ChosenRung, minutes: float) -> dict[str, Any]:
    """Return the sections of a recipe that trains a choice for `minutes`."""
    minute = max(1, round(min(60.0, 15.0 * minutes) / choice.seconds_per_step))
    every = max(1, choice.updates // 8)
    size = max(4_000_000, min(100_000_000, round(BYTES_PER_TOKEN * choice.tokens, -6)))
    level = "easy" if minutes < HARDER_FROM_MINUTES else "normal"
    model = choice.rung.model
    return {
        "data": {"corpus": "storyworld", "corpus_level": level, "corpus_bytes": int(size)},
        "tokenizer": {"vocab_size": VOCAB_SIZE},
        "model": {
            "context_length": CONTEXT,
            "d_model": model.d_model,
            "num_layers": model.num_layers,
            "num_heads": model.num_heads,
            "tie_embeddings": True,
        },
        "optimizer": {"name": "adamw", "lr": choice.rung.lr},
        "schedule": {"name": "cosine", "warmup_steps": 50},
        "training": {"max_minutes": minutes, "batch_size": choice.rung.batch_size},
        "evaluation": {"every": every, "sample_every": minute},
        "checkpoint": {"every": every, "keep_last": 1},
    }


def measured_runs() -> list[dict[str, Any]]:
    """Return the measured runs, by tokens; each names its source."""
    text = resources.files("hornbook.training.launch").joinpath("story_runs.toml").read_text(encoding="utf-8")
    return sorted(tomllib.loads(text)["run"], key=lambda run: run["tokens"])


def expect(tokens: int) -> Expected:
    """Return what a run that sees `tokens` ends at: between the measured ones, in logarithms."""
    runs = measured_runs()
    x = math.log(tokens)
    at = [math.log(run["tokens"]) for run in runs]
    right = next((i for i, place in enumerate(at) if place >= x), len(at) - 1)
    left = max(0, right - 1) if x < at[-1] else right
    t = 0.0 if left == right or x < at[0] else (x - at[left]) / (at[right] - at[left])
    excess = [math.log(runs[i]["ratio_to_floor"] - 1) for i in (left, right)]
    ratio = 1 + math.exp(excess[0] * (1 - t) + excess[1] * t)
    valid = runs[left]["valid_share"] * (1 - t) + runs[right]["valid_share"] * t
    return Expected(ratio, ratio * runs[-1]["floor_bits_per_byte"], valid, x > at[-1])
