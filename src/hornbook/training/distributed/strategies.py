"""How the processes of one training hold the weights: one process alone, a copy in each (DDP), or rows in each (FSDP).

`DDP` averages gradients while the backward pass still runs (PyTorch's DistributedDataParallel). `FSDP` keeps of every
parameter, gradient and moment only a process's own rows (PyTorch's `fully_shard`, Zhao et al. 2023,
https://arxiv.org/abs/2304.11277): a block's weights are gathered where they are used and dropped again. The model's
parts then see plain whole tensors, so the fused implementations and the CPU kernels work as ever; the optimizers work
on rows (optim/shards.py). Left out: sharding within a node only, lower precision on the wire.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

from hornbook.checkpoint.tensors import flatten_optimizer, restore_optimizer
from hornbook.models.transformer import TransformerLM
from hornbook.optim.shards import full_tensor, shard_like, to_local
from hornbook.training.compilation import keep_compiled_code
from hornbook.training.config import TrainConfig
from hornbook.training.loss import LossFunction, make_loss


class Strategy:
    """What a trainer asks of each.

    Args:
        model: the whole model: what is trained, or (`FSDP`) what it is gathered into.
        config: the recipe.

    Attributes:
        trained: the model whose parameters the optimizer updates.
        loss: of inputs and targets, over this process's share of the batch.
        main_is_complete: the main process alone holds everything that a checkpoint needs.
    """

    main_is_complete = True
    trained: TransformerLM
    loss: LossFunction

    def __init__(self, model: TransformerLM, config: TrainConfig):
        self.model = model

    def accumulating(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context of a backward pass whose gradients need not be exchanged yet."""
        return contextlib.nullcontext()

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a scalar over the processes."""
        value = value.detach().clone()
        dist.all_reduce(value)
        return value / dist.get_world_size()

    def gather_weights(self) -> None:
        """Bring the main process's whole model up to date; a collective."""

    def broadcast_weights(self) -> None:
        """Bring what is trained in line with the main process's whole model; a collective."""

    def gather_optimizer(self, optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the whole optimizer state, as `flatten_optimizer`; a collective."""
        return flatten_optimizer(optimizer)


class SingleProcess(Strategy):
    """One process trains the whole model; nothing is exchanged."""

    def __init__(self, model: TransformerLM, config: TrainConfig):
        super().__init__(model, config)
        self.trained = model
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
        self.trained = model
        wrap = nn.parallel.DistributedDataParallel
        # The rotation's tables are the same everywhere; torch has renamed the switch that leaves them alone.
        new, old = "forward_sync_buffers", "broadcast_buffers"
        tables: dict[str, Any] = {new if new in inspect.signature(wrap).parameters else old: False}
        self._wrapped = wrap(_Loss(model), gradient_as_bucket_view=True, **tables)
        self.loss = make_loss(model, config, self._wrapped)

    def accumulating(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context of a backward pass whose gradients need not be exchanged yet."""
        return self._wrapped.no_sync()

    def broadcast_weights(self) -> None:
        """Send the main process's weights to all."""
        for parameter in self.model.parameters():
            dist.broadcast(parameter.data, 0)


class FSDP(Strategy):
    """Every process holds rows of every parameter.

    Args:
        model: in the main process, the whole model that evaluations, samples and checkpoints read; in the others, its
            shapes.
        config: the recipe.
        device: where the rows live.
    """

    main_is_complete = False

    def __init__(self, model: TransformerLM, config: TrainConfig, device: torch.device):
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

        super().__init__(model, config)
        self.device = device
        mesh = init_device_mesh(device.type, (dist.get_world_size(),))
        self.trained = TransformerLM(config.model, device="meta")
        self.trained.document_separator = model.document_separator
        self.trained.activation_checkpointing = config.training.activation_checkpointing
        for block in self.trained.blocks:
            if config.training.compile is True:  # the gathering between blocks stays outside of the graphs
                keep_compiled_code()
                block.compile()
            fully_shard(block, mesh=mesh)
        fully_shard(self.trained, mesh=mesh)
        register_fsdp_forward_method(self.trained, "loss")
        self.trained.to_empty(device=device)
        self.loss = make_loss(self.trained, config.with_training(compile=False))

    @torch.no_grad()
    def gather_weights(self) -> None:
        """Gather the rows into the main process's whole model."""
        for full, rows in zip(self.model.parameters(), self.trained.parameters(), strict=True):
            gathered = full_tensor(rows)
            if not full.is_meta:
                full.copy_(gathered)

    @torch.no_grad()
    def broadcast_weights(self) -> None:
        """Give every process its rows of the main process's whole model."""
        for full, rows in zip(self.model.parameters(), self.trained.parameters(), strict=True):
            sent = torch.empty(full.shape, dtype=full.dtype, device=self.device) if full.is_meta else full.data
            dist.broadcast(sent, 0)
            to_local(rows).copy_(to_local(shard_like(sent, rows)))

    def gather_optimizer(self, optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Gather the optimizer's rows; processes other than the main one keep none of it."""
        tensors, rest = flatten_optimizer(optimizer)
        gathered: dict[str, Tensor] = {}
        for name, tensor in tensors.items():
            full = full_tensor(tensor)
            if dist.get_rank() == 0:
                gathered[name] = full
        return gathered, rest


def load_full_optimizer_state(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]
) -> None:
    """Put a whole optimizer state, as `flatten_optimizer` gives it, into an optimizer whose parameters may be rows."""
    numbers: Sequence[int] = [i for group in optimizer.state_dict()["param_groups"] for i in group["params"]]
    parameters = dict(zip(numbers, (p for g in optimizer.param_groups for p in g["params"]), strict=True))
    parts = {
        name: shard_like(tensor, parameters[int(name.partition(".")[0])]) if tensor.ndim else tensor
        for name, tensor in tensors.items()
    }
    restore_optimizer(optimizer, parts, rest, "the main process's state")
