"""`save_checkpoint` and `load_checkpoint` (CS336 handout §5.2): weights, optimizer and iteration in one safetensors
file.

Tensors are named `model.…` and `optimizer.{i}.{key}`; the header's metadata holds `iteration` and, as JSON, the
parameter groups. For any module and optimizer. A run's own checkpoints (store.py) hold more: the data position and
random states.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import nn

from hornbook.checkpoint.tensors import (
    decode_tensors,
    flatten_optimizer,
    load_module,
    read_tensors,
    restore_optimizer,
    write_tensors,
)
from hornbook.errors import CheckpointError, FormatError
from hornbook.fileio import open_atomic

VERSION = "1"


def save_checkpoint(
    model: nn.Module, optimizer: torch.optim.Optimizer, iteration: int, out: str | os.PathLike[str] | BinaryIO
) -> None:
    """Write the state of a training to one file, atomically where `out` is a path.

    Args:
        model: any module; its `state_dict` is stored.
        optimizer: any optimizer over its parameters.
        iteration: updates done so far.
        out: a path, or a file object open for binary writing.

    Raises:
        OSError: the file cannot be written; what stood at the path before is untouched.
    """
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    state, rest = flatten_optimizer(optimizer)
    tensors |= {f"optimizer.{name}": tensor for name, tensor in state.items()}
    metadata = {
        "format": "hornbook.checkpoint",
        "version": VERSION,
        "iteration": str(int(iteration)),
        "param_groups": json.dumps(rest["param_groups"]),
        "numbers": json.dumps(rest["numbers"]),
    }
    if isinstance(out, str | os.PathLike):
        with open_atomic(out) as file:
            write_tensors(file, tensors, metadata)
    else:
        write_tensors(out, tensors, metadata)


def load_checkpoint(src: str | os.PathLike[str] | BinaryIO, model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Put a saved state back into a model and an optimizer.

    Args:
        src: a path, or a file object open for binary reading.
        model: of the shape that was saved.
        optimizer: with the same parameter groups.

    Returns:
        The iteration that was saved.

    Raises:
        FormatError: the file is damaged, cut short, or no checkpoint.
        CheckpointError: model or optimizer have another shape; the tensor is named with both shapes.
        OSError: it cannot be read.
    """
    if isinstance(src, str | os.PathLike):
        name: str = str(Path(src))
        tensors, metadata = read_tensors(src)
    else:
        name = "the checkpoint"
        tensors, metadata = decode_tensors(src.read(), name)
    if metadata.get("version") != VERSION or not metadata.get("iteration", "").isdecimal():
        raise FormatError(f"{name} is not a checkpoint of this version of hornbook (its header lacks the iteration)")
    rest = {"param_groups": _json(metadata, "param_groups", name), "numbers": _json(metadata, "numbers", name)}
    for key in tensors:
        if not key.startswith(("model.", "optimizer.")):
            raise CheckpointError(f"{name} has a tensor {key}, which belongs to neither the model nor the optimizer")
    weights = {key.removeprefix("model."): t for key, t in tensors.items() if key.startswith("model.")}
    state = {key.removeprefix("optimizer."): t for key, t in tensors.items() if key.startswith("optimizer.")}
    load_module(model, weights, name)
    restore_optimizer(optimizer, state, rest, name)
    return int(metadata["iteration"])


def _json(metadata: dict[str, str], key: str, name: str) -> Any:
    try:
        return json.loads(metadata[key])
    except (KeyError, ValueError, RecursionError):
        raise FormatError(f"{name}: {key!r} in its header cannot be read") from None
