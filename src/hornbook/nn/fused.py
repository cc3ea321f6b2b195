"""The fused implementations of the plain functions: attention, norm, feed-forward, and a loss without all logits.

Each computes the same as the function of its name in plain.py (tests/unit/test_fused.py: forward and gradient over
random shapes). On the CPU they run hornbook's own kernels (cpu_kernels.py), elsewhere and inside a compiled graph
PyTorch's fused operators: this module alone may use `torch.nn.functional`. Under autocast they compute in its dtype, as
the plain functions do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from hornbook.nn import cpu_kernels
from hornbook.nn.plain import at_least_float32, check_targets, rotate_pairs
from hornbook.nn.specs import loss_chunk_elements

if TYPE_CHECKING:
    from hornbook.nn.norm import RMSNorm
    from hornbook.nn.rope import RotaryPositionalEmbedding


def compute_dtype(x: Tensor) -> torch.dtype:
    """Return the dtype that matrix products on `x` run in: autocast's where it is on, else that of `x`."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def rms_norm(x: Float[Tensor, "... C"], gain: Float[Tensor, "C"], eps: float) -> Float[Tensor, "... C"]:
    """Fused `plain.rms_norm`; under autocast the result comes in its dtype, as the product that follows wants it."""
    dtype = compute_dtype(x)
    if cpu_kernels.usable(x, gain) and dtype in (torch.float32, torch.bfloat16):
        return cpu_kernels.rms_norm(x, gain.float(), eps, dtype)
    return F.rms_norm(at_least_float32(x), gain.shape, at_least_float32(gain), eps).to(dtype)


def embedding(ids: Int[Tensor, "..."], table: Float[Tensor, "V C"]) -> Float[Tensor, "... C"]:
    """Fused `plain.embedding`, with a backward pass that adds rows instead of sorting indices."""
    return F.embedding(ids, table)


def projection(x: Float[Tensor, "... C"], *weights: Tensor) -> Float[Tensor, "... F"]:
    """Return the outputs of several linear layers, whose weights are (F, C), side by side by one matrix product."""
    dtype = compute_dtype(x)
    parts = [w.to(dtype) for w in weights]
    if len(parts) > 1 and not torch.is_grad_enabled() and x[..., 0].numel() < x.shape[-1]:
        return torch.cat([x.to(dtype) @ part.T for part in parts], -1)  # the outputs are smaller than the weights
    weight = parts[0] if len(parts) == 1 else torch.cat(parts)
    return x.to(dtype) @ weight.T


def swiglu(x: Float[Tensor, "... C"], w1: Tensor, w2: Tensor, w3: Tensor) -> Float[Tensor, "... C"]:
    """Fused `plain.swiglu`: gate and up in one product, then silu(gate) · up in one pass."""
    both = projection(x, w1, w3)  # (..., 2F)
    if cpu_kernels.usable(both):
        return projection(cpu_kernels.swiglu(both), w2)
    gate, up = both.chunk(2, -1)
    return projection(F.silu(gate) * up, w2)


def attention(
    x: Float[Tensor, "... T C"],
    projections: tuple[Tensor, Tensor, Tensor],
    num_heads: int,
    norms: tuple[RMSNorm, RMSNorm] | None = None,
    rope: RotaryPositionalEmbedding | None = None,
    added: Float[Tensor, "... T H D"] | None = None,
    mask: Bool[Tensor, "... 1 T T"] | None = None,
    keep: Callable[[Tensor, Tensor], object] | None = None,
) -> Float[Tensor, "... T C"]:
    """Fused `plain.attention`: one product for queries, keys and values, then `causal_attention`."""
    qkv = projection(x, *projections).unflatten(-1, (3, num_heads, -1))  # (..., T, 3, H, D)
    if added is not None:
        q, k, v = qkv.unbind(-3)  # (..., T, H, D)
        qkv = torch.stack((q, k, (v + added).to(v.dtype)), -3)
    if keep is not None:
        _, k, v = (part.transpose(-3, -2) for part in qkv.unbind(-3))  # (..., H, T, D)
        k = k if norms is None else norms[1](k)
        keep(k if rope is None else rope(k), v)
    tables = (None, None) if rope is None else (rope.cos.float(), rope.sin.float())
    if norms is None:
        return causal_attention(qkv, *tables, mask=mask)
    return causal_attention(qkv, *tables, norms[0].weight, norms[1].weight, norms[0].eps, mask)


