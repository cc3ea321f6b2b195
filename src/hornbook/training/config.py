"""The recipe of a training run: all sections together, and the way from files and overrides to it.

`resolve(sections)` gives a `TrainConfig`; `TrainConfig.to_dict()` gives back what is stored as the run's `config.toml`.
The sections are frozen dataclasses in sections.py, data/sections.py and models/config.py. Here no torch is needed, so
that a recipe is checked before anything heavy is imported. The file format: docs/formats/config.md.
"""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_type_hints

from hornbook import config
from hornbook.config.build import check_keys
from hornbook.config.describe import Key, Section, default_text, keys_of, summary_of
from hornbook.data.datasets import find_sources
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.earlier import as_stored
from hornbook.errors import ConfigError, did_you_mean
from hornbook.models.config import ModelConfig
from hornbook.optim.registry import OPTIMIZERS, OptimizerName, optimizer_spec
from hornbook.training.sections import (
    CheckpointSection,
    EvaluationSection,
    GuardSection,
    LoggingSection,
    OptimizerSection,
    RunSection,
    ScheduleSection,
    TrainingSection,
)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole recipe. `model.vocab_size` is the tokenizer's once that is known (`with_vocab_size`)."""

    model: ModelConfig
    run: RunSection = field(default_factory=RunSection)
    data: DataSection = field(default_factory=DataSection)
    tokenizer: TokenizerSection = field(default_factory=TokenizerSection)
    optimizer: OptimizerSection = field(default_factory=OptimizerSection)
    schedule: ScheduleSection = field(default_factory=ScheduleSection)
    training: TrainingSection = field(default_factory=TrainingSection)
    evaluation: EvaluationSection = field(default_factory=EvaluationSection)
    checkpoint: CheckpointSection = field(default_factory=CheckpointSection)
    guard: GuardSection = field(default_factory=GuardSection)
    logging: LoggingSection = field(default_factory=LoggingSection)
    init_from: str | None = None
    """A run (or a Hugging Face folder) whose weights are the start, and whose shape and tokenizer are taken."""

    @property
    def min_lr(self) -> float:
        """Learning rate of the last update."""
        return 0.1 * self.optimizer.lr if self.schedule.min_lr is None else self.schedule.min_lr

    @property
    def tokens_per_step(self) -> int:
        """Tokens that one update is computed from."""
        return self.training.batch_size * self.model.context_length

    def with_vocab_size(self, vocab_size: int) -> TrainConfig:
        """Return the recipe for a tokenizer of `vocab_size` entries."""
        return dataclasses.replace(self, model=dataclasses.replace(self.model, vocab_size=vocab_size))

    def with_training(self, **changes: Any) -> TrainConfig:
        """Return the recipe with keys of [training] changed."""
        return dataclasses.replace(self, training=dataclasses.replace(self.training, **changes))

    def to_dict(self) -> dict[str, Any]:
        """Return the sections as plain values; `resolve` turns them back into an equal recipe."""
        sections = config.to_dict(self)
        sections["model"]["init_from"] = sections.pop("init_from")
        return sections


SECTIONS = tuple(f.name for f in dataclasses.fields(TrainConfig) if f.name != "init_from")


def load(path: str | Path) -> TrainConfig:
    """Read a recipe and check all of it. Raises ConfigError or OSError."""
    recipe = resolve(config.read(path))
    check_decay(recipe.optimizer)
    return recipe


def check_decay(optimizer: OptimizerSection) -> None:
    """Refuse a rate at which the weight decay alone takes a weight to 0 or past it. Stored recipes may have one.

    Raises:
        ConfigError: α·λ ≥ 1 at the peak of a rate.
    """
    spec = optimizer_spec(optimizer.name)
    if "weight_decay" not in spec.arguments.values():
        return
    for key in ("lr", *filter(None, [spec.hidden_lr])):
        product = getattr(optimizer, key) * optimizer.weight_decay
        if product >= 1:
            raise ConfigError(
                f"optimizer.{key} = {getattr(optimizer, key):g} times optimizer.weight_decay = "
                f"{optimizer.weight_decay:g} is {product:g}: decay multiplies every weight by 1 minus that at each "
                "update, which leaves nothing of the model; keep the product below 1"
            )


