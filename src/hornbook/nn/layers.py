"""Linear, Embedding, RMSNorm, the feed-forward networks and Dropout, from `nn.Parameter` up.

Handout §3.4–3.5. Weights are `(out, in)`; there are no biases. Initialisation (handout §3.4.1): Linear
N(0, 2/(in+out)) cut at ±3σ, Embedding N(0, 1) cut at ±3, RMSNorm 1. `fused` on a layer chooses its fast twin from
`fused.py`; both compute the same function.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.nn import fused
from hornbook.nn.plain import at_least_float32, relu2, silu
from hornbook.nn.shapes import default_d_ff

__all__ = ["Dropout", "Embedding", "Linear", "RMSNorm", "ReLU2FeedForward", "SiLUFeedForward", "SwiGLU"]

Device = torch.device | str | None


def _truncated_normal(weight: Tensor, std: float, generator: torch.Generator | None) -> None:
    nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator)


class Linear(nn.Module):
    """y = x Wᵀ, without bias.

    Args:
        in_features: width of the input.
        out_features: width of the output.
        device: where the weight lives.
        dtype: of the weight; None: torch's default.
    """

    def __init__(self, in_features: int, out_features: int, device: Device = None, dtype: torch.dtype | None = None):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weight anew: N(0, 2/(in+out)) cut at ±3σ."""
        out_features, in_features = self.weight.shape
        _truncated_normal(self.weight, math.sqrt(2 / (in_features + out_features)), generator)

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return x Wᵀ for any leading dimensions."""
        return x @ self.weight.T

    def extra_repr(self) -> str:
        """Say the two widths."""
        return f"in_features={self.weight.shape[1]}, out_features={self.weight.shape[0]}"


class Embedding(nn.Module):
    """A table of one vector per token id.

    Args:
        num_embeddings: V, the number of ids.
        embedding_dim: C, the width of a vector.
        device: where the table lives.
        dtype: of the table; None: torch's default.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, device: Device = None, dtype: torch.dtype | None = None
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        self.fused = False
        self.std = 1.0
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the table anew: N(0, std²) cut at ±3σ; std is 1, or 1/√C where the LM head shares the table."""
        _truncated_normal(self.weight, self.std, generator)

    def forward(self, ids: Int[Tensor, "..."]) -> Float[Tensor, "... C"]:
        """Return the vectors of the ids."""
        if self.fused:
            return fused.embedding(ids, self.weight)
        return self.weight[ids]

    def extra_repr(self) -> str:
        """Say the size of the table."""
        return f"num_embeddings={self.weight.shape[0]}, embedding_dim={self.weight.shape[1]}"


class RMSNorm(nn.Module):
    """x / √(mean(x²) + ε) · g, computed in float32 whatever the input (Zhang & Sennrich 2019; handout Eq. 4).

    Args:
        d_model: width of the last dimension.
        eps: ε.
        device: where the gain g lives.
        dtype: of the gain; None: torch's default.
    """

    def __init__(self, d_model: int, eps: float = 1e-5, device: Device = None, dtype: torch.dtype | None = None):
        super().__init__()
        self.eps, self.fused = eps, False
        self.weight = nn.Parameter(torch.ones(d_model, device=device, dtype=dtype))

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Set the gain to one."""
        nn.init.ones_(self.weight)

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the normalised `x` in the dtype of `x` (the fast twin: in autocast's, where that is on)."""
        if self.fused:
            return fused.rms_norm(x, self.weight, self.eps)
        wide = at_least_float32(x)
        scale = (wide.square().mean(-1, keepdim=True) + self.eps).rsqrt()
        return (wide * scale * at_least_float32(self.weight)).to(x.dtype)

    def extra_repr(self) -> str:
        """Say width and ε."""
        return f"{self.weight.shape[0]}, eps={self.eps}"


class SwiGLU(nn.Module):
    """w2(silu(w1 x) ⊙ w3 x), the gated feed-forward network (Shazeer 2020; handout Eq. 7).

    Args:
        d_model: width of input and output.
        d_ff: inner width; None: the multiple of 64 nearest to 8/3 · d_model.
        device: where the weights live.
        dtype: of the weights; None: torch's default.
    """

    def __init__(self, d_model: int, d_ff: int | None = None, device: Device = None, dtype: torch.dtype | None = None):
        super().__init__()
        d_ff = default_d_ff(d_model, "swiglu") if d_ff is None else d_ff
        self.fused = False
        self.w1 = Linear(d_model, d_ff, device, dtype)
        self.w2 = Linear(d_ff, d_model, device, dtype)
        self.w3 = Linear(d_model, d_ff, device, dtype)

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the network's output for any leading dimensions."""
        if self.fused:
            return fused.swiglu_network(x, self.w1.weight, self.w2.weight, self.w3.weight)
        return self.w2(silu(self.w1(x)) * self.w3(x))


class SiLUFeedForward(nn.Module):
    """w2 silu(w1 x), the un-gated network of the handout's ablation.

    Args:
        d_model: width of input and output.
        d_ff: inner width; None: 4 · d_model, which matches SwiGLU's parameters.
        device: where the weights live.
        dtype: of the weights; None: torch's default.
    """

    def __init__(self, d_model: int, d_ff: int | None = None, device: Device = None, dtype: torch.dtype | None = None):
        super().__init__()
        d_ff = default_d_ff(d_model, "silu") if d_ff is None else d_ff
        self.w1 = Linear(d_model, d_ff, device, dtype)
        self.w2 = Linear(d_ff, d_model, device, dtype)

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the network's output for any leading dimensions."""
        return self.w2(silu(self.w1(x)))


class ReLU2FeedForward(SiLUFeedForward):
    """w2 relu(w1 x)²; arguments as `SiLUFeedForward` (So et al. 2021)."""

    def forward(self, x: Float[Tensor, "... C"]) -> Float[Tensor, "... C"]:
        """Return the network's output for any leading dimensions."""
        return self.w2(relu2(self.w1(x)))


class Dropout(nn.Module):
    """While training, zero each element with probability `p` and scale the others by 1/(1−p); else the identity.

    The mask comes from torch's global generator of the device, whose state a checkpoint carries.
    """

    def __init__(self, p: float = 0.0):
        super().__init__()
        self.p = p

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Return `x` with elements dropped."""
        if not self.training or self.p == 0:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)

    def extra_repr(self) -> str:
        """Say the probability."""
        return f"p={self.p}"
