"""The plain functions of the model, written out and numerically stable: what the fused implementations must equal.

Softmax, SiLU, cross-entropy (handout §3.5 and §4.1), attention (Vaswani et al. 2017; handout §3.5.4–3.5.5), and the
plain half of `Ops` (ops.py). Half-precision inputs are computed in float32, float64 stays float64, so that each agrees
with PyTorch's own to rounding. Left out: label smoothing, class weights, dropout on attention weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hornbook.errors import DataError

DeviceLike = torch.device | str | None


def at_least_float32(x: Tensor) -> Tensor:
    """Return `x` in float32, or unchanged where it is float32 or float64 already."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def initialise_vector_math() -> None:
    """Have MKL's vector functions set up by one thread, before several of them make the process's first call.

    Where two threads make it at once, one may get a variant of lower accuracy for that call: of 30 processes with torch
    2.13.0 on two cores of a Xeon, 3 had a rotary table that was off by 7e-9 in half of its rows, so that the same seed
    did not give the same bits. One element is computed by the calling thread alone.
    """
    torch.zeros(1, dtype=torch.float64, device="cpu").cos()


def softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Return exp(x) / Σ exp(x) along `dim`, computed from x − max(x) so that no exponential overflows.

    Args:
        x: scores of any shape; −inf is a score of zero probability.
        dim: the dimension that sums to one.

    Returns:
        A tensor of the shape and dtype of `x`. A slice that is −inf throughout gives NaN, as no distribution exists.
    """
    wide = at_least_float32(x)
    exponentials = (wide - wide.amax(dim, keepdim=True).detach()).exp()
    return (exponentials / exponentials.sum(dim, keepdim=True)).to(x.dtype)


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return x · sigmoid(x), element by element (Elfwing et al. 2017; "swish")."""
    # Beyond ±800 the sigmoid is 0 or 1 exactly; without the bound its derivative would be ∞ · 0 for large gradients.
    return x * torch.sigmoid(x.clamp(-800, 800))


def relu2(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return max(x, 0)², element by element (So et al. 2021)."""
    positive = x.clamp(min=0)
    return positive * positive


def embedding(ids: Int[Tensor, "..."], table: Float[Tensor, "V C"]) -> Float[Tensor, "... C"]:
    """Return the rows of `table` that `ids` name."""
    return table[ids]


def rms_norm(x: Float[Tensor, "... C"], gain: Float[Tensor, "C"], eps: float) -> Float[Tensor, "... C"]:
    """Return x / √(mean(x²) + ε) · gain, computed in float32, in the dtype of `x` (Zhang & Sennrich 2019)."""
    wide = at_least_float32(x)
    scale = (wide.square().mean(-1, keepdim=True) + eps).rsqrt()
    return (wide * scale * at_least_float32(gain)).to(x.dtype)


def swiglu(x: Float[Tensor, "... C"], w1: Tensor, w2: Tensor, w3: Tensor) -> Float[Tensor, "... C"]:
    """Return w2(silu(w1 x) ⊙ w3 x) (Shazeer 2020)."""
    return (silu(x @ w1.T) * (x @ w3.T)) @ w2.T


def rotate_pairs(
    x: Float[Tensor, "... T D"], cos: Float[Tensor, "... T D/2"], sin: Float[Tensor, "... T D/2"]
) -> Float[Tensor, "... T D"]:
    """Turn each pair (x₂ₖ, x₂ₖ₊₁) by the angle whose cosine and sine are given; in float32, returned in x's dtype."""
    wide = at_least_float32(x)
    even, odd = wide.unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)  # (..., T, D/2, 2)
    return turned.flatten(-2).to(x.dtype)  # (..., T, D)


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
        mask: True where a query attends to a key; broadcasts to (..., Tq, Tk). None: everywhere.

    Returns:
        One mixture of values per query; zeros for a query that attends to none.
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., Tq, Tk)
    if mask is None:
        return softmax(scores, -1) @ v
    # A row with no True is let see everything and zeroed afterwards: no NaN arises, forward or backward.
    blind = ~mask.any(-1, keepdim=True)
    weights = softmax(scores.masked_fill(~(mask | blind), -math.inf), -1)
    return weights.masked_fill(blind, 0.0) @ v


