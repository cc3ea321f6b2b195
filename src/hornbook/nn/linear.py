"""Linear and Embedding, from `nn.Parameter` up (handout §3.4).

Weights are (out, in); there are no biases. Initialisation (handout §3.4.1): Linear N(0, 2/(in+out)) cut at ±3σ,
Embedding N(0, 1) cut at ±3.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.nn.ops import Ops
from hornbook.nn.plain import DeviceLike, initialise_vector_math


def _truncated_normal(weight: Tensor, std: float, generator: torch.Generator | None) -> None:
    initialise_vector_math()
    nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator)


class Linear(nn.Module):
    """y = x Wᵀ, without bias.

    Args:
        in_features: width of the input.
        out_features: width of the output.
        device: where the weight lives.
        dtype: of the weight; None: torch's default.
    """

    def __init__(
        self, in_features: int, out_features: int, device: DeviceLike = None, dtype: torch.dtype | None = None
    ):
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
        ops: plain or fused (ops.py); None: plain.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        device: DeviceLike = None,
        dtype: torch.dtype | None = None,
        *,
        ops: Ops | None = None,
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        self.ops = ops or Ops()
        self.std = 1.0
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the table anew: N(0, std²) cut at ±3σ; std is 1, or 1/√C where the LM head shares the table."""
        _truncated_normal(self.weight, self.std, generator)

    def forward(self, ids: Int[Tensor, "..."]) -> Float[Tensor, "... C"]:
        """Return the rows of the table at `ids`, which must lie in 0 … num_embeddings − 1."""
        return self.ops.embedding(ids, self.weight)

    def extra_repr(self) -> str:
        """Say the size of the table."""
        return f"num_embeddings={self.weight.shape[0]}, embedding_dim={self.weight.shape[1]}"
