"""AdamW (Loshchilov & Hutter, https://arxiv.org/abs/1711.05101) in the order of the CS336 handout's Algorithm 1.

    m ← β₁ m + (1 − β₁) g                    v ← β₂ v + (1 − β₂) g²
    θ ← θ − α √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε)      ε outside the bias correction
    θ ← θ − α λ θ                            decoupled weight decay, after the step

`torch.optim.AdamW` decays before the step and adds ε to the corrected √v̂; with λ = 0 and ε = 0 the two are equal.
One rule, three ways of running it:

- `loop`: the plain implementation, tensor by tensor, the equations above line by line;
- `foreach`: the same operations over lists of tensors, bit-identical to the loop on a CPU;
- `fused`: one pass over the memory by PyTorch's fused kernel. That kernel computes its own order of AdamW; with
  α' = α(1 − αλ), λ' = λ/(1 − αλ) and ε' = ε/√(1 − β₂ᵗ) its result is algebraically the one above, equal to the loop
  within a few units in the last place (tests/unit/test_adamw.py states the tolerance).

Left out: AMSGrad, sparse and complex gradients, learning rates as tensors.
"""

# pyright: reportPrivateImportUsage=false
# (The list-wise kernels of torch have only underscored names.)
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hornbook.errors import ConfigError
from hornbook.optim.checks import check_betas, check_gradient, check_nonnegative
from hornbook.optim.shards import to_local

IMPLEMENTATIONS = ("auto", "loop", "foreach", "fused")


