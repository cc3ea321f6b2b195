"""Checkpoints of a training whose tensors are spread over processes: each writes its rows, each reads its own back.

By `torch.distributed.checkpoint` in its safetensors form, without pickle on the disk: the folders `model/` and
`optimizer/` of a checkpoint hold a file of each process, whose header says where its rows belong. Any number of
processes reads them, and whole files as well, each no more than its own rows. State and manifest are the main
process's; its manifest has the size and SHA-256 of every file (docs/formats/checkpoint.md). Left out: reading several
files at a time.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from hornbook.fileio import sha256_file
from hornbook.optim.shards import is_sharded

PARTS = ("model", "optimizer")
"""The tensors of a checkpoint; the optimizer's names begin with a number, no module's do."""


def write_part(folder: Path, part: str, tensors: Mapping[str, Tensor], group: Any) -> dict[str, Any]:
    """Write this process's rows of the model or the optimizer; return what the manifest says of its files.

    Args:
        folder: of the checkpoint, the same for all.
        part: one of PARTS.
        tensors: sharded ones, and plain ones that all have alike, which one of them writes.
        group: the processes; a collective.

    Raises:
        OSError: the files of any process cannot be written; all of them raise it.
    """
    from torch.distributed.checkpoint.api import CheckpointException
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageWriter
    from torch.distributed.checkpoint.state_dict_saver import save

    writer = HuggingFaceStorageWriter(str(folder / part), save_distributed=True)
    try:
        save(dict(tensors), storage_writer=writer, process_group=group)
    except CheckpointException as error:  # no Exception, and its text is that of every process, traces and all
        raise next(iter(error.failures.values()))[0] from error
    own = (folder / part).glob(f"shard-{dist.get_rank() + 1:05d}-*")
    return {f"{part}/{file.name}": {"bytes": file.stat().st_size, "sha256": sha256_file(file)} for file in own}


def read_part(path: Path, part: str, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the model or the optimizer of a checkpoint folder, whole or in shards.

    Args:
        path: the checkpoint's folder.
        part: one of PARTS.
        like: of those that are sharded, this process's rows are read; what has no equal here is read whole.
    """
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
    from torch.distributed.checkpoint.state_dict_loader import load

    reader = HuggingFaceStorageReader(str(path / part if (path / part).is_dir() else path))
    tensors: dict[str, Any] = {}
    for name, about in reader.read_metadata().state_dict_metadata.items():
        number = name.partition(".")[0]
        if number.isdecimal() == (part == PARTS[1]):
            tensors[name] = _empty_like(about, like.get(number if number.isdecimal() else name))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)  # each reads for itself
        load(tensors, storage_reader=reader, no_dist=True)
    return tensors


def _empty_like(about: Any, like: Tensor | None) -> Tensor:
    """Return an empty tensor of a stored one's shape and type, with this process's rows only where `like` has."""
    dtype = about.properties.dtype
    if like is None or not is_sharded(like) or len(about.size) != like.ndim:
        return torch.empty(about.size, dtype=dtype)
    from torch.distributed import tensor as sharded

    return sharded.empty(about.size, dtype=dtype, device_mesh=like.device_mesh, placements=like.placements)
