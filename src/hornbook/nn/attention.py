"""Scaled dot-product attention and causal multi-head self-attention (Vaswani et al. 2017; handout §3.5.4–3.5.5).

The plain path holds the full T × T score matrix; its fast twin is in `fused.py`. Left out: grouped or multi-query
heads, cross-attention, sliding windows.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hornbook.errors import ConfigError
from hornbook.nn import fused
from hornbook.nn.layers import Device, Linear, RMSNorm
from hornbook.nn.plain import softmax
from hornbook.nn.rope import RotaryPositionalEmbedding

__all__ = ["AttentionCache", "MultiHeadSelfAttention", "causal_mask", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    q: Float[Tensor, "... Tq D"],
    k: Float[Tensor, "... Tk D"],
    v: Float[Tensor, "... Tk Dv"],
    mask: Bool[Tensor, "... Tq Tk"] | None = None,
) -> Float[Tensor, "... Tq Dv"]:
    """Return softmax(q kᵀ / √D) v.

    Args:
        q: queries.
        k: keys.
        v: values.
        mask: True where a query may look at a key; broadcasts to (..., Tq, Tk). None: everywhere.

    Returns:
        One mixture of values per query; zeros for a query that may look nowhere.
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., Tq, Tk)
    if mask is None:
        return softmax(scores, -1) @ v
    # A row with no True is let see everything and zeroed afterwards: no NaN arises, forward or backward.
    blind = ~mask.any(-1, keepdim=True)
    weights = softmax(scores.masked_fill(~(mask | blind), -math.inf), -1)
    return weights.masked_fill(blind, 0.0) @ v


def causal_mask(length: int, device: Device = None) -> Bool[Tensor, "T T"]:
    """Return the lower triangle: position i may look at positions 0…i."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


class AttentionCache(Protocol):
    """What an attention layer keeps of earlier calls (models/kv_cache.py)."""

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Keep new keys and values; return all that the queries may look at, and the mask (None: all of it)."""
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

    Raises:
        ConfigError: `d_model` is not divisible by `num_heads`.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        *,
        rope: RotaryPositionalEmbedding | None = None,
        device: Device = None,
        dtype: torch.dtype | None = None,
        qk_norm: bool = False,
        norm_eps: float = 1e-5,
        value_gate: bool = False,
    ):
        super().__init__()
        if d_model % num_heads:
            raise ConfigError(f"d_model = {d_model} is not divisible by num_heads = {num_heads}")
        self.num_heads, self.d_head, self.rope = num_heads, d_model // num_heads, rope
        self.fused = False
        self.q_proj = Linear(d_model, d_model, device, dtype)
        self.k_proj = Linear(d_model, d_model, device, dtype)
        self.v_proj = Linear(d_model, d_model, device, dtype)
        self.output_proj = Linear(d_model, d_model, device, dtype)
        self.q_norm = RMSNorm(self.d_head, norm_eps, device, dtype) if qk_norm else None
        self.k_norm = RMSNorm(self.d_head, norm_eps, device, dtype) if qk_norm else None
        gate = nn.Parameter(torch.zeros(num_heads, device=device, dtype=dtype)) if value_gate else None
        self.value_gate = gate

    def forward(
        self,
        x: Float[Tensor, "... T C"],
        token_positions: Int[Tensor, "... T"] | None = None,
        extra_values: Float[Tensor, "... T C"] | None = None,
        cache: AttentionCache | None = None,
    ) -> Float[Tensor, "... T C"]:
        """Return the attended `x`.

        Args:
            x: the sequence; position i sees positions 0…i only.
            token_positions: for the rotation, (T) or (..., T); None: 0…T−1.
            extra_values: added to the values through the gate.
            cache: keys and values of earlier tokens, which this call extends.
        """
        if self.fused and token_positions is None and cache is None:
            return self._fused_forward(x, extra_values)
        q, k, v = self.heads(x, token_positions, extra_values)
        if cache is None:
            mask = causal_mask(x.shape[-2], x.device)
        else:
            k, v, mask = cache.extend(k, v)
        mixed = scaled_dot_product_attention(q, k, v, mask)
        return self.output_proj(mixed.transpose(-3, -2).flatten(-2))  # (..., H, T, D) → (..., T, C)

    def _fused_forward(self, x: Tensor, extra_values: Tensor | None) -> Tensor:
        qkv = fused.projection(x, self.q_proj.weight, self.k_proj.weight, self.v_proj.weight)
        qkv = qkv.unflatten(-1, (3, self.num_heads, self.d_head))  # (..., T, 3, H, D)
        if self.value_gate is not None and extra_values is not None:
            q, k, v = qkv.unbind(-3)  # (..., T, H, D)
            extra = self.value_gate[:, None] * extra_values.unflatten(-1, (self.num_heads, self.d_head))
            qkv = torch.stack((q, k, (v + extra).to(v.dtype)), -3)
        tables = (self.rope.cos, self.rope.sin) if self.rope is not None else (None, None)
        norms: tuple[Any, ...] = ()
        if self.q_norm is not None and self.k_norm is not None:
            norms = (self.q_norm.weight, self.k_norm.weight, self.q_norm.eps)
        return fused.projection(fused.causal_attention(qkv, *tables, *norms), self.output_proj.weight)

    def heads(
        self, x: Tensor, token_positions: Tensor | None = None, extra_values: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (..., H, T, D), normed, rotated and gated as the layer is set up."""
        q, k, v = (self._split(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        if self.value_gate is not None and extra_values is not None:
            v = v + self.value_gate[:, None, None] * self._split(extra_values)
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        if self.rope is not None:
            if token_positions is not None and token_positions.ndim > 1:
                token_positions = token_positions.unsqueeze(-2)  # (..., 1, T): one for all heads
            q, k = self.rope(q, token_positions), self.rope(k, token_positions)
        return q, k, v

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, self.d_head)).transpose(-3, -2)  # (..., T, C) → (..., H, T, D)
