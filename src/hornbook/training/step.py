"""One update: forward and backward over the parts of a batch, clip, learning rate, optimizer step.

Nothing here waits for the device: loss and gradient norm come back as tensors. The model's own `loss` decides how it is
computed (plain or fast twins); dtype and compilation are applied around it, once. The gradient of a batch computed in n
parts is the mean of the parts' gradients: equal to the whole batch's up to the order of summation (a test says 1e-6).
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hornbook.optim.clip import clip_gradients
from hornbook.training.compilation import compilation
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.strategies import Strategy
from hornbook.training.progress import rate

__all__ = [
    "TrainStep",
    "random_states",
    "restore_random_states",
]

Batch = tuple[Tensor, Tensor]


class TrainStep:
    """Carries out updates.

    Args:
        strategy: what is trained, its loss, and how several processes share the batch.
        optimizer: made by `hornbook.optim.registry.make_optimizer`; its groups hold `peak_lr`.
        config: the recipe.
    """

    def __init__(self, strategy: Strategy, optimizer: torch.optim.Optimizer, config: TrainConfig):
        self.strategy = strategy
        self.parameters = list(strategy.trained.parameters())
        self.optimizer = optimizer
        self.config = config
        self.learning_rate = 0.0
        """`optimizer.lr` at the last update; groups with another peak follow the same schedule."""

    def __call__(
        self, parts: Sequence[Callable[[], Batch]], it: float, total: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Make one update.

        Args:
            parts: each gives inputs and targets of an equal part of the batch when called.
            it: the update's place in the schedule.
            total: the schedule's length.

        Returns:
            The loss of the batch before the update, and the norm of its gradient before clipping.
        """
        loss = self.strategy.mean(self.backward(parts))
        limit = self.config.training.clip_norm
        norm = clip_gradients(self.parameters, limit if limit > 0 else float("inf"))
        self.learning_rate = self.set_rate(it, total)
        self.optimizer.step()
        return loss, norm

    def backward(self, parts: Sequence[Callable[[], Batch]]) -> Float[Tensor, ""]:
        """Leave the batch's gradient in the parameters; return its loss."""
        self.optimizer.zero_grad(set_to_none=True)
        losses = []
        compiles = self.config.training.compile is True
        with compilation() if compiles else contextlib.nullcontext():
            for number, part in enumerate(parts, 1):
                last = number == len(parts)
                with contextlib.nullcontext() if last else self.strategy.accumulating():
                    loss = self.strategy.loss(*part()) / len(parts)
                    loss.backward()
                losses.append(loss.detach())
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    def set_rate(self, it: float, total: float) -> float:
        """Set every group's learning rate from its own peak; return that of the peak `optimizer.lr`."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.config, group["peak_lr"], it, total)
        return rate(self.config, self.config.optimizer.lr, it, total)


def random_states(device: torch.device) -> dict[str, Any]:
    """Return the state of every random generator that an update may draw from (dropout), as text for JSON."""
    states = {"torch": _encode(torch.get_rng_state())}
    if device.type == "cuda":
        states["cuda"] = _encode(torch.cuda.get_rng_state(device))
    if device.type == "mps":
        states["mps"] = _encode(torch.mps.get_rng_state())
    return states


def restore_random_states(states: dict[str, Any], device: torch.device) -> None:
    """Put back what `random_states` returned. Raises ValueError where it cannot be read."""
    torch.set_rng_state(_decode(states["torch"]))
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(_decode(states["cuda"]), device)
    if device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(_decode(states["mps"]))


def _encode(state: Tensor) -> str:
    return base64.b64encode(state.numpy().tobytes()).decode()


def _decode(text: str) -> Tensor:
    return torch.frombuffer(bytearray(base64.b64decode(text, validate=True)), dtype=torch.uint8)
