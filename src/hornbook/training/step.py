"""One update: forward and backward over the micro-batches of a batch, clip, learning rate, optimizer step.

Nothing here waits for the device: loss and gradient norm come back as tensors. The gradient of a batch computed in n
micro-batches is the mean of theirs: equal to the whole batch's up to the order of summation (a test says 1e-6). Left
out: how the loss is computed (loss.py) and exchanged between processes (distributed/strategies.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.optim.clip import clip_gradients
from hornbook.training.compilation import compilation
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.strategies import Strategy
from hornbook.training.progress import learning_rate_at

Batch = tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]
"""Inputs and targets."""


class Update(NamedTuple):
    """What one update came to, on its device."""

    loss: Float[Tensor, ""]
    """Of the batch, before the update: nats per token, the mean over all processes."""
    grad_norm: Float[Tensor, ""]
    """l2 norm of the gradient before clipping."""
    lr: float
    """`optimizer.lr` at this point of the schedule; groups with another peak follow the same schedule."""


@dataclass(frozen=True)
class StepResult:
    """One step of a run."""

    step: int
    """Its number, from 1."""
    loss: Float[Tensor, ""]
    """As in `Update`, still on the device; so is the norm."""
    grad_norm: Float[Tensor, ""]
    lr: float
    tokens: int
    """Tokens that the run has been trained on with it."""
    seconds: float
    """What it took on the host; a GPU may still be at it."""


class TrainStep:
    """Carries out updates.

    Args:
        strategy: what is trained, its loss, and how several processes divide the batch.
        optimizer: made by `hornbook.optim.registry.make_optimizer`; its groups hold `peak_lr`.
        config: the recipe.
    """

    def __init__(self, strategy: Strategy, optimizer: torch.optim.Optimizer, config: TrainConfig):
        self.strategy = strategy
        self.parameters = list(strategy.trained.parameters())
        self.optimizer = optimizer
        self.config = config

    def __call__(self, micro_batches: Sequence[Callable[[], Batch]], it: float, total: float) -> Update:
        """Make one update.

        Args:
            micro_batches: each gives inputs and targets of an equal part of the batch when called.
            it: the update's place in the schedule.
            total: the schedule's length.
        """
        loss = self.strategy.mean(self.backward(micro_batches))
        limit = self.config.training.clip_norm
        grad_norm = clip_gradients(self.parameters, limit if limit > 0 else float("inf"))
        lr = self.set_learning_rate(it, total)
        self.optimizer.step()
        return Update(loss, grad_norm, lr)

    def backward(self, micro_batches: Sequence[Callable[[], Batch]]) -> Float[Tensor, ""]:
        """Leave the batch's gradient in the parameters; return its loss."""
        self.optimizer.zero_grad(set_to_none=True)
        losses = []
        compiles = self.config.training.compile is True
        with compilation() if compiles else contextlib.nullcontext():
            for number, micro_batch in enumerate(micro_batches, 1):
                last = number == len(micro_batches)
                with contextlib.nullcontext() if last else self.strategy.accumulating():
                    loss = self.strategy.loss(*micro_batch()) / len(micro_batches)
                    loss.backward()
                losses.append(loss.detach())
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    def set_learning_rate(self, it: float, total: float) -> float:
        """Set every group's learning rate from its own peak; return that of the peak `optimizer.lr`."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.config, group["peak_lr"], it, total)
        return learning_rate_at(self.config, self.config.optimizer.lr, it, total)