def causal_attention(
    qkv: Float[Tensor, "... T 3 H D"],
    cos: Tensor | None = None,
    sin: Tensor | None = None,
    q_gain: Float[Tensor, "D"] | None = None,
    k_gain: Float[Tensor, "D"] | None = None,
    eps: float = 0.0,
    mask: Bool[Tensor, "... 1 T T"] | None = None,
) -> Float[Tensor, "... T C"]:
    """Return QK norm, rotation, causal mask and attention in one, over queries, keys and values packed together.

    Args:
        qkv: packed by `projection`.
        cos: the rotation's table; None: no rotation.
        sin: likewise.
        q_gain: of the norm of each head's query; None: no norm.
        k_gain: likewise, of its key.
        eps: of both.
        mask: see `plain.document_mask`; our kernels do not know it, so that torch's attention computes with it.

    Returns:
        The heads' outputs side by side (..., T, H·D).
    """
    lead, (T, _, H, D) = qkv.shape[:-4], qkv.shape[-4:]
    packed = qkv.reshape(-1, T, 3, H, D)
    if mask is None and cpu_kernels.usable(packed):
        gains = (None, None) if q_gain is None or k_gain is None else (q_gain.float(), k_gain.float())
        return cpu_kernels.causal_attention(packed, cos, sin, *gains, eps).reshape(*lead, T, H * D)
    q, k, v = (x.transpose(1, 2) for x in packed.unbind(2))  # (B, H, T, D)
    if q_gain is not None and k_gain is not None:
        q, k = rms_norm(q, q_gain, eps), rms_norm(k, k_gain, eps)
    if cos is not None and sin is not None:
        q, k = rotate_pairs(q, cos[:T], sin[:T]), rotate_pairs(k, cos[:T], sin[:T])
    if mask is not None:
        mask = mask.reshape(-1, 1, T, T)
    mixed = F.scaled_dot_product_attention(q, k, v, mask, is_causal=mask is None)
    return mixed.transpose(1, 2).reshape(*lead, T, H * D)


class _HeadLoss(torch.autograd.Function):
    """Logits, cross-entropy and both gradients, chunk by chunk, in the forward pass; the backward pass only scales."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, softcap: float, dtype: torch.dtype
    ) -> Tensor:
        N, V = hidden.shape[0], weight.shape[0]
        x, w = hidden.to(dtype), weight.to(dtype)
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        d_hidden = torch.empty_like(x) if wants_hidden else None
        d_weight = torch.empty_like(weight) if wants_weight else None
        part = torch.empty_like(w) if wants_weight and w.dtype != weight.dtype else None
        total = hidden.new_zeros((), dtype=torch.promote_types(dtype, torch.float32))
        pieces = -(-N * V // loss_chunk_elements(x.device.type))
        chunk = -(-N // pieces)
        # One buffer for all chunks, as for `part`: blocks of this size that come and go leave holes in the heap.
        buffer = x.new_empty(chunk, V)
        for begin in range(0, N, chunk):
            rows = slice(begin, min(begin + chunk, N))
            logits = torch.mm(x[rows], w.T, out=buffer[: min(chunk, N - begin)])
            loss, d_logits = _cross_entropy(logits, targets[rows], 1 / N, softcap, wants_hidden or wants_weight)
            total += loss.sum()
            if d_hidden is not None:
                torch.mm(d_logits, w, out=d_hidden[rows])
            if d_weight is not None and part is not None:
                torch.mm(d_logits.T, x[rows], out=part)
                accumulate = d_weight.add_ if begin else d_weight.copy_
                accumulate(part)
            elif d_weight is not None:
                d_weight.addmm_(d_logits.T, x[rows], beta=1.0 if begin else 0.0)
        ctx.save_for_backward(d_hidden, d_weight)
        ctx.dtypes = hidden.dtype, weight.dtype
        return total / N

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        d_hidden, d_weight = ctx.saved_tensors
        for_hidden = None if d_hidden is None else (d_hidden * d_loss).to(ctx.dtypes[0])
        for_weight = None if d_weight is None else d_weight.mul_(d_loss)
        return for_hidden, for_weight, None, None, None


def _cross_entropy(
    logits: Tensor, targets: Tensor, weight: float, softcap: float, with_gradient: bool
) -> tuple[Tensor, Tensor]:
    """Return the loss of each row and d(Σ loss · weight)/d logits; `logits` may be overwritten."""
    if cpu_kernels.usable(logits):
        return cpu_kernels.cross_entropy_(logits, targets, weight, softcap, with_gradient), logits
    wide = at_least_float32(logits)
    capped = softcap * (wide / softcap).tanh() if softcap else wide
    log_probabilities = F.log_softmax(capped, -1)
    loss = F.nll_loss(log_probabilities, targets, reduction="none")
    if not with_gradient:
        return loss, logits
    gradient = log_probabilities.exp_()
    gradient.scatter_add_(-1, targets.unsqueeze(-1), gradient.new_full((1, 1), -1.0).expand(len(targets), 1))
    if softcap:
        gradient.mul_(1 - (capped / softcap).square())
    return loss, gradient.mul_(weight).to(logits.dtype)


def head_loss(
    hidden: Float[Tensor, "... C"], weight: Float[Tensor, "V C"], targets: Int[Tensor, "..."], softcap: float = 0.0
) -> Float[Tensor, ""]:
    """Return `cross_entropy(logits(hidden), targets)` without ever holding all logits.

    Args:
        hidden: final states (..., C).
        weight: the LM head's matrix.
        targets: the right ids (...), each in 0…V−1.
        softcap: as `ModelConfig.logit_softcap`.

    Raises:
        DataError, ValueError: as `plain.cross_entropy`.
    """
    check_targets(hidden, targets, weight.shape[0])
    dtype = compute_dtype(hidden)
    flat = hidden.reshape(-1, hidden.shape[-1])
    return _HeadLoss.apply(flat, weight, targets.reshape(-1).contiguous(), softcap, dtype)  # pyright: ignore
