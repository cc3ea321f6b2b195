"""Causal multi-head self-attention (Vaswani et al. 2017; handout §3.5.5).

The layer says what its heads are made of; `Ops` computes it, with the full T × T score matrix or fused. Given positions
and earlier keys and values are computed by the plain functions only. Left out: grouped or multi-query heads,
cross-attention, sliding windows.
"""

from __future__ import annotations

from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hornbook.errors import ConfigError
from hornbook.nn.linear import Linear
from hornbook.nn.norm import RMSNorm
from hornbook.nn.ops import Ops
from hornbook.nn.plain import DeviceLike, causal_mask, merge_heads, query_key_value, scaled_dot_product_attention
from hornbook.nn.rope import RotaryPositionalEmbedding


class AttentionCache(Protocol):
    """What an attention layer keeps of earlier calls (models/kv_cache.py)."""

    anew: bool
    """Nothing of these sequences is kept yet: the new tokens attend to each other alone."""

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Keep new keys and values; return all that the queries attend to, and the mask (None: all of it)."""
        ...


class MultiHeadSelfAttention(nn.Module):
    """Causal self-attention with H heads; head h owns the rows h·D…(h+1)·D of each projection.

    Args:
        d_model: C, width of input and output.
        num_heads: H.
        rope: rotates queries and keys where given; may be shared between layers.
        device: where the weights live.
        dtype: of the weights; None: torch's default.
        qk_norm: RMSNorm on each head's queries and keys, before the rotation.
        norm_eps: ε of that norm.
        value_gate: add `extra_values` to the values, scaled by one learned gate per head that starts at zero.
        ops: plain or fused (ops.py); None: plain.

    Raises:
        ConfigError: `d_model` is not divisible by `num_heads`.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        *,
        rope: RotaryPositionalEmbedding | None = None,
        device: DeviceLike = None,
        dtype: torch.dtype | None = None,
        qk_norm: bool = False,
        norm_eps: float = 1e-5,
        value_gate: bool = False,
        ops: Ops | None = None,
    ):
        super().__init__()
        if d_model % num_heads:
            raise ConfigError(f"d_model = {d_model} is not divisible by num_heads = {num_heads}")
        self.num_heads, self.d_head, self.rope = num_heads, d_model // num_heads, rope
        self.ops = ops or Ops()
        self.q_proj = Linear(d_model, d_model, device, dtype)
        self.k_proj = Linear(d_model, d_model, device, dtype)
        self.v_proj = Linear(d_model, d_model, device, dtype)
        self.output_proj = Linear(d_model, d_model, device, dtype)
        self.q_norm = RMSNorm(self.d_head, norm_eps, device, dtype, ops=self.ops) if qk_norm else None
        self.k_norm = RMSNorm(self.d_head, norm_eps, device, dtype, ops=self.ops) if qk_norm else None
        gate = nn.Parameter(torch.zeros(num_heads, device=device, dtype=dtype)) if value_gate else None
        self.value_gate = gate

    def forward(
        self,
        x: Float[Tensor, "... T C"],
        token_positions: Int[Tensor, "... T"] | None = None,
        extra_values: Float[Tensor, "... T C"] | None = None,
        cache: AttentionCache | None = None,
        mask: Bool[Tensor, "... 1 T T"] | None = None,
    ) -> Float[Tensor, "... T C"]:
        """Return the attended `x`.

        Args:
            x: the sequence; position i sees positions 0…i only.
            token_positions: for the rotation, (T) or (..., T); None: 0…T−1.
            extra_values: added to the values through the gate.
            cache: keys and values of earlier tokens, which this call extends.
            mask: see `plain.document_mask`; None: all positions up to each one. Not with a cache.
        """
        projections = (self.q_proj.weight, self.k_proj.weight, self.v_proj.weight)
        norms = None if self.q_norm is None or self.k_norm is None else (self.q_norm, self.k_norm)
        added = None
        if self.value_gate is not None and extra_values is not None:
            added = self.value_gate[:, None] * extra_values.unflatten(
                -1, (self.num_heads, self.d_head)
            )  # (..., T, H, D)
        if (cache is None and token_positions is None) or (cache is not None and cache.anew):
            keep = None if cache is None else cache.extend
            mixed = self.ops.attention(x, projections, self.num_heads, norms, self.rope, added, mask, keep)
            return self.output_proj(mixed)
        q, k, v = query_key_value(x, projections, self.num_heads, norms, self.rope, added, token_positions)
        if cache is None:
            mask = causal_mask(x.shape[-2], x.device) if mask is None else mask
        else:
            k, v, mask = cache.extend(k, v)
        return self.output_proj(merge_heads(scaled_dot_product_attention(q, k, v, mask)))
