"""Rotary position embedding (Su et al. 2021; handout §3.5.3): pairs (2k, 2k+1) turn by position · Θ^(−2k/D).

The table of cosines and sines is made once for the longest sequence and is no parameter and no part of the state
dict. Left out: scaling tricks for longer contexts; the layout of Llama checkpoints, in which the two channels of a pair
lie D/2 apart (interop/huggingface.py changes the order of the rows of such weights).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.errors import ConfigError
from hornbook.nn.plain import DeviceLike, initialise_vector_math, rotate_pairs


class RotaryPositionalEmbedding(nn.Module):
    """Rotates queries or keys by their positions.

    Args:
        theta: Θ, the base of the wavelengths.
        d_k: D, the (even) width of what is rotated.
        max_seq_len: number of positions in the table.
        device: where the table lives.

    Raises:
        ConfigError: `d_k` is odd.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, theta: float, d_k: int, max_seq_len: int, device: DeviceLike = None):
        super().__init__()
        if d_k % 2:
            raise ConfigError(f"rotary embedding turns pairs of channels, so d_k = {d_k} must be even")
        self.theta, self.d_k, self.max_seq_len = theta, d_k, max_seq_len
        self._make_table(device)

    def _make_table(self, device: DeviceLike) -> None:
        """Fill `cos` and `sin`, each (max_seq_len, D/2) in float32; the angles are computed in float64."""
        initialise_vector_math()
        frequencies = self.theta ** (-torch.arange(0, self.d_k, 2, dtype=torch.float64) / self.d_k)
        angles = torch.outer(torch.arange(self.max_seq_len, dtype=torch.float64), frequencies)
        self.register_buffer("cos", angles.cos().float().to(device), persistent=False)
        self.register_buffer("sin", angles.sin().float().to(device), persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Follow the model to another device, with the table made anew there.

        Its values are never taken from `fn`: they would lose digits in a half type, and `to_empty` reaches a table that
        several layers share once for each, so a table filled after the first visit is blank again after the second.
        """
        self._make_table(fn(self.cos[:1]).device)
        return self

    def forward(
        self, x: Float[Tensor, "... T D"], token_positions: Int[Tensor, "... T"] | None = None
    ) -> Float[Tensor, "... T D"]:
        """Return `x` rotated.

        Args:
            x: queries or keys.
            token_positions: the position of each row, of a shape that broadcasts to (..., T); None: 0…T−1.

        Raises:
            ValueError: more rows than positions in the table.
        """
        if token_positions is None:
            if x.shape[-2] > self.max_seq_len:
                raise ValueError(f"{x.shape[-2]} positions do not fit in a table of max_seq_len = {self.max_seq_len}")
            return rotate_pairs(x, self.cos[: x.shape[-2]], self.sin[: x.shape[-2]])
        return rotate_pairs(x, self.cos[token_positions], self.sin[token_positions])

    def extra_repr(self) -> str:
        """Say the three numbers."""
        return f"theta={self.theta}, d_k={self.d_k}, max_seq_len={self.max_seq_len}"