def resolve(recipe: Mapping[str, Any]) -> TrainConfig:
    """Build a `TrainConfig` from the sections of a recipe.

    Args:
        recipe: sections of keys; [model] needs `context_length`, `d_model`, `num_layers` and `num_heads`, and takes its
            `vocab_size` from the tokenizer where it gives none.

    Raises:
        ConfigError: an unknown section or key, a value of the wrong type or out of its range.
    """
    check_names(recipe)
    sections = {name: dict(section) for name, section in recipe.items()}
    model = sections.setdefault("model", {})
    init_from = config.convert(model.pop("init_from", None), str | None, "model.init_from")
    # A stand-in until the tokenizer is there: `with_vocab_size` puts the real number.
    tokenizer = config.build(TokenizerSection, sections.get("tokenizer", {}), "tokenizer")
    model.setdefault("vocab_size", tokenizer.vocab_size)
    optimizer = sections.setdefault("optimizer", {})
    name = config.convert(optimizer.get("name", OptimizerSection.name), OptimizerName, "optimizer.name")
    sections["optimizer"] = {**optimizer_spec(name).defaults, **optimizer}
    return dataclasses.replace(config.build(TrainConfig, sections), init_from=init_from)


def read_stored(run: str | Path) -> dict[str, Any]:
    """Return the recipe that a run's folder keeps, as `as_stored`. Raises as `load`."""
    return as_stored(config.read(Path(run) / "config.toml"))


def resolve_stored(recipe: Mapping[str, Any]) -> TrainConfig:
    """Build the `TrainConfig` of the recipe that a run keeps. Raises as `resolve`."""
    return resolve(as_stored(recipe))


def check_names(recipe: Mapping[str, Any]) -> None:
    """Raise ConfigError for a section or a key that a recipe does not have; values are `resolve`'s matter."""
    classes = get_type_hints(TrainConfig)
    for name, section in recipe.items():
        if name not in SECTIONS:
            hint = did_you_mean(str(name), SECTIONS) or f"; a recipe has {', '.join(SECTIONS)}"
            raise ConfigError(f"there is no section [{name}]{hint}")
        if not isinstance(section, Mapping):
            raise ConfigError(f"{name} must be a section with keys of its own, as in --{name}.key value")
        known = [field.name for field in dataclasses.fields(classes[name])]
        check_keys(section, [*known, "init_from"] if name == "model" else known, name)


def check_paths(recipe: Mapping[str, Any], *, resume: bool = False) -> None:
    """Check that what a recipe names is there, and the recipe as far as that can be done, before torch is imported.

    Args:
        recipe: its sections.
        resume: a run goes on: its text may be gone, and the weights that it began with.

    Raises:
        ConfigError: the recipe is wrong.
        DataError: a folder or a glob without text, or a file to fetch.
        FileNotFoundError: a path that does not exist.
    """
    check_names(recipe)
    data = config.build(DataSection, recipe.get("data", {}), "data")
    tokenizer = config.build(TokenizerSection, recipe.get("tokenizer", {}), "tokenizer")
    start = config.convert(recipe.get("model", {}).get("init_from"), str | None, "model.init_from")
    for source in (data.texts, data.validation_text):
        if source and not resume:
            find_sources(source)
    single = [*data.tokens, *data.validation_tokens, tokenizer.path, None if resume else start]
    for path in single:
        if path is not None and not Path(path).exists():
            raise FileNotFoundError(errno.ENOENT, "no such file or folder", path)
    if start is None:  # else the shape may be that of the weights
        whole = resolve(recipe)
        if not resume:
            check_decay(whole.optimizer)


def describe() -> list[Section]:
    """Return the sections of a recipe and their keys, for `hornbook train --help`, the reference and completion."""
    classes = get_type_hints(TrainConfig)
    found = {name: Section(name, summary_of(classes[name]), keys_of(classes[name])) for name in SECTIONS}
    init_from = next(key for key in keys_of(TrainConfig) if key.name == "init_from")
    model = [replace(k, default="the tokenizer's") if k.name == "vocab_size" else k for k in found["model"].keys]
    found["model"] = Section("model", found["model"].text, [*model, init_from])
    found["optimizer"] = replace(found["optimizer"], keys=[_with_own_defaults(k) for k in found["optimizer"].keys])
    return [found.pop(name) for name in ("run", "data", "tokenizer")] + list(found.values())


def _with_own_defaults(key: Key) -> Key:
    """Return a key of [optimizer] whose text says which optimizers have another default (optim/registry.py)."""
    specs = [(name, spec.defaults) for name, spec in OPTIMIZERS.items() if key.name in spec.defaults]
    own = ", ".join(f'"{name}": {default_text(defaults[key.name])}' for name, defaults in specs)
    return replace(key, text=f"{key.text} Default of {own}.") if own else key
