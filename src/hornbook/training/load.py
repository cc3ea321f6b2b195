"""A trained model read back from its run: `hb.load_run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from hornbook.checkpoint.store import CheckpointStore
from hornbook.checkpoint.tensors import check_finite, load_module
from hornbook.errors import HornbookError
from hornbook.models.transformer import TransformerLM
from hornbook.tracking.run import Run, best_record
from hornbook.training.config import TrainConfig, resolve_stored

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer


class LoadedRun(NamedTuple):
    """A trained model and what belongs to it."""

    model: TransformerLM
    """In evaluation mode."""
    tokenizer: Tokenizer | None
    """None for a run on bare token files."""
    config: TrainConfig
    """The recipe."""
    step: int
    """Updates that the checkpoint had."""


def load_run(
    path: str | Path, checkpoint: str | int = "best", device: torch.device | str | None = None
) -> tuple[TransformerLM, Tokenizer | None, TrainConfig]:
    """Read a trained model.

    Args:
        path: the run's folder.
        checkpoint: "best" (lowest validation loss), "last", or a step. Where the best is none that was kept, as at step
            0, or no loss was measured, the last stands for it, which is said on standard error.
        device: where the model goes; None: the CPU.

    Returns:
        The model in evaluation mode, its tokenizer (None for a run on bare token files), and the recipe.

    Raises:
        HornbookError: there is no run, no such checkpoint, or it does not fit the model; damaged files; weights that
            are infinite or NaN.
    """
    loaded = load_model(path, checkpoint, device)
    return loaded.model, loaded.tokenizer, loaded.config


def load_model(path: str | Path, checkpoint: str | int = "best", device: torch.device | str | None = None) -> LoadedRun:
    """Read a trained model; arguments and errors as `load_run`."""
    run = Run.open(path)
    config = resolve_stored(run.config)
    if isinstance(checkpoint, str) and checkpoint.isdecimal():
        checkpoint = int(checkpoint)
    loaded = CheckpointStore(run.path / "checkpoints", warn=_warn).load(checkpoint)
    if checkpoint == "best" and (note := other_than_best(run, loaded.step)):
        _warn(note)
    check_finite(loaded.model, f"{run.path}, step {loaded.step:,}")
    model = TransformerLM(config.model, device=device)
    load_module(model, loaded.model, str(run.path))
    tokenizer = read_tokenizer(run.path)
    if config.data.document_mask and tokenizer is not None:
        specials = tokenizer.special_token_ids
        model.document_separator = specials.get(config.tokenizer.separator_among(specials) or "")
    return LoadedRun(model.eval(), tokenizer, config, loaded.step)


def other_than_best(run: Run, step: int) -> str:
    """Return a sentence for who asked for the best checkpoint and got that of `step`, where it is another; else ""."""
    try:
        best = best_record(run.metrics())
    except HornbookError:
        return ""  # weights are read without their curve
    if step == 0 or (best is not None and best["step"] == step):
        return ""
    why = (
        f"the lowest validation loss was at step {best['step']:,}, of which there is no sound checkpoint"
        if best
        else ""
    )
    return f"{run.path}: {why or 'no validation loss was measured'}; the weights of step {step:,} stand for the best"


def read_tokenizer(path: Path) -> Tokenizer | None:
    """Return the tokenizer kept with a run, or None."""
    if not (path / "tokenizer").is_dir():
        return None
    from hornbook.tokenizer.tokenizer import Tokenizer

    return Tokenizer.load(path / "tokenizer")


def _warn(sentence: str) -> None:
    print(f"hornbook: {sentence}", file=sys.stderr)  # noqa: T201
