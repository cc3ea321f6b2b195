"""What every optimizer here shares: the walk over the parameters that have a gradient, and the checks of arguments, so
that a wrong hyperparameter is named before the first step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from hornbook.errors import ConfigError


class Optimizer(torch.optim.Optimizer):
    """An optimizer whose `update` moves the parameters of one group."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update every parameter that has a gradient; return what `closure` returned, if one was given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self.update([parameter for parameter in group["params"] if parameter.grad is not None], group)
        return loss

    def update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Move `parameters`, which have gradients, by the hyperparameters of their group."""
        raise NotImplementedError


def dense_gradient(parameter: Tensor) -> Tensor:
    """Return the gradient of a parameter that has one. Raises ConfigError if it is sparse: none of these takes that."""
    assert parameter.grad is not None
    if parameter.grad.is_sparse:
        raise ConfigError("a sparse gradient came, but hornbook's optimizers take dense ones; use a dense embedding")
    return parameter.grad


def check_nonnegative(**values: float) -> None:
    """Raise ConfigError unless each of the named values is a finite number that is zero or more."""
    for name, value in values.items():
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise ConfigError(f"{name} = {value!r} cannot be used; give a finite number of 0 or more")


def check_betas(name: str, betas: tuple[float, float]) -> None:
    """Raise ConfigError unless `betas` are two numbers in [0, 1)."""
    if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
        raise ConfigError(
            f"{name} = {tuple(betas)!r} cannot be used; give two numbers from 0 up to but not including 1"
        )


def check_implementation(name: str, known: tuple[str, ...]) -> None:
    """Raise ConfigError unless `name` is a way of running the optimizer."""
    if name not in known:
        raise ConfigError(f"implementation = {name!r} is not known; choose {', '.join(known[:-1])} or {known[-1]}")
