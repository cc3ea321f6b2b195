"""The plain functions of the model: softmax, SiLU, cross-entropy, written out and numerically stable.

Handout §3.5 and §4.1. Half-precision inputs are computed in float32, float64 stays float64, so that each of them agrees
with PyTorch's own to rounding. Their fast twins are in `fused.py`. Left out: label smoothing, class weights.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.errors import DataError

__all__ = ["at_least_float32", "check_ids", "cross_entropy", "relu2", "silu", "softmax"]


def at_least_float32(x: Tensor) -> Tensor:
    """Return `x` in float32, or unchanged where it is float32 or float64 already."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


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
    return x * torch.sigmoid(x)


def relu2(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return max(x, 0)², element by element (So et al. 2021)."""
    positive = x.clamp(min=0)
    return positive * positive


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
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} need targets {tuple(logits.shape[:-1])}, not {tuple(targets.shape)}"
        )
    if targets.numel() == 0:
        raise DataError("cross_entropy of no targets has no mean; give at least one")
    check_ids(targets, logits.shape[-1], "a target")
    wide = at_least_float32(logits)
    shifted = wide - wide.amax(-1, keepdim=True).detach()
    log_normaliser = shifted.exp().sum(-1).log()
    return (log_normaliser - shifted.gather(-1, targets.unsqueeze(-1)).squeeze(-1)).mean()


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
