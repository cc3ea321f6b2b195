"""Parameters sharded over processes: DTensors, as PyTorch's `fully_shard` makes them, each process holding rows.

An update that goes element by element works on local parts (`to_local`); what needs the whole (a norm over all
gradients, Muon's matrix) is put together here. Plain tensors pass through every function unchanged. Left out: more than
one mesh dimension, tensors that some processes hold twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeGuard

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor


def is_sharded(tensor: Tensor) -> TypeGuard[DTensor]:
    """Return whether this process holds only a part of `tensor`."""
    return hasattr(tensor, "device_mesh")  # importing DTensor to ask would cost half a second


@torch.no_grad()
def to_local(tensor: Tensor) -> Tensor:
    """Return this process's part, sharing its memory."""
    return tensor.to_local() if is_sharded(tensor) else tensor


@torch.no_grad()
def full_tensor(tensor: Tensor) -> Tensor:
    """Return the tensor put together from all processes, which must all call this."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor


@torch.no_grad()
def shard_like(tensor: Tensor, like: Tensor) -> Tensor:
    """Return `tensor`, whole and the same in every process, sharded as `like` is; nothing is sent."""
    if not is_sharded(like) or is_sharded(tensor):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)


@torch.no_grad()
def total_norm(norm: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    """Return the l2 norm over all processes of `tensors`, from the norm of their local parts."""
    sharded = [tensor for tensor in tensors if is_sharded(tensor)]
    if not sharded:
        return norm
    from torch import distributed as dist

    assert len(sharded) == len(tensors), "plain tensors among sharded ones would be counted once for each process"
    square = norm.square()
    dist.all_reduce(square, group=sharded[0].device_mesh.get_group())
    return square.sqrt()
