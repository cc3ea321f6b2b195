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
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hornbook.optim.base import Optimizer, check_betas, check_implementation, check_nonnegative, dense_gradient
from hornbook.optim.shards import to_local


class AdamW(Optimizer):
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
        check_nonnegative(lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas("betas", betas)
        check_implementation(implementation, ("auto", "loop", "foreach", "fused"))
        self.implementation = implementation
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay})

    def update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Make one step of decoupled weight decay and Adam, in place, moments included."""
        adamw_update(parameters, self.state, group, self.implementation)


class _Lists(NamedTuple):
    """Parameters with their gradients and moments, in the same order."""

    p: list[Tensor]
    g: list[Tensor]
    m: list[Tensor]
    v: list[Tensor]


class _Hyperparameters(NamedTuple):
    """Those of one update."""

    lr: float
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    t: int

    @property
    def step_size(self) -> float:
        """α_t = α √(1 − β₂ᵗ)/(1 − β₁ᵗ)."""
        return self.lr * math.sqrt(1.0 - self.beta2**self.t) / (1.0 - self.beta1**self.t)


def adamw_update(parameters: list[Tensor], state: Any, group: Mapping[str, Any], implementation: str = "auto") -> None:
    """Apply one AdamW update in place to parameters that have gradients, creating their state where it is missing.

    Args:
        parameters: tensors with `.grad`.
        state: the optimizer's state; per parameter `step` (0-dim int64 on the CPU), `exp_avg` (m), `exp_avg_sq` (v).
        group: `lr` (α), `betas`, `eps` and `weight_decay` (λ).
        implementation: see `AdamW`.
    """
    batches: dict[tuple[Any, ...], list[list[Tensor]]] = {}
    for parameter in parameters:
        gradient, moments = dense_gradient(parameter), state[parameter]
        if "step" not in moments:
            moments["step"] = torch.tensor(0)
            moments["exp_avg"] = torch.zeros_like(parameter)
            moments["exp_avg_sq"] = torch.zeros_like(parameter)
        moments["step"] += 1
        # Tensors that share the bias correction, the device and the kernel go together; normally that is one list.
        tensors = [to_local(t) for t in (parameter, gradient, moments["exp_avg"], moments["exp_avg_sq"])]
        fused = implementation != "loop" and implementation != "foreach" and _can_fuse(tensors)
        key = (int(moments["step"]), parameter.device, parameter.dtype, fused)
        batches.setdefault(key, []).append(tensors)
    beta1, beta2 = group["betas"]
    for (t, _, _, fused), rows in batches.items():
        lists = _Lists(*map(list, zip(*rows, strict=True)))
        update = _loop if implementation == "loop" else _fused if fused else _foreach
        update(lists, _Hyperparameters(group["lr"], beta1, beta2, group["eps"], group["weight_decay"], t))


def _can_fuse(tensors: list[Tensor]) -> bool:
    """Whether PyTorch's fused kernel takes a parameter, its gradient and moments: it walks them as flat memory of one
    type."""
    parameter = tensors[0]
    if parameter.device.type not in ("cpu", "cuda") or not parameter.dtype.is_floating_point:
        return False
    plain = all(type(t) in (Tensor, torch.nn.Parameter) and t.is_contiguous() for t in tensors)
    return plain and all(t.dtype == parameter.dtype for t in tensors)


def _loop(tensors: _Lists, h: _Hyperparameters) -> None:
    """The equations of the head comment, line by line."""
    for p, g, m, v in zip(*tensors, strict=True):
        m.mul_(h.beta1).add_(g, alpha=1.0 - h.beta1)
        v.mul_(h.beta2).addcmul_(g, g, value=1.0 - h.beta2)
        p.addcdiv_(m, v.sqrt().add_(h.eps), value=-h.step_size)
        if h.weight_decay != 0.0:
            # Not p.mul_(1 − αλ): in float32 that factor keeps only two digits of a product like αλ = 1e-5.
            p.add_(p, alpha=-h.lr * h.weight_decay)


def _foreach(tensors: _Lists, h: _Hyperparameters) -> None:
    """The same operations over whole lists: a few kernel launches instead of some per tensor."""
    p, g, m, v = tensors
    torch._foreach_mul_(m, h.beta1)
    torch._foreach_add_(m, g, alpha=1.0 - h.beta1)
    torch._foreach_mul_(v, h.beta2)
    torch._foreach_addcmul_(v, g, g, value=1.0 - h.beta2)
    denominators = torch._foreach_sqrt(v)
    torch._foreach_add_(denominators, h.eps)
    torch._foreach_addcdiv_(p, m, denominators, value=-h.step_size)
    if h.weight_decay != 0.0:
        torch._foreach_add_(p, p, alpha=-h.lr * h.weight_decay)


def _fused(tensors: _Lists, h: _Hyperparameters) -> None:
    """One pass over the memory, with the hyperparameters that turn PyTorch's order of AdamW into this one."""
    shrink = 1.0 - h.lr * h.weight_decay
    if shrink <= 0.0:  # αλ ≥ 1 has no equivalent in the other order (and is hardly meant); the plain operations do it
        _foreach(tensors, h)
        return
    # Filled on the device: a copy from the host would wait for it.
    steps = [torch.full((), float(h.t), device=tensors.p[0].device)] * len(tensors.p)
    torch._fused_adamw_(
        *tensors,
        [],
        steps,
        lr=h.lr * shrink,
        beta1=h.beta1,
        beta2=h.beta2,
        weight_decay=h.weight_decay / shrink,
        eps=h.eps / math.sqrt(1.0 - h.beta2**h.t),
        amsgrad=False,
        maximize=False,
    )