class AdamW(torch.optim.Optimizer):
    """Adam with decoupled weight decay.

    Args:
        params: parameters, or parameter groups as for any `torch.optim.Optimizer`.
        lr: α.
        betas: β₁ and β₂, the decay rates of the two moment estimates.
        eps: ε, added to √v.
        weight_decay: λ.
        implementation: "loop", "foreach", "fused", or "auto": fused for contiguous tensors on a CPU or a CUDA device,
            foreach for the rest. It is not part of the state dict: a checkpoint of one loads into the others.

    Raises:
        ConfigError: a hyperparameter out of its range.

    Source: CS336 assignment 1, §4.3, Algorithm 1.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        implementation: str = "auto",
    ):
        check_nonnegative("lr", lr)
        check_betas("betas", betas)
        check_nonnegative("eps", eps)
        check_nonnegative("weight_decay", weight_decay)
        if implementation not in IMPLEMENTATIONS:
            raise ConfigError(
                f"implementation = {implementation!r} is not known; choose one of {', '.join(IMPLEMENTATIONS)}"
            )
        self.implementation = implementation
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update every parameter that has a gradient; return what `closure` returned, if one was given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            adamw_update(
                [parameter for parameter in group["params"] if parameter.grad is not None],
                self.state,
                lr=group["lr"],
                betas=group["betas"],
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                implementation=self.implementation,
            )
        return loss


def adamw_update(
    parameters: list[Tensor],
    state: dict[Tensor, dict[str, Any]] | Any,
    *,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    implementation: str = "auto",
) -> None:
    """Apply one AdamW update in place to parameters that have gradients, creating their state where it is missing.

    Args:
        parameters: tensors with `.grad`.
        state: the optimizer's state; per parameter `step` (0-dim int64 on the CPU), `exp_avg` (m), `exp_avg_sq` (v).
        lr: α.
        betas: β₁ and β₂.
        eps: ε.
        weight_decay: λ.
        implementation: see `AdamW`.
    """
    batches: dict[tuple[Any, ...], list[list[Tensor]]] = {}
    for parameter in parameters:
        check_gradient(_gradient(parameter))
        moments = state[parameter]
        if "step" not in moments:
            moments["step"] = torch.tensor(0)
            moments["exp_avg"] = torch.zeros_like(parameter)
            moments["exp_avg_sq"] = torch.zeros_like(parameter)
        moments["step"] += 1
        # Tensors that share the bias correction, the device and the kernel go together; normally that is one list.
        tensors = [to_local(t) for t in (parameter, _gradient(parameter), moments["exp_avg"], moments["exp_avg_sq"])]
        fused = implementation != "loop" and implementation != "foreach" and _can_fuse(tensors)
        key = (int(moments["step"]), parameter.device, parameter.dtype, fused)
        batches.setdefault(key, []).append(tensors)
    for (t, _, _, fused), rows in batches.items():
        members, gradients, firsts, seconds = map(list, zip(*rows, strict=True))
        update = _loop if implementation == "loop" else _fused if fused else _foreach
        update(members, gradients, firsts, seconds, t, lr, betas, eps, weight_decay)


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _can_fuse(tensors: list[Tensor]) -> bool:
    """Whether PyTorch's fused kernel takes a parameter, its gradient and moments: it walks them as flat memory of one
    type."""
    parameter = tensors[0]
    if parameter.device.type not in ("cpu", "cuda") or not parameter.dtype.is_floating_point:
        return False
    plain = all(type(t) in (Tensor, torch.nn.Parameter) and t.is_contiguous() for t in tensors)
    return plain and all(t.dtype == parameter.dtype for t in tensors)


def _step_size(t: int, lr: float, betas: tuple[float, float]) -> float:
    """Return α_t = α √(1 − β₂ᵗ)/(1 − β₁ᵗ)."""
    return lr * math.sqrt(1.0 - betas[1] ** t) / (1.0 - betas[0] ** t)


def _loop(
    parameters: list[Tensor],
    gradients: list[Tensor],
    firsts: list[Tensor],
    seconds: list[Tensor],
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> None:
    """The equations of the head comment, line by line."""
    for p, g, m, v in zip(parameters, gradients, firsts, seconds, strict=True):
        m.mul_(betas[0]).add_(g, alpha=1.0 - betas[0])
        v.mul_(betas[1]).addcmul_(g, g, value=1.0 - betas[1])
        p.addcdiv_(m, v.sqrt().add_(eps), value=-_step_size(t, lr, betas))
        if weight_decay != 0.0:
            # Not p.mul_(1 − αλ): in float32 that factor keeps only two digits of a product like αλ = 1e-5.
            p.add_(p, alpha=-lr * weight_decay)


def _foreach(
    parameters: list[Tensor],
    gradients: list[Tensor],
    firsts: list[Tensor],
    seconds: list[Tensor],
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> None:
    """The same operations over whole lists: a few kernel launches instead of some per tensor."""
    torch._foreach_mul_(firsts, betas[0])
    torch._foreach_add_(firsts, gradients, alpha=1.0 - betas[0])
    torch._foreach_mul_(seconds, betas[1])
    torch._foreach_addcmul_(seconds, gradients, gradients, value=1.0 - betas[1])
    denominators = torch._foreach_sqrt(seconds)
    torch._foreach_add_(denominators, eps)
    torch._foreach_addcdiv_(parameters, firsts, denominators, value=-_step_size(t, lr, betas))
    if weight_decay != 0.0:
        torch._foreach_add_(parameters, parameters, alpha=-lr * weight_decay)


def _fused(
    parameters: list[Tensor],
    gradients: list[Tensor],
    firsts: list[Tensor],
    seconds: list[Tensor],
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> None:
    """One pass over the memory, with the hyperparameters that turn PyTorch's order of AdamW into this one."""
    shrink = 1.0 - lr * weight_decay
    if shrink <= 0.0:  # αλ ≥ 1 has no equivalent in the other order (and is hardly meant); the plain operations do it
        _foreach(parameters, gradients, firsts, seconds, t, lr, betas, eps, weight_decay)
        return
    # Filled on the device: a copy from the host would wait for it.
    steps = [torch.full((), float(t), device=parameters[0].device)] * len(parameters)
    torch._fused_adamw_(
        parameters,
        gradients,
        firsts,
        seconds,
        [],
        steps,
        lr=lr * shrink,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=weight_decay / shrink,
        eps=eps / math.sqrt(1.0 - betas[1] ** t),
        amsgrad=False,
        maximize=False,
    )
