"""The catalogue: one file per study, each with a `STUDY`. Reading an entry imports no torch."""

from __future__ import annotations

import importlib

from hornbook.errors import ConfigError, did_you_mean
from hornbook.studies.study import Study

__all__ = ["NAMES", "load"]

NAMES = (
    "learning_rate", "batch_size", "context_length", "adamw", "schedule", "shape", "weight_tying", "norm", "position",
    "feed_forward", "optimizer", "vocabulary", "tokenizer", "bpe_ladder", "sampling", "toy_sgd", "web_text",
    "leaderboard",
)  # fmt: skip


def load(name: str) -> Study:
    """Return a study of the catalogue (hyphens count as underscores). Raises ConfigError naming the nearest one."""
    plain = name.replace("-", "_")
    if plain not in NAMES:
        raise ConfigError(
            f"there is no study {name!r}{did_you_mean(plain, NAMES)}; `hornbook study list` shows all {len(NAMES)}"
        )
    return importlib.import_module(f"hornbook.studies.catalogue.{plain}").STUDY