def causal_mask(length: int, device: DeviceLike = None) -> Bool[Tensor, "T T"]:
    """Return the lower triangle: position i attends to positions 0…i."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def document_mask(ids: Int[Tensor, "... T"], separator: int) -> Bool[Tensor, "... 1 T T"]:
    """Return which positions each one attends to, for all heads: those up to itself from the start of its document.

    A separator begins its document; what stands before the first one is a document too.
    """
    places = torch.arange(ids.shape[-1], device=ids.device)
    starts = torch.where(ids == separator, places, 0).cummax(-1).values  # (..., T)
    mask = causal_mask(ids.shape[-1], ids.device) & (places >= starts[..., None])  # (..., T, T)
    return mask.unsqueeze(-3)


def attention(
    x: Float[Tensor, "... T C"],
    projections: tuple[Tensor, Tensor, Tensor],
    num_heads: int,
    norms: Any = None,
    rope: Any = None,
    added: Float[Tensor, "... T H D"] | None = None,
    mask: Bool[Tensor, "... 1 T T"] | None = None,
    keep: Callable[[Tensor, Tensor], object] | None = None,
) -> Float[Tensor, "... T C"]:
    """Return the outputs of the heads of causal self-attention, side by side; `mask` as `document_mask` makes it, the
    other arguments as `query_key_value`. `keep` is given the keys and values, each (..., H, T, D)."""
    q, k, v = query_key_value(x, projections, num_heads, norms, rope, added)
    if keep is not None:
        keep(k, v)
    mask = causal_mask(x.shape[-2], x.device) if mask is None else mask
    return merge_heads(scaled_dot_product_attention(q, k, v, mask))


def query_key_value(
    x: Float[Tensor, "... T C"],
    projections: tuple[Tensor, Tensor, Tensor],
    num_heads: int,
    norms: tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]] | None = None,
    rope: Callable[[Tensor, Tensor | None], Tensor] | None = None,
    added: Float[Tensor, "... T H D"] | None = None,
    token_positions: Int[Tensor, "... T"] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries, keys and values, each (..., H, T, D).

    Args:
        x: the sequence.
        projections: the matrices of queries, keys and values, each (C, C).
        num_heads: H.
        norms: of each head's queries and keys, before the rotation.
        rope: the rotation of queries and keys.
        added: to the values of each head.
        token_positions: for the rotation; None: 0…T−1.
    """
    q, k, v = ((x @ w.T).unflatten(-1, (num_heads, -1)).transpose(-3, -2) for w in projections)  # (..., H, T, D)
    if added is not None:
        v = v + added.transpose(-3, -2)
    if norms is not None:
        q, k = norms[0](q), norms[1](k)
    if rope is not None:
        if token_positions is not None and token_positions.ndim > 1:
            token_positions = token_positions.unsqueeze(-2)  # (..., 1, T): one for all heads
        q, k = rope(q, token_positions), rope(k, token_positions)
    return q, k, v


def merge_heads(x: Float[Tensor, "... H T D"]) -> Float[Tensor, "... T C"]:
    """Put the heads' outputs side by side."""
    return x.transpose(-3, -2).flatten(-2)


def cross_entropy(logits: Float[Tensor, "... V"], targets: Int[Tensor, "..."]) -> Float[Tensor, ""]:
    """Return the mean of −log softmax(logits)[target] over all leading dimensions, in nats.

    log Σ exp is taken of logits − max, and the logarithm cancels the exponential of the target, so logits of any size
    are safe (handout Eq. 16–17).

    Args:
        logits: unnormalised scores (..., V).
        targets: the right ids (...), each in 0…V−1.

    Returns:
        A scalar, in float32 or better.

    Raises:
        DataError: no targets at all, or (on the CPU, where looking costs nothing) a target outside 0…V−1.
        ValueError: shapes that do not belong together.
    """
    check_targets(logits, targets, logits.shape[-1])
    wide = at_least_float32(logits)
    shifted = wide - wide.amax(-1, keepdim=True).detach()
    log_normaliser = shifted.exp().sum(-1).log()
    return (log_normaliser - shifted.gather(-1, targets.unsqueeze(-1)).squeeze(-1)).mean()


def check_targets(scored: Float[Tensor, "... X"], targets: Int[Tensor, "..."], vocab_size: int) -> None:
    """Check that there is one target, of type int64, for each row of logits or hidden states.

    Raises:
        DataError: no targets at all, or (see `check_ids`) a target outside 0…vocab_size−1.
        ValueError: shapes or types that do not belong together.
    """
    if scored.shape[:-1] != targets.shape or targets.dtype != torch.int64:
        raise ValueError(
            f"logits or hidden states {tuple(scored.shape)} need targets int64 {tuple(scored.shape[:-1])}, not "
            f"{str(targets.dtype).removeprefix('torch.')} {tuple(targets.shape)}"
        )
    if targets.numel() == 0:
        raise DataError("cross_entropy of no targets has no mean; give at least one")
    check_ids(targets, vocab_size, "a target")


def check_ids(ids: Int[Tensor, "..."], vocab_size: int, what: str = "a token id") -> None:
    """Raise DataError where an id lies outside 0…vocab_size−1.

    Only where it costs next to nothing: eager code on the CPU. A compiled graph would lose its wholeness and an
    accelerator would have to wait for the answer; there the data set's own check stands (`hornbook train` looks
    at the ids it opens).
    """
    if ids.device.type != "cpu" or torch.compiler.is_compiling() or ids.numel() == 0:
        return
    low, high = (int(x) for x in ids.aminmax())
    if low < 0 or high >= vocab_size:
        raise DataError(
            f"{what} is {low if low < 0 else high}, but the model's vocabulary has the ids 0 to {vocab_size - 1}; "
            "encode the text with the tokenizer that the model was trained with"
        )
