"""Dropout (Srivastava et al. 2014), inverted: what is left while training is scaled, so evaluation does nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Dropout(nn.Module):
    """While training, zero each element with probability `p` and scale the others by 1/(1−p); else the identity.

    The mask comes from torch's global generator of the device, whose state a checkpoint carries.
    """

    def __init__(self, p: float = 0.0):
        super().__init__()
        self.p = p

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Return `x` with elements zeroed and the others scaled up; `x` itself in evaluation mode."""
        if not self.training or self.p == 0:
            return x
        kept = x * (torch.rand_like(x) >= self.p)
        return kept.div_(1 - self.p)  # in place: another temporary of this size leaves a hole in the heap

    def extra_repr(self) -> str:
        """Say the probability."""
        return f"p={self.p}"


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Have `model` in evaluation mode, where nothing is dropped, and leave it as it was."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
