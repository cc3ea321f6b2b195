"""Stochastic gradient descent with the CS336 handout's decaying step (Eq. 20): θ ← θ − α/√(t+1) · ∇L.

t counts the updates of each parameter from 0. `decay="none"` keeps α as it is. Left out: momentum and weight decay;
who wants more than the textbook rule takes AdamW.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hornbook.errors import ConfigError
from hornbook.optim.base import Optimizer, check_nonnegative, dense_gradient

DECAYS = ("inverse_sqrt", "none")


class SGD(Optimizer):
    """Gradient descent, by default with a step that shrinks as 1/√(t+1).

    Args:
        params: parameters, or parameter groups as for any `torch.optim.Optimizer`.
        lr: α.
        decay: "inverse_sqrt" divides α by √(t+1); "none" is plain gradient descent.

    Raises:
        ConfigError: a negative or non-finite lr, or an unknown decay.

    Source: CS336 assignment 1, §4.2, Eq. 20.
    """

    def __init__(self, params: ParamsT, lr: float = 1e-3, *, decay: str = "inverse_sqrt"):
        check_nonnegative(lr=lr)
        if decay not in DECAYS:
            raise ConfigError(f"decay = {decay!r} is not known; choose one of {', '.join(DECAYS)}")
        super().__init__(params, {"lr": lr, "decay": decay})

    def update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Subtract lr · gradient from each parameter, in place; lr / √(t + 1) with decay "inverse_sqrt"."""
        for parameter in parameters:
            step = self.state[parameter].setdefault("step", torch.tensor(0))
            divisor = math.sqrt(int(step) + 1) if group["decay"] == "inverse_sqrt" else 1.0
            parameter.add_(dense_gradient(parameter), alpha=-group["lr"] / divisor)
            step += 1
