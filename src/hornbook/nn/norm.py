"""Norms: what keeps the scale of the residual stream, with a learned gain that starts at one and no bias."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hornbook.nn.ops import Ops
from hornbook.nn.plain import DeviceLike, at_least_float32


class RMSNorm(nn.Module):
    """x / √(mean(x²) + ε) · g, computed in float32 whatever the input (Zhang & Sennrich 2019; handout Eq. 4).

    Args:
        d_model: width of the last dimension.
        eps: ε.
        device: where the gain g lives.
        dtype: of the gain; None: torch's default.
        ops: plain or fused (ops.py); None: plain.
    """

    def __init__(
        self,
        d_model: int,
        eps: float = 1e-5,
        device: DeviceLike = None,
        dtype: torch.dtype | None = None,
        *,
        ops: Ops | None = None,
    ):
        super().__init__()
        self.eps, self.ops = eps, ops or Ops()
        self.weight = nn.Parameter(torch.ones(d_model, device=device, dtype=dtype))

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Set the gain to one."""
        nn.init.ones_(self.weight)

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the normalised `x` in the dtype of `x` (fused: in autocast's, where that is on)."""
        return self.ops.rms_norm(x, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Say width and ε."""
        return f"{self.weight.shape[0]}, eps={self.eps}"


class LayerNorm(RMSNorm):
    """(x − mean(x)) / √(var(x) + ε) · g, computed in float32 whatever the input (Ba et al. 2016, arXiv:1607.06450).

    The root mean square of x − mean(x) is the standard deviation of x, so this is `RMSNorm` of the centred input, plain
    and fused. A gain and no bias, as everywhere here. Arguments as `RMSNorm`.
    """

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the normalised `x` in the dtype of `x` (fused: in autocast's, where that is on)."""
        wide = at_least_float32(x)
        y = super().forward(wide - wide.mean(-1, keepdim=True))
        return y.to(x.dtype) if y.dtype == wide.dtype else y  # another dtype is autocast's
