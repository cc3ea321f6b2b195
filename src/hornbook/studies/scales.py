"""The base recipes of the three scales, and the seeds that each can afford.

`tiny` checks that a study works (seconds a run; its numbers mean little), `cpu` is the published scale for a laptop
(under a minute a run), `gpu` is the handout's TinyStories shape on one GPU. Every study starts from these and varies
one thing, so results compare across studies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hornbook.config import merge
from hornbook.studies.study import Arm, Options, Plan, Scale, Settings
from hornbook.tokenizer.special import END_OF_TEXT

AT_THE_END = 10**9
"""Samples are drawn every so many steps and at the end: here only at the end."""

_COMMON: Settings = {
    "tokenizer": {"special_tokens": [END_OF_TEXT]},
    "optimizer": {"name": "adamw", "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1},
    "schedule": {"name": "cosine"},
    "training": {"clip_norm": 1.0, "compile": False, "dtype": "float32"},
    "evaluation": {"full": True, "sample_tokens": 128, "sample_every": AT_THE_END},
    "checkpoint": {"every": 0, "keep_last": 1},
    "guard": {"action": "stop", "check_every": 10},
}

_SCALES: dict[Scale, Settings] = {
    "tiny": {
        "data": {"corpus": "storyworld", "corpus_bytes": 400_000},
        "tokenizer": {"vocab_size": 512},
        "model": {"context_length": 32, "d_model": 32, "num_layers": 2, "num_heads": 2},
        "optimizer": {"lr": 5e-3},
        "schedule": {"warmup_steps": 5},
        "training": {"steps": 40, "batch_size": 8},
        "evaluation": {"every": 20, "sample_tokens": 32, "batch_size": 32},
        "logging": {"every": 4},
    },
    "cpu": {
        "data": {"corpus": "storyworld", "corpus_bytes": 8_000_000, "validation": 0.006},
        "tokenizer": {"vocab_size": 1024},
        "model": {"context_length": 128, "d_model": 128, "num_layers": 4, "num_heads": 4},
        "optimizer": {"lr": 1e-2},
        "schedule": {"warmup_steps": 40},
        "training": {"steps": 400, "batch_size": 16, "dtype": "auto"},
        "evaluation": {"every": 20, "batch_size": 32, "sample_tokens": 64},
        "logging": {"every": 10},
    },
    "gpu": {
        "data": {"corpus": "storyworld", "corpus_bytes": 1_000_000_000, "validation": 0.005},
        "tokenizer": {"vocab_size": 10_000},
        "model": {"context_length": 256, "d_model": 512, "num_layers": 4, "num_heads": 16, "d_ff": 1344},
        "optimizer": {"lr": 2e-3},
        "schedule": {"warmup_steps": 200},
        "training": {"steps": 2_500, "batch_size": 256, "dtype": "auto", "compile": "auto"},
        "evaluation": {"every": 250, "full": False, "max_tokens": 2_000_000, "batch_size": 256},
        "logging": {"every": 10},
    },
}


def base_recipe(scale: Scale, options: Options, own: Settings | None = None) -> Settings:
    """Return the recipe that all arms of a study share at `scale`, with the study's `own` and the user's changes."""
    recipe = merge(merge(_COMMON, _SCALES[scale]), own or {})
    if options.text is not None:
        recipe["data"] = {"text": [str(options.text)]}
    return merge(recipe, options.overrides)


def seeds_of(scale: Scale, options: Options) -> tuple[int, ...]:
    """Return the seeds of a study: as many as the user asks for, or 2 at scale tiny and 5 at the others."""
    return tuple(range(options.seeds or (2 if scale == "tiny" else 5)))


def learning_rate_sweep(
    key: str, groups: Mapping[str, Any], factors: Mapping[Scale, Sequence[float]]
) -> Callable[[Scale, Options], Plan]:
    """Return the `plan` that varies one key, each value over several learning rates, as kinds need not share the best.

    Args:
        key: `section.key` that is varied.
        groups: name → value; the first, at the base learning rate, is the baseline.
        factors: scale → learning rates as multiples of the base recipe's.
    """

    def plan(scale: Scale, options: Options) -> Plan:
        base = base_recipe(scale, options)
        lr = base["optimizer"]["lr"]
        arms = tuple(
            Arm(name=f"{name}-lr-{lr * f:g}", overrides={key: value, "optimizer.lr": lr * f}, x=lr * f, group=name)
            for name, value in groups.items()
            for f in factors[scale]
        )
        baseline, seeds = f"{next(iter(groups))}-lr-{lr:g}", seeds_of(scale, options)
        return Plan(base=base, arms=arms, seeds=seeds, baseline=baseline, x_label="peak learning rate")

    return plan
