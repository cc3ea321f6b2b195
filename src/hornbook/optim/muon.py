"""Muon (Keller Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/): momentum, then orthogonalisation.

The momentum matrix of each hidden weight is replaced by the nearest semi-orthogonal matrix, found by five Newton–Schulz
steps (no SVD), and scaled by √max(1, rows/columns). Everything that is not a hidden matrix — embeddings, output head,
norm gains — is trained by AdamW in the same optimizer, in its own parameter groups (`use_muon: False`).
`parameter_groups` in groups.py makes them. Defaults are those of the reference implementation.

Options beyond the paper, off by default: a momentum warm-up 0.85 → 0.95 (modded-nanogpt), NorMuon's per-neuron second
moment (Li et al. 2025, https://arxiv.org/abs/2510.05491), cautious weight decay (Chen et al. 2025,
https://arxiv.org/abs/2510.12402: decay only where the step already shrinks the weight).
Of a matrix that is spread over processes, each of them orthogonalises the whole and keeps its own rows.
Left out: convolution kernels, and sharing that work out between the processes.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hornbook.errors import ConfigError
from hornbook.optim.adamw import adamw_update
from hornbook.optim.base import Optimizer, check_betas, check_nonnegative, dense_gradient
from hornbook.optim.shards import full_tensor, shard_like, to_local

# Quintic coefficients of the reference: they give up convergence to 1 (singular values end in about [0.7, 1.2]) for the
# greatest slope at 0, so that five steps are enough.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
MOMENTUM_WARMUP_START = 0.85


def orthogonalize(
    matrix: Float[Tensor, "m n"], steps: int = 5, dtype: torch.dtype | None = None
) -> Float[Tensor, "m n"]:
    """Return an approximation of U Vᵀ for `matrix` = U S Vᵀ: its singular values pushed to about 1.

    Args:
        matrix: (m, n), any scale.
        steps: Newton–Schulz iterations.
        dtype: type to compute in; None takes bfloat16 on CUDA, as the reference, and the matrix's own elsewhere.

    Returns:
        (m, n), in the matrix's own type.
    """
    if dtype is None:
        dtype = torch.bfloat16 if matrix.is_cuda else matrix.dtype
    a, b, c = COEFFICIENTS
    x = matrix.to(dtype)
    tall = matrix.size(0) > matrix.size(1)
    if tall:
        x = x.mT
    x = x / (torch.linalg.vector_norm(x) + 1e-7)  # the iteration needs a spectral norm of at most 1
    for _ in range(steps):
        gram = x @ x.mT  # (k, k), k the shorter side
        x = a * x + (b * gram + c * gram @ gram) @ x
    if tall:
        x = x.mT
    return x.to(matrix.dtype)


class Muon(Optimizer):
    """Muon for hidden matrices, AdamW for the rest.

    Args:
        params: parameter groups, each with `use_muon` (see `hornbook.optim.groups.parameter_groups`); bare parameters
            go to Muon if they have two dimensions, else to AdamW.
        lr: Muon's step in units of the spectral norm.
        momentum: β of the Nesterov momentum.
        weight_decay: λ, decoupled, before the step as in the reference.
        ns_steps: Newton–Schulz iterations.
        momentum_warmup_steps: over how many updates β rises linearly from 0.85; 0 for none.
        normuon: divide each row of the step by its running root mean square (β₂ = 0.95), the step's norm kept.
        cautious: decay only the weights that the step shrinks.
        ns_dtype: type of the Newton–Schulz iteration, see `orthogonalize`.
        adamw_lr, adamw_betas, adamw_eps, adamw_weight_decay: AdamW's settings for groups with `use_muon: False`.

    Raises:
        ConfigError: a hyperparameter out of its range, or a Muon group with a parameter that is not a matrix.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        *,
        ns_steps: int = 5,
        momentum_warmup_steps: int = 0,
        normuon: bool = False,
        cautious: bool = False,
        ns_dtype: torch.dtype | None = None,
        adamw_lr: float = 3e-4,
        adamw_betas: tuple[float, float] = (0.9, 0.95),
        adamw_eps: float = 1e-10,
        adamw_weight_decay: float = 0.0,
    ):
        check_nonnegative(lr=lr, weight_decay=weight_decay)
        check_nonnegative(adamw_lr=adamw_lr, adamw_eps=adamw_eps, adamw_weight_decay=adamw_weight_decay)
        check_betas("adamw_betas", adamw_betas)
        check_betas("momentum", (momentum, 0.0))
        if ns_steps < 1:
            raise ConfigError(f"ns_steps = {ns_steps} cannot be used; the reference takes 5")
        self.ns_steps = ns_steps
        self.momentum_warmup_steps = momentum_warmup_steps
        self.normuon = normuon
        self.cautious = cautious
        self.ns_dtype = ns_dtype
        muon = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "use_muon": True}
        adamw = {"lr": adamw_lr, "betas": tuple(adamw_betas), "eps": adamw_eps, "weight_decay": adamw_weight_decay}
        super().__init__([_fill(group, muon, adamw) for group in _as_groups(params)], {})

    def update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Move the parameters by the rule of their group."""
        if not group["use_muon"]:
            adamw_update(parameters, self.state, group)
            return
        for parameter in parameters:
            self._update_matrix(parameter, group)

    def _update_matrix(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient = dense_gradient(parameter)
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0)
            state["momentum_buffer"] = torch.zeros_like(parameter)
            if self.normuon:
                state["row_mean_square"] = torch.zeros_like(parameter[:, :1])
        state["step"] += 1
        beta = self._momentum(group["momentum"], int(state["step"]))
        average = state["momentum_buffer"].lerp_(gradient, 1.0 - beta)
        ahead = full_tensor(gradient.lerp(average, beta))  # Nesterov's look-ahead
        update = orthogonalize(ahead, self.ns_steps, self.ns_dtype)
        if self.normuon:
            mean_square = state["row_mean_square"]
            rows = full_tensor(mean_square)
            update = _equalize_rows(update, rows)
            to_local(mean_square).copy_(to_local(shard_like(rows, mean_square)))
        update = to_local(shard_like(update, parameter)) * max(1.0, parameter.size(0) / parameter.size(1)) ** 0.5
        weight = to_local(parameter)
        if group["weight_decay"] != 0.0:
            decayed = weight * (update * weight > 0) if self.cautious else weight
            weight.add_(decayed, alpha=-group["lr"] * group["weight_decay"])
        weight.add_(update, alpha=-group["lr"])

    def _momentum(self, target: float, t: int) -> float:
        """Return β for update t = 1, 2, …, rising linearly to `target` over the warm-up."""
        if self.momentum_warmup_steps == 0:
            return target
        share = min(t / self.momentum_warmup_steps, 1.0)
        start = min(MOMENTUM_WARMUP_START, target)
        return start + share * (target - start)


def _equalize_rows(update: Float[Tensor, "m n"], mean_square: Float[Tensor, "m 1"]) -> Float[Tensor, "m n"]:
    """Divide each row by its running root mean square and restore the norm of the whole; updates `mean_square`."""
    before = torch.linalg.vector_norm(update)
    mean_square.lerp_(update.square().mean(dim=1, keepdim=True), 0.05)
    scaled = update / mean_square.sqrt().clamp_min(1e-8)
    return scaled * (before / torch.linalg.vector_norm(scaled).clamp_min(1e-8))


def _as_groups(params: ParamsT) -> list[dict[str, Any]]:
    items: list[Any] = list(params)
    if items and isinstance(items[0], dict):
        return [dict(group) for group in items]
    tensors = [item[1] if isinstance(item, tuple) else item for item in items]
    matrices = [tensor for tensor in tensors if isinstance(tensor, Tensor) and tensor.ndim == 2]
    others = [tensor for tensor in tensors if isinstance(tensor, Tensor) and tensor.ndim != 2]
    groups = [{"params": matrices, "use_muon": True}, {"params": others, "use_muon": False}]
    return [group for group in groups if group["params"]]


def _fill(group: dict[str, Any], muon: dict[str, Any], adamw: dict[str, Any]) -> dict[str, Any]:
    """Return the group with the defaults of its kind; a group that does not say its kind goes by its shapes."""
    parameters = group["params"]
    group["params"] = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    group.setdefault("use_muon", all(parameter.ndim == 2 for parameter in group["params"]))
    if group["use_muon"]:
        for parameter in group["params"]:
            if parameter.ndim != 2:
                raise ConfigError(
                    f"Muon trains matrices, but a parameter of shape {tuple(parameter.shape)} is in one of its groups; "
                    "put it into a group with use_muon = False"
                )
    return {**(muon if group["use_muon"] else adamw), **group}
