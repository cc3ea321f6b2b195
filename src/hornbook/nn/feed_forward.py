"""The feed-forward networks: gated (SwiGLU) and un-gated (SiLU, squared ReLU), without biases (handout §3.5.2, §7.3).

The un-gated ones have no fused implementation of their own: two products and one function of each element.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hornbook.nn.linear import Linear
from hornbook.nn.ops import Ops
from hornbook.nn.plain import DeviceLike, relu2, silu
from hornbook.nn.specs import FEED_FORWARDS


class FeedForward(nn.Module):
    """What the kinds of network share: their matrices.

    Args:
        d_model: width of input and output.
        d_ff: inner width; None: the kind's default (nn/specs.py), so that all have about as many parameters.
        device: where the weights live.
        dtype: of the weights; None: torch's default.
        ops: plain or fused (ops.py); None: plain.
    """

    kind: ClassVar[str]
    """Its name in FEED_FORWARDS."""

    def __init__(
        self,
        d_model: int,
        d_ff: int | None = None,
        device: DeviceLike = None,
        dtype: torch.dtype | None = None,
        *,
        ops: Ops | None = None,
    ):
        super().__init__()
        spec = FEED_FORWARDS[self.kind]
        d_ff = spec.default_d_ff(d_model) if d_ff is None else d_ff
        self.ops = ops or Ops()
        self.w1 = Linear(d_model, d_ff, device, dtype)
        self.w2 = Linear(d_ff, d_model, device, dtype)
        if "w3" in spec.matrices:
            self.w3 = Linear(d_model, d_ff, device, dtype)


class SwiGLU(FeedForward):
    """w2(silu(w1 x) ⊙ w3 x), the gated feed-forward network (Shazeer 2020; handout Eq. 7), d_ff about 8/3 · d_model."""

    kind = "swiglu"

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the network's output for any leading dimensions."""
        return self.ops.swiglu(x, self.w1.weight, self.w2.weight, self.w3.weight)


class SiLUFeedForward(FeedForward):
    """w2 silu(w1 x), the un-gated network of the handout's ablation, d_ff 4 · d_model."""

    kind = "silu"

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the network's output for any leading dimensions."""
        return self.w2(silu(self.w1(x)))


class ReLU2FeedForward(FeedForward):
    """w2 relu(w1 x)² (So et al. 2021), d_ff as `SiLUFeedForward`."""

    kind = "relu2"

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the network's output for any leading dimensions."""
        return self.w2(relu2(self.w1(x)))
