"""A recipe for `hornbook train --text FILE`: chosen by the size of the text and what the machine can do.

Small text gets a small vocabulary and a small model; the model is the largest of a ladder of shapes that can see enough
tokens (about twenty per parameter, Hoffmann et al. 2022, https://arxiv.org/abs/2203.15556, but not the same text more
than some times over) within the time wanted. What was picked is printed, and every key can be overridden.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.accounting.flops import training_flops_per_token
from hornbook.accounting.parameters import count_parameters
from hornbook.format import quantity
from hornbook.models.config import ModelConfig

# (least bytes of text, vocabulary)
VOCABULARIES = (
    (1_000_000_000, 32_000),
    (200_000_000, 16_000),
    (20_000_000, 8_000),
    (4_000_000, 4_096),
    (1_000_000, 2_048),
    (200_000, 1_024),
    (0, 512),
)
BYTES_PER_TOKEN = 3.7


@dataclass(frozen=True)
class Shape:
    """A rung of the ladder."""

    d_model: int
    num_layers: int
    num_heads: int
    context_length: int
    batch_size: int
    lr: float
    float32_share: float
    """Share of the rate of large float32 matrix products that training reaches; the small shapes' were measured
    (docs/performance.md), those of the large ones are not known better than this."""
    bfloat16_share: float
    """The same of bfloat16 products, beside which everything else weighs more."""


LADDER = (
    Shape(64, 2, 2, 64, 32, 5e-3, 0.45, 0.18),
    Shape(128, 4, 4, 128, 32, 3e-3, 0.65, 0.40),
    Shape(192, 4, 6, 256, 32, 2.5e-3, 0.75, 0.50),
    Shape(256, 6, 8, 256, 32, 2e-3, 0.75, 0.55),
    Shape(384, 6, 6, 256, 32, 1.5e-3, 0.75, 0.55),
    Shape(512, 8, 8, 512, 32, 1e-3, 0.75, 0.55),
    Shape(768, 12, 12, 512, 64, 6e-4, 0.75, 0.55),
)
TOKENS_PER_PARAMETER = 20
LEAST_TOKENS_PER_PARAMETER = 5
MOST_EPOCHS = 10
FEWEST_STEPS = 200


def automatic_recipe(
    paths: Sequence[str],
    num_bytes: int,
    peak: float,
    dtype: str,
    minutes: float | None = None,
    start: ModelConfig | None = None,
) -> tuple[dict[str, Any], str]:
    """Return a recipe for text files, and a sentence that says what was picked and why.

    Args:
        paths: the files.
        num_bytes: their size.
        peak: the machine's rate of matrix products in `dtype`, in FLOP/s.
        dtype: what training will compute in, "float32" or "bfloat16".
        minutes: time wanted; None: about ten minutes.
        start: the shape of weights to start from (`model.init_from`); only the rest is picked then.
    """
    vocab_size = start.vocab_size if start else next(size for least, size in VOCABULARIES if num_bytes >= least)
    tokens = num_bytes / BYTES_PER_TOKEN
    budget = 60.0 * (minutes or 10.0) * peak
    ladder = (_rung(start),) if start else LADDER
    chosen, steps = ladder[0], FEWEST_STEPS
    for shape in ladder:
        model = start or ModelConfig(vocab_size=vocab_size, **_sizes(shape))
        wanted = min(TOKENS_PER_PARAMETER * count_parameters(model).total, MOST_EPOCHS * tokens)
        enough_text = tokens * MOST_EPOCHS >= LEAST_TOKENS_PER_PARAMETER * count_parameters(model).total
        share = shape.bfloat16_share if dtype == "bfloat16" else shape.float32_share
        affordable = share * budget / training_flops_per_token(model)
        if shape is not ladder[0] and (not enough_text or affordable < wanted / 2):
            break
        chosen = shape
        steps = round(min(wanted, affordable) / (shape.batch_size * shape.context_length))
    steps = max(FEWEST_STEPS, steps)
    sizes: dict[str, Any] = {
        "tokenizer": {"vocab_size": vocab_size},
        "model": _sizes(chosen),
    }
    recipe: dict[str, Any] = {
        "data": {"text": list(paths)},
        **({} if start else sizes),
        "optimizer": {"lr": chosen.lr},
        "schedule": {"warmup_steps": max(10, min(200, steps // 20))},
        "training": {"steps": steps, "batch_size": chosen.batch_size},
        "evaluation": {"every": _round(steps / 8), "sample_every": _round(steps / 4)},
        "checkpoint": {"every": _round(steps / 8)},
    }
    if minutes is not None:
        recipe["training"]["max_minutes"] = minutes
    words = (
        f"picked for {quantity(num_bytes, 'B')} of text and {quantity(peak, 'FLOP/s')} in {dtype}: vocabulary "
        f"{vocab_size:,}, {chosen.num_layers} layers of width {chosen.d_model}, context {chosen.context_length}, batch "
        f"{chosen.batch_size}, lr {chosen.lr:g}" + (f", {steps:,} steps" if minutes is None else "")
    )
    return recipe, words + "; change any of it with --section.key value"


def _rung(model: ModelConfig) -> Shape:
    """Return a rung with the shape of a model that is there already, with batch and learning rate of its like.

    The learning rate is that of fresh weights: on two texts unlike the first one it was better than smaller ones.
    """
    like = min(LADDER, key=lambda shape: abs(math.log(shape.d_model / model.d_model)))
    return dataclasses.replace(like, **_sizes(model))


def _sizes(of: Shape | ModelConfig) -> dict[str, Any]:
    return {name: getattr(of, name) for name in ("context_length", "d_model", "num_layers", "num_heads")}


def _round(number: float) -> int:
    """Round to one or two digits that people like, at least 1."""
    unit = 10 ** max(0, len(str(int(number))) - 2)
    return max(1, round(number / unit) * unit)
