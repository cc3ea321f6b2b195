"""Named tensors in a safetensors file (https://github.com/huggingface/safetensors#format), and into a module.

Written here rather than by the library, so that the bytes go out in one stream (no second copy of the model in memory)
and every write can fail in a test; the bytes are the library's own (a test compares them). Read by the library, whose
parser checks the header; what it throws becomes a FormatError. Left out: sharded files, lazy loading.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from hornbook.errors import CheckpointError, FormatError
from hornbook.optim.shards import shard_like, to_local

# Names as in the format; in this order the library sorts them (widest first, so that all stay aligned).
DTYPES = {
    torch.uint64: "U64", torch.int64: "I64", torch.float64: "F64", torch.float32: "F32", torch.uint32: "U32",
    torch.int32: "I32", torch.bfloat16: "BF16", torch.float16: "F16", torch.uint16: "U16", torch.int16: "I16",
    torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
CHUNK = 1 << 24
# Counts beyond this are no counts (and no longer exact in JSON).
LARGEST = 2**53


def write_tensors(file: BinaryIO, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors to an open binary file.

    Args:
        file: where to write, from its present position.
        tensors: by name; any strides and devices.
        metadata: text by name, kept in the header.

    Raises:
        CheckpointError: a tensor of a type that the format lacks.
        OSError: the disk is full or the file cannot be written.
    """
    order = list(DTYPES)
    for name, tensor in tensors.items():
        if tensor.dtype not in DTYPES:
            raise CheckpointError(f"{name} has type {tensor.dtype}, which a checkpoint cannot hold; convert it first")
    names = sorted(tensors, key=lambda name: (order.index(tensors[name].dtype), name))
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    end = 0
    for name in names:
        tensor = tensors[name]
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    for name in names:
        flat = tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        for start in range(0, len(flat), CHUNK):
            file.write(flat[start : start + CHUNK].data)


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file.

    Returns:
        The tensors by name, on the CPU, and the metadata of the header.

    Raises:
        FormatError: the file is cut short, damaged or hostile.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:  # noqa: PTH123  # the library reports a missing file in its own words
        file.read(1)
    try:
        with safe_open(os.fspath(path), framework="pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            return tensors, dict(opened.metadata() or {})
    except (SafetensorError, ValueError, TypeError, RuntimeError, OverflowError, MemoryError) as error:
        # The library maps the file through torch, whose words for an error of the disk end in these.
        failed = re.search(r"\((\d{1,3})\)$", str(error))
        if failed and str(error).endswith(f"{os.strerror(int(failed[1]))} {failed[0]}"):
            raise OSError(int(failed[1]), os.strerror(int(failed[1])), os.fspath(path)) from None
        raise FormatError(
            f"{path} is not a sound safetensors file: it is cut short, damaged or another kind of file"
        ) from None


def decode_tensors(content: bytes, name: str = "the checkpoint") -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file from memory; results and errors as `read_tensors`."""
    from safetensors.torch import load

    try:
        tensors = load(content)
        (length,) = struct.unpack("<Q", content[:8])
        return tensors, json.loads(content[8 : 8 + length]).get("__metadata__") or {}
    except (SafetensorError, ValueError, TypeError, RuntimeError, OverflowError, KeyError, struct.error):
        raise FormatError(
            f"{name} is not a sound safetensors file: it is cut short, damaged or another kind of file"
        ) from None


def load_module(module: nn.Module, tensors: Mapping[str, Tensor], source: str | Path) -> None:
    """Copy tensors into a module, all of them or, on any difference, none; of sharded parameters, their own rows.

    Raises:
        CheckpointError: a tensor that is missing, unknown, or of another shape; it is named with both shapes.
    """
    own = module.state_dict()
    for name, tensor in own.items():
        if name not in tensors:
            raise CheckpointError(
                f"{source} has no tensor {name}, which the model needs with shape {tuple(tensor.shape)}"
            )
        if tensors[name].shape != tensor.shape:
            raise CheckpointError(
                f"{source}: {name} has shape {tuple(tensors[name].shape)}, the model needs {tuple(tensor.shape)}; "
                "build the model with the configuration that the checkpoint was made with"
            )
    for name in tensors:
        if name not in own:
            shape = tuple(tensors[name].shape)
            raise CheckpointError(f"{source} has a tensor {name} of shape {shape} that the model does not have")
    module.load_state_dict({name: shard_like(tensor, own[name]) for name, tensor in tensors.items()})


def check_finite(tensors: Mapping[str, Tensor], source: str | Path) -> None:
    """Refuse the weights of a dead model, which would turn every number that comes of them into NaN.

    Raises:
        CheckpointError: a tensor with infinity or NaN; the first is named.
    """
    for name, tensor in tensors.items():
        bad = int((~torch.isfinite(to_local(tensor))).sum())  # each process looks at its own rows
        if bad:
            raise CheckpointError(
                f"{source}: {bad:,} of the {tensor.numel():,} numbers in {name} are infinite or NaN: its training "
                "diverged or the weights are damaged; take an earlier checkpoint (--checkpoint STEP), or train again "
                "with a lower learning rate"
            )


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return an optimizer's state as tensors `{i}.{key}` and the rest (groups, plain numbers) as values for JSON."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, entry in state["state"].items():
        for key, value in entry.items():
            (tensors if isinstance(value, Tensor) else numbers)[f"{index}.{key}"] = value
    return tensors, {"param_groups": state["param_groups"], "numbers": numbers}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], rest: Mapping[str, Any], source: str | Path
) -> None:
    """Put back what `flatten_optimizer` returned, all of it or nothing.

    Raises:
        CheckpointError: other parameter groups than the optimizer's, or a state tensor that does not fit its parameter.
    """
    groups = rest.get("param_groups")
    own = optimizer.state_dict()["param_groups"]
    if not isinstance(groups, list) or [_members(g) for g in groups] != [_members(g) for g in own]:
        raise CheckpointError(
            f"{source} was written by an optimizer with other parameter groups; build it with the same settings"
        )
    numbers = (i for group in own for i in group["params"])
    parameters = dict(zip(numbers, (p for group in optimizer.param_groups for p in group["params"]), strict=True))
    state: dict[int, dict[str, Any]] = {}
    for name, value in _entries(tensors, rest.get("numbers", {})):
        index, _, key = name.partition(".")
        if not index.isdecimal() or int(index) not in parameters or not key:
            raise CheckpointError(f"{source} has optimizer state {name} for a parameter that there is not")
        # Moments have their parameter's shape; counters have none; NorMuon's rows have one entry per row.
        shape = parameters[int(index)].shape
        if isinstance(value, Tensor) and value.ndim and value.shape not in (shape, shape[:1] + (1,) * (len(shape) - 1)):
            raise CheckpointError(f"{source}: {name} has shape {tuple(value.shape)}, its parameter {tuple(shape)}")
        if not isinstance(value, Tensor) and not (type(value) in (int, float) and 0 <= value < LARGEST):
            raise CheckpointError(f"{source}: optimizer state {name} is {value!r}, wanted a count or a plain number")
        if isinstance(value, Tensor) and value.ndim:
            value = shard_like(value, parameters[int(index)])
        state.setdefault(int(index), {})[key] = value
    for group in own:
        keys = {frozenset(state[i]) for i in group["params"] if i in state}
        if len(keys) > 1:
            raise CheckpointError(
                f"{source}: parameters of one group have different kinds of optimizer state; it is damaged"
            )
    restored = [{key: tuple(v) if key == "betas" else v for key, v in group.items()} for group in groups]
    # Keys and types must be the optimizer's own, or its next step would stop half-way through.
    for group, mine in zip(restored, own, strict=True):
        if {key: _kind(value) for key, value in group.items()} != {key: _kind(value) for key, value in mine.items()}:
            raise CheckpointError(f"{source} was written by an optimizer with other settings than {sorted(mine)}")
    optimizer.load_state_dict({"state": state, "param_groups": restored})


def _entries(tensors: Mapping[str, Tensor], numbers: Any) -> Iterator[tuple[str, Any]]:
    yield from tensors.items()
    if isinstance(numbers, Mapping):
        yield from numbers.items()


def _kind(value: Any) -> Any:
    """Return what must agree between a stored setting and the optimizer's own: the type, numbers being one."""
    if isinstance(value, tuple | list):
        return [_kind(item) for item in value]
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _members(group: Any) -> Any:
    return group.get("params") if isinstance(group, Mapping) else None
