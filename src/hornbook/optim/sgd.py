"""Stochastic gradient descent with the CS336 handout's decaying step (Eq. 20): θ ← θ − α/√(t+1) · ∇L.

t counts the updates of each parameter from 0. `decay="none"` keeps α as it is. Left out: momentum and weight decay;
who wants more than the textbook rule takes AdamW.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.optim.optimizer import ParamsT

from hornbook.errors import ConfigError
from hornbook.optim.checks import check_gradient, check_nonnegative

DECAYS = ("inverse_sqrt", "none")


class SGD(torch.optim.Optimizer):
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
        check_nonnegative("lr", lr)
        if decay not in DECAYS:
            raise ConfigError(f"decay = {decay!r} is not known; choose one of {', '.join(DECAYS)}")
        super().__init__(params, {"lr": lr, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update every parameter that has a gradient; return what `closure` returned, if one was given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                check_gradient(parameter.grad)
                state = self.state[parameter]
                if not state:
                    state["step"] = torch.tensor(0)
                t = int(state["step"])
                divisor = math.sqrt(t + 1) if group["decay"] == "inverse_sqrt" else 1.0
                parameter.add_(parameter.grad, alpha=-group["lr"] / divisor)
                state["step"] += 1
        return loss
