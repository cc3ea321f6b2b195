"""The functions that exist twice, plain (plain.py) and fused (fused.py), behind one switch for a whole model.

A layer is given an `Ops` and calls it; all layers of a model share one, so that setting `fused` there changes them
together (models/transformer.py, `use_fused`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jaxtyping import Bool, Float, Int
from torch import Tensor

from hornbook.nn import fused, plain

if TYPE_CHECKING:
    from hornbook.nn.norm import RMSNorm
    from hornbook.nn.rope import RotaryPositionalEmbedding


class Ops:
    """Plain or fused functions; both compute the same (tests/unit/test_fused.py: forward and gradient).

    Args:
        fused: which of them.
    """

    def __init__(self, fused: bool = False):
        self.fused = fused

    def embedding(self, ids: Int[Tensor, "..."], table: Float[Tensor, "V C"]) -> Float[Tensor, "... C"]:
        """See `plain.embedding`."""
        return fused.embedding(ids, table) if self.fused else plain.embedding(ids, table)

    def rms_norm(self, x: Float[Tensor, "... C"], gain: Float[Tensor, "C"], eps: float) -> Float[Tensor, "... C"]:
        """See `plain.rms_norm`."""
        return fused.rms_norm(x, gain, eps) if self.fused else plain.rms_norm(x, gain, eps)

    def swiglu(self, x: Float[Tensor, "... C"], w1: Tensor, w2: Tensor, w3: Tensor) -> Float[Tensor, "... C"]:
        """See `plain.swiglu`."""
        return fused.swiglu(x, w1, w2, w3) if self.fused else plain.swiglu(x, w1, w2, w3)

    def attention(
        self,
        x: Float[Tensor, "... T C"],
        projections: tuple[Tensor, Tensor, Tensor],
        num_heads: int,
        norms: tuple[RMSNorm, RMSNorm] | None,
        rope: RotaryPositionalEmbedding | None,
        added: Float[Tensor, "... T H D"] | None,
        mask: Bool[Tensor, "... 1 T T"] | None = None,
        keep: Callable[[Tensor, Tensor], object] | None = None,
    ) -> Float[Tensor, "... T C"]:
        """See `plain.attention`."""
        function = fused.attention if self.fused else plain.attention
        return function(x, projections, num_heads, norms, rope, added, mask, keep)
