"""What an account is about: a preset or a recipe by name, with overrides laid over it.

Of a recipe only the parts that cost something are read: the model, the tokenizer's vocabulary size, batch, steps,
accumulation, dtype, checkpointing, optimizer. (`hornbook train` checks the rest of it.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook import config
from hornbook.accounting.presets import PRESETS, preset
from hornbook.errors import ConfigError, did_you_mean
from hornbook.models.config import ModelConfig

TRAINING_KEYS = {
    "steps": int | None,
    "batch_size": int,
    "gradient_accumulation": int,
    "activation_checkpointing": bool,
    "dtype": str,
}


@dataclass(frozen=True, kw_only=True)
class CostSpec:
    """A model and how it is to be trained."""

    name: str
    """The preset's name or the recipe's path."""
    model: ModelConfig
    """Its shape."""
    batch_size: int = 1
    """Sequences in a step."""
    gradient_accumulation: int = 1
    """Parts that a step's batch is computed in."""
    steps: int | None = None
    """Optimizer steps, if said."""
    dtype: str = "float32"
    """Type of the matrix products."""
    optimizer: str = "adamw"
    """Name of the optimizer."""
    activation_checkpointing: bool = False
    """Whether the layers are recomputed in the backward pass."""
    document_mask: bool = False
    """Whether attention has a mask for every window (`data.document_mask`)."""


def load_spec(name: str | Path, overrides: Mapping[str, Any] | None = None) -> CostSpec:
    """Return the preset or recipe called `name`.

    Args:
        name: a key of `PRESETS`, or the path of a .toml, .json or .yaml recipe.
        overrides: sections to lay over it, such as `{"model": {"ffn": "silu"}}`.

    Raises:
        ConfigError: neither a preset nor a recipe, or a key or value that cannot be used.
        OSError: the recipe cannot be read.
    """
    if str(name) not in PRESETS and Path(name).suffix.lower() in (".toml", ".json", ".yaml", ".yml"):
        recipe = config.read(name)
    else:
        recipe = {"model": config.to_dict(preset(str(name)))}
    recipe = config.merge(recipe, overrides or {})
    sections = ("model", "training", "optimizer")
    for section in recipe:
        if str(name) in PRESETS and section not in sections:
            hint = did_you_mean(section, sections)
            raise ConfigError(f"a preset has the sections {', '.join(sections)}, not {section!r}{hint}")
    return _spec(str(name), recipe)


def _spec(name: str, recipe: Mapping[str, Any]) -> CostSpec:
    for section in ("model", "training", "optimizer", "tokenizer"):
        if not isinstance(recipe.get(section, {}), Mapping):
            raise ConfigError(f"{name}: {section} must be a section with keys of its own")
    model = dict(recipe.get("model", {}))
    model.pop("init_from", None)
    if "vocab_size" not in model:
        model["vocab_size"] = _vocab_size(recipe.get("tokenizer", {}))
    shape = config.build(ModelConfig, model, "model")
    training = recipe.get("training", {})
    values = {
        key: config.convert(training[key], kind, f"training.{key}")
        for key, kind in TRAINING_KEYS.items()
        if key in training and training[key] is not None
    }
    optimizer = config.convert(recipe.get("optimizer", {}).get("name", "adamw"), str, "optimizer.name")
    if values.get("dtype") == "auto":
        values["dtype"] = "float32"
    mask = config.convert(recipe.get("data", {}).get("document_mask", False), bool, "data.document_mask")
    return CostSpec(name=name, model=shape, optimizer=optimizer, document_mask=mask, **values)


def _vocab_size(section: Mapping[str, Any]) -> int:
    """Return the vocabulary size of a recipe's [tokenizer]: of the one it points to, or the one it will train."""
    if section.get("path"):
        from hornbook.tokenizer.tokenizer import Tokenizer

        return Tokenizer.load(str(section["path"])).vocab_size
    from hornbook.data.sections import TokenizerSection

    return config.build(TokenizerSection, section, "tokenizer").vocab_size
