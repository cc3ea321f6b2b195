"""Starting from weights that are there already (`model.init_from`): a run of hornbook, or a Hugging Face folder.

What the recipe leaves out of [model], and the tokenizer, come from there; what it says must agree, but for the context
(rotary positions have no weights), dropout, and how a fresh model would be drawn. The optimizer starts afresh. Left
out: weights for a part of the model, another tokenizer than the one that the weights were trained with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from hornbook.checkpoint.sharded_store import OwnRows
from hornbook.checkpoint.store import CheckpointStore
from hornbook.checkpoint.tensors import check_finite, load_module
from hornbook.config import convert, merge
from hornbook.data.prepare import Dataset
from hornbook.errors import CheckpointError
from hornbook.interop.huggingface import is_llama_folder, llama_config, llama_tensors
from hornbook.models.config import ModelConfig
from hornbook.models.transformer import TransformerLM
from hornbook.optim.shards import is_sharded
from hornbook.tracking.run import Run
from hornbook.training.config import TrainConfig, resolve_stored
from hornbook.training.load import other_than_best

FREE = ("vocab_size", "context_length", "dropout", "zero_init_output")
"""Settings that need not be the source's; the vocabulary is compared by itself."""


def source_config(folder: str | Path) -> ModelConfig:
    """Return the shape of the model that `model.init_from` names.

    Raises:
        CheckpointError: the folder holds neither a run with checkpoints nor a model that hornbook can compute.
        HornbookError, OSError: what it holds is damaged or cannot be read.
    """
    path = Path(folder)
    if (path / "checkpoints").is_dir():
        return resolve_stored(Run.open(path).config).model
    if is_llama_folder(path):
        return llama_config(path)
    raise CheckpointError(
        f"model.init_from = {str(folder)!r} is neither the folder of a run with checkpoints in it nor a Hugging Face "
        "folder with a config.json"
    )


def fill_from_source(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of a recipe, with what `model.init_from` decides filled in where they say nothing.

    Raises as `source_config`; ConfigError for an `init_from` that is no path.
    """
    model = recipe.get("model")
    if not isinstance(model, Mapping) or model.get("init_from") is None:
        return dict(recipe)
    if all(field.name in model or field.name == "vocab_size" for field in dataclasses.fields(ModelConfig)):
        return dict(recipe)  # a run that is continued says it all, and its source may be gone
    folder = convert(model["init_from"], str, "model.init_from")
    shape = dataclasses.asdict(source_config(folder))
    shape.pop("vocab_size")
    filled: dict[str, Any] = {"model": shape}
    tokenizer = _tokenizer(folder)
    section = recipe.get("tokenizer")
    own = isinstance(section, Mapping) and (section.get("path") or section.get("vocab_size"))
    if tokenizer is not None and not own:
        filled["tokenizer"] = {"path": str(tokenizer)}
    return merge(filled, recipe)


def weight_initializer(
    config: TrainConfig, dataset: Dataset, warn: Callable[[str], None]
) -> Callable[[TransformerLM], None] | None:
    """Return what puts the weights of `model.init_from` into a fresh model; None where the recipe names none.

    Args:
        config: the recipe.
        dataset: its data.
        warn: takes a sentence about each damaged checkpoint that is passed over.

    Raises:
        CheckpointError: the source is of another shape or tokenizer than the recipe, or no checkpoint of it is sound.
    """
    if config.init_from is None:
        return None
    folder = Path(config.init_from)
    source = source_config(folder)
    _check_tokenizer(folder, source, config, dataset)
    for field in dataclasses.fields(ModelConfig):
        theirs, ours = getattr(source, field.name), getattr(config.model, field.name)
        if field.name not in FREE and theirs != ours:
            key = field.name.replace("_", "-")
            raise CheckpointError(
                f"model.init_from = {str(folder)!r}: {field.name} is {theirs!r} there and {ours!r} in the recipe; "
                f"leave model.{field.name} out, or give --model.{key} {theirs}"
            )

    said: set[str] = set()

    def warn_once(sentence: str) -> None:  # a model is made for the trial step too
        if sentence not in said:
            said.add(sentence)
            warn(sentence)

    def initialise(model: TransformerLM) -> None:
        tensors = _tensors(folder, source, warn_once, model)
        check_finite(tensors, folder)
        load_module(model, tensors, folder)

    return initialise


def _tensors(
    folder: Path, config: ModelConfig, warn: Callable[[str], None], model: TransformerLM
) -> Mapping[str, Tensor]:
    if (path := folder / "checkpoints").is_dir():
        own = dict(model.named_parameters())
        spread = any(map(is_sharded, own.values()))
        loaded = (OwnRows(path, warn, own) if spread else CheckpointStore(path, warn=warn)).load("best")
        if note := other_than_best(Run.open(folder), loaded.step):
            warn(note)
        return loaded.model
    return llama_tensors(folder, config)


def _tokenizer(folder: str | Path) -> Path | None:
    path = Path(folder)
    if (path / "tokenizer").is_dir():
        return path / "tokenizer"
    return path if (path / "tokenizer.json").is_file() else None


def _check_tokenizer(folder: Path, source: ModelConfig, config: TrainConfig, dataset: Dataset) -> None:
    kept = _tokenizer(folder)
    way_out = f"; use the one of the weights: --tokenizer.path {kept}" if kept else ""
    if source.vocab_size != config.model.vocab_size:
        raise CheckpointError(
            f"model.init_from = {str(folder)!r} has a vocabulary of {source.vocab_size:,} ids, the recipe's tokenizer "
            f"one of {config.model.vocab_size:,}{way_out}"
        )
    if kept is None or dataset.tokenizer is None:
        return
    from hornbook.tokenizer.tokenizer import Tokenizer

    if Tokenizer.load(kept).fingerprint != dataset.tokenizer.fingerprint:
        raise CheckpointError(
            f"model.init_from = {str(folder)!r} was trained with another tokenizer of the same size, so its ids mean "
            f"other text{way_out}"
        )
