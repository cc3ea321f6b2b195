"""The data of a study: prepared once for all arms that share it, with digest and, where it is known, entropy floor.

The work is `hornbook.data.prepare`'s, which keeps what it made in the cache; here it is called once per distinct pair
of [data] and [tokenizer] sections. Left out: any knowledge of arms.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from hornbook.config import build
from hornbook.data.corpora.registry import find_corpus
from hornbook.data.prepare import prepare
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.fileio import canonical_json
from hornbook.tracking.console import Console


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyData:
    """What the runs of a study need to know of their data."""

    section: dict[str, Any]
    """The [data] section to train with."""
    vocab_size: int
    digest: str
    """Stands for the token files' content."""
    summary: dict[str, Any]
    """Facts for the runs' `summary.json`: the entropy floor, where it is known."""


def recipe_key(recipe: dict[str, Any]) -> str:
    """Return what decides a recipe's data: its sections [data] and [tokenizer]."""
    return canonical_json({key: recipe.get(key, {}) for key in ("data", "tokenizer")})


def prepare_all(recipes: Sequence[dict[str, Any]], console: Console) -> dict[str, StudyData]:
    """Prepare every distinct data set of the recipes; return them by `recipe_key`. Raises as `prepare`."""
    distinct = {recipe_key(recipe): recipe for recipe in recipes}
    return {key: _prepare(recipe, console) for key, recipe in distinct.items()}


def _prepare(recipe: dict[str, Any], console: Console) -> StudyData:
    section = {key: value for key, value in recipe.get("data", {}).items() if value is not None}
    data = build(DataSection, section, "data")
    tokenizer = build(TokenizerSection, recipe.get("tokenizer", {}), "tokenizer")
    prepared = prepare(data, tokenizer, console)
    summary: dict[str, Any] = {}
    floor = None if data.corpus is None else find_corpus(data.corpus).floor
    if floor is not None and prepared.validation_text is not None:
        text = prepared.validation_text.read_text(encoding="utf-8")
        summary["entropy_floor_bits_per_byte"] = floor(text, data)
    return StudyData(section=section, vocab_size=prepared.vocab_size, digest=prepared.digest, summary=summary)
