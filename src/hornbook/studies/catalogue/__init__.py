"""The catalogue: one file per study, each with a `STUDY`. Reading an entry imports no torch."""

from __future__ import annotations

import importlib

from hornbook.errors import ConfigError, did_you_mean
from hornbook.studies.study import Study

__all__ = ["NAMES", "SETS", "load_study", "members"]

NAMES = (
    "learning_rate", "batch_size", "context_length", "adamw", "schedule", "shape", "weight_tying", "norm", "position",
    "feed_forward", "optimizer", "vocabulary", "tokenizer", "bpe_ladder", "sampling", "toy_sgd", "web_text",
    "leaderboard",
)  # fmt: skip

SETS = {"ablations": ("norm", "position", "feed_forward")}
"""Studies that one command runs one after another: the ablations of CS336 assignment 1."""


def members(name: str) -> list[Study]:
    """Return a study of the catalogue, or those of a set. Raises ConfigError naming the nearest one."""
    return [load_study(study) for study in SETS.get(name, (name,))]


def load_study(name: str) -> Study:
    """Return a study of the catalogue (hyphens count as underscores). Raises ConfigError naming the nearest one."""
    plain = name.replace("-", "_")
    if plain not in NAMES:
        hint = did_you_mean(plain, (*NAMES, *SETS))
        raise ConfigError(f"there is no study {name!r}{hint}; `hornbook study list` shows all {len(NAMES)}")
    return importlib.import_module(f"hornbook.studies.catalogue.{plain}").STUDY
