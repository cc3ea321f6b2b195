"""Gradient clipping by the global norm (Pascanu et al., https://arxiv.org/abs/1211.5063; CS336 handout §4.5).

With all gradients read as one vector g: if ‖g‖₂ > M, every gradient is scaled by M/(‖g‖₂ + ε), ε = 1e-6; else nothing
changes. The comparison happens on the device, so that a training step on an accelerator never waits for the host.
Of gradients that are spread over processes the norm is that of the whole. Left out: clipping per tensor and per value.
"""

# pyright: reportPrivateImportUsage=false
# (The list-wise kernels of torch have only underscored names.)
from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from hornbook.errors import ConfigError
from hornbook.optim.shards import to_local, total_norm

EPSILON = 1e-6


@torch.no_grad()
def gradient_norm(gradients: list[Tensor]) -> Tensor:
    """Return the l2 norm of all `gradients` read as one vector, 0-dim float32 (float64 where a gradient is).

    Squares are summed in that type whatever the gradients' own, so that half-precision gradients do not overflow.
    """
    if not gradients:
        return torch.zeros(())
    wide = torch.float64 if any(g.dtype == torch.float64 for g in gradients) else torch.float32
    home = gradients[0].device
    norms: list[Tensor] = []
    groups: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for gradient in gradients:
        groups.setdefault((gradient.device, gradient.dtype), []).append(gradient)
    for members in groups.values():
        norms += [norm.to(home) for norm in torch._foreach_norm(members, 2.0, dtype=wide)]
    return torch.linalg.vector_norm(torch.stack(norms))


@torch.no_grad()
def clip_gradients(parameters: Iterable[Tensor], max_l2_norm: float) -> Tensor:
    """Scale the gradients of `parameters` in place so that their global l2 norm is at most `max_l2_norm`.

    Args:
        parameters: tensors; those without a gradient are passed over.
        max_l2_norm: M ≥ 0; infinity only measures.

    Returns:
        The norm before clipping, a 0-dim float32 tensor on the gradients' device (0 if there are none). A NaN or
        infinity in a gradient shows as a norm that is not finite.

    Raises:
        ConfigError: `max_l2_norm` is negative or NaN.
    """
    if math.isnan(max_l2_norm) or max_l2_norm < 0:
        raise ConfigError(
            f"max_l2_norm = {max_l2_norm!r} cannot be used; give a number of 0 or more, or inf to measure"
        )
    shards = [parameter.grad for parameter in parameters if parameter.grad is not None]
    gradients = [to_local(gradient) for gradient in shards]
    norm = total_norm(gradient_norm(gradients), shards)
    fits = norm.device.type == "cpu" and norm <= max_l2_norm  # on a CPU to look costs nothing, to scale by 1 a pass
    if gradients and math.isfinite(max_l2_norm) and not fits:
        scale = torch.where(norm > max_l2_norm, max_l2_norm / (norm + EPSILON), 1.0)
        groups: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
        for gradient in gradients:
            groups.setdefault((gradient.device, gradient.dtype), []).append(gradient)
        for (device, dtype), members in groups.items():
            torch._foreach_mul_(members, scale.to(device=device, dtype=dtype))
    return norm.float()
