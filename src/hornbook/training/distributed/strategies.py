"""How the processes of one training hold the weights: one process alone, a copy in each (DDP), or rows in each (FSDP).

`DDP` averages gradients while the backward pass still runs (PyTorch's DistributedDataParallel). `FSDP` keeps of every
parameter, gradient and moment only a process's own rows (PyTorch's `fully_shard`, Zhao et al. 2023,
https://arxiv.org/abs/2304.11277): a block's weights are gathered where they are used and dropped again. The model's
parts then see plain whole tensors, so the fused implementations and the CPU kernels work as ever; the optimizers work
on rows (optim/shards.py). Left out: sharding within a node only, lower precision on the wire.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

from hornbook.models.transformer import TransformerLM
from hornbook.optim.shards import shard_like, to_local
from hornbook.training.compilation import keep_compiled_code
from hornbook.training.config import TrainConfig
from hornbook.training.loss import LossFunction, make_loss


class Strategy:
    """What a trainer asks of each.

    Args:
        model: what is trained; under `FSDP`, its shapes on the device "meta", to be filled by `initialise`.
        config: the recipe.

    Attributes:
        trained: the model, whose parameters the optimizer updates.
        loss: of inputs and targets, over this process's share of the batch.
        sharded: a process has rows of the parameters only, so that whatever reads the model is done by all.
    """

    sharded = False
    loss: LossFunction

    def __init__(self, model: TransformerLM, config: TrainConfig):
        self.trained = model

    def initialise(self) -> None:
        """Draw all weights anew."""
        self.trained.reset_parameters()

    def synchronise(self) -> None:
        """Have all processes begin with the same bits, whatever the machines drew or read; a collective."""

    def accumulating(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context of a backward pass whose gradients need not be exchanged yet."""
        return contextlib.nullcontext()

    def reading(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context of forward passes without a backward pass."""
        return contextlib.nullcontext()

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a scalar over the processes."""
        value = value.detach().clone()
        dist.all_reduce(value)
        return value / dist.get_world_size()


class SingleProcess(Strategy):
    """One process trains the whole model; nothing is exchanged."""

    def __init__(self, model: TransformerLM, config: TrainConfig):
        super().__init__(model, config)
        self.loss = make_loss(model, config)

    def mean(self, value: Tensor) -> Tensor:
        """Return the scalar itself: there is no other process to average it with."""
        return value


class _Loss(nn.Module):
    """A model's loss as a module's forward, which is what DistributedDataParallel wraps."""

    def __init__(self, model: TransformerLM):
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return self.model.loss(inputs, targets)


class DDP(Strategy):
    """Every process holds the whole model."""

    def __init__(self, model: TransformerLM, config: TrainConfig):
        super().__init__(model, config)
        wrap = nn.parallel.DistributedDataParallel
        # The rotation's tables are the same everywhere; torch has renamed the switch that leaves them alone.
        new, old = "forward_sync_buffers", "broadcast_buffers"
        tables: dict[str, Any] = {new if new in inspect.signature(wrap).parameters else old: False}
        self._wrapped = wrap(_Loss(model), gradient_as_bucket_view=True, **tables)
        self.loss = make_loss(model, config, self._wrapped)

    def accumulating(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context of a backward pass whose gradients need not be exchanged yet."""
        return self._wrapped.no_sync()

    def synchronise(self) -> None:
        """Send the main process's weights to all."""
        for parameter in self.trained.parameters():
            dist.broadcast(parameter.data, 0)


class FSDP(Strategy):
    """Every process holds rows of every parameter, and never a whole model."""

    sharded = True

    def __init__(self, model: TransformerLM, config: TrainConfig):
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

        super().__init__(model, config)
        device = torch.device(config.training.device)
        mesh = init_device_mesh(device.type, (dist.get_world_size(),))
        for block in model.blocks:
            if config.training.compile is True:  # the gathering between blocks stays outside of the graphs
                keep_compiled_code()
                block.compile()
            fully_shard(block, mesh=mesh)
        fully_shard(model, mesh=mesh)
        register_fsdp_forward_method(model, "loss")
        model.to_empty(device=device)
        self.loss = make_loss(model, config.with_training(compile=False))

    def initialise(self) -> None:
        """Draw each tensor whole, as a process alone would, and keep its rows."""
        parts: list[Any] = [
            m for m in self.trained.modules() if m is not self.trained and hasattr(m, "reset_parameters")
        ]
        for part in parts:
            part.reset_parameters = functools.partial(_draw_rows, part)
        self.trained.reset_parameters()
        for part in parts:
            del part.reset_parameters

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Hold what is outside of the blocks whole, for calls that do not begin at the model's loss."""
        root: Any = self.trained
        root.unshard()
        try:
            yield
        finally:
            root.reshard()


def _draw_rows(module: Any, generator: torch.Generator | None = None) -> None:
    """Have a module draw its own tensors whole, one module's at a time, and keep this process's rows."""
    rows = dict(module.named_parameters(recurse=False))
    for name, row in rows.items():
        module.register_parameter(name, nn.Parameter(torch.empty(row.shape, dtype=row.dtype, device=row.device)))
    type(module).reset_parameters(module, generator)
    for name, row in rows.items():
        to_local(row).copy_(to_local(shard_like(getattr(module, name).data, row)))
        module.register_parameter(name, row)
