"""Lion (Chen et al. 2023, https://arxiv.org/abs/2302.06675, Algorithm 2): the sign of a momentum is the step.

    c ← β₁ m + (1 − β₁) g
    θ ← θ − α (sign(c) + λ θ)                decoupled weight decay, of the weights before the step
    m ← β₂ m + (1 − β₂) g

Every weight moves by α whatever its gradient's size, so the paper takes a learning rate 3 to 10 times smaller than
AdamW's and a weight decay larger by as much (α λ stays the same); for language models β = (0.95, 0.98). One number per
weight is kept where AdamW keeps two. Two ways of running it: `loop`, the plain one, and `foreach`, the same operations
over lists of tensors, bit-identical to the loop on a CPU in float32 and float64. Left out: sparse and complex
gradients, a fused kernel.
"""

# pyright: reportPrivateImportUsage=false
# (The list-wise kernels of torch have only underscored names.)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hornbook.optim.base import Optimizer, check_betas, check_implementation, check_nonnegative, dense_gradient
from hornbook.optim.shards import to_local


class Lion(Optimizer):
    """Sign of an interpolated momentum, with decoupled weight decay.

    Args:
        params: parameters, or parameter groups as for any `torch.optim.Optimizer`.
        lr: α.
        betas: β₁, the share of the momentum in the step, and β₂, the momentum's own decay rate.
        weight_decay: λ.
        implementation: "foreach" or "loop"; not part of the state dict.

    Raises:
        ConfigError: a hyperparameter out of its range.

    Source: Chen et al. 2023, Algorithm 2; β = (0.9, 0.99) as there.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        implementation: str = "foreach",
    ):
        check_nonnegative(lr=lr, weight_decay=weight_decay)
        check_betas("betas", betas)
        check_implementation(implementation, ("foreach", "loop"))
        self.implementation = implementation
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "weight_decay": weight_decay})

    def update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Move the parameters and their momenta, in the way that was chosen."""
        rows = [self._row(parameter) for parameter in parameters]
        if rows:
            update = _loop if self.implementation == "loop" else _foreach
            parameters, gradients, momenta = map(list, zip(*rows, strict=True))
            update(parameters, gradients, momenta, group)

    def _row(self, parameter: Tensor) -> list[Tensor]:
        """Return this process's part of a parameter, its gradient and its momentum, made where it is missing."""
        gradient, state = dense_gradient(parameter), self.state[parameter]
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(parameter)
        return [to_local(t) for t in (parameter, gradient, state["exp_avg"])]


def _loop(parameters: list[Tensor], gradients: list[Tensor], momenta: list[Tensor], group: Mapping[str, Any]) -> None:
    """The equations of the head comment, tensor by tensor."""
    lr, betas, weight_decay = group["lr"], group["betas"], group["weight_decay"]
    for p, g, m in zip(parameters, gradients, momenta, strict=True):
        direction = m.mul(betas[0]).add_(g, alpha=1.0 - betas[0]).sign_()
        if weight_decay != 0.0:
            p.add_(p, alpha=-lr * weight_decay)  # not p.mul_(1 − αλ): see adamw.py
        p.add_(direction, alpha=-lr)
        m.mul_(betas[1]).add_(g, alpha=1.0 - betas[1])


def _foreach(
    parameters: list[Tensor], gradients: list[Tensor], momenta: list[Tensor], group: Mapping[str, Any]
) -> None:
    """The same operations over whole lists: a few kernel launches instead of some per tensor."""
    lr, betas, weight_decay = group["lr"], group["betas"], group["weight_decay"]
    directions = torch._foreach_mul(momenta, betas[0])
    torch._foreach_add_(directions, gradients, alpha=1.0 - betas[0])
    torch._foreach_sign_(directions)
    if weight_decay != 0.0:
        torch._foreach_add_(parameters, parameters, alpha=-lr * weight_decay)
    torch._foreach_add_(parameters, directions, alpha=-lr)
    torch._foreach_mul_(momenta, betas[1])
    torch._foreach_add_(momenta, gradients, alpha=1.0 - betas[1])
