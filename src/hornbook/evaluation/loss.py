"""The loss of a model over a whole validation set: deterministic, every target once, the same for any batch size.

The set is cut into windows of the evaluation context without overlap; each file's last window may be shorter. Every
token but the first of each file is predicted once, from at least the tokens of its own window before it. A longer
context sees more and scores better, so the context is part of the result. Weights and matrix products are float32
here, whatever training uses. Left out: sliding windows with overlap (they would favour long contexts at several times
the cost).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from hornbook.data.token_data import TokenData
from hornbook.errors import ConfigError, DataError
from hornbook.models.transformer import TransformerLM


class Interrupted(Exception):  # noqa: N818
    """A stop was asked for in the middle of an evaluation; it is done again on resume."""


@dataclass(frozen=True)
class Evaluation:
    """The result of one evaluation."""

    loss: float
    """Nats per predicted token."""
    bits_per_byte: float | None
    """All nats / ln 2 / UTF-8 bytes of the ordinary text; None where the bytes are not known."""
    num_tokens: int
    """Predicted tokens."""
    context_length: int
    """Window of the evaluation."""

    @property
    def perplexity(self) -> float:
        """exp(loss); infinity where that is too large."""
        return math.exp(self.loss) if self.loss < 700 else math.inf

    def record(self) -> dict[str, float]:
        """Return the values that `metrics.jsonl` keeps."""
        values = {"val_loss": self.loss, "val_perplexity": self.perplexity}
        return values if self.bits_per_byte is None else values | {"val_bits_per_byte": self.bits_per_byte}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self) | {"perplexity": self.perplexity}


@torch.no_grad()
def evaluate(
    model: TransformerLM,
    data: TokenData,
    batch_size: int,
    context_length: int | None = None,
    *,
    max_tokens: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
    stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Measure a model on a data set.

    Args:
        model: read in evaluation mode and left as it was.
        data: the tokens.
        batch_size: windows per forward pass; changes time and memory only.
        context_length: T of the windows; None: the model's.
        max_tokens: use the first so many tokens of the set only; bits per byte then take the set's average token.
        progress: is called with the tokens done so far.
        stop: is asked between batches; True ends the evaluation.

    Raises:
        ConfigError: a size below 1.
        DataError: there are fewer than two tokens, so nothing to predict.
        Interrupted: `stop` said so.
    """
    for name, value in (("batch_size", batch_size), ("context_length", context_length), ("max_tokens", max_tokens)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} = {value} of an evaluation must be at least 1")
    T = context_length or model.config.context_length
    device = next(model.parameters()).device
    total = torch.zeros((), dtype=torch.float64)  # on the CPU: Apple GPUs have no float64
    count = 0
    was_training = model.training
    model.eval()
    try:
        for rows in _batches(data, T, batch_size, max_tokens):
            if stop():
                raise Interrupted
            inputs, targets = rows[:, :-1].to(device), rows[:, 1:].to(device)
            # The mean of a batch, weighted by its tokens and summed in float64.
            total += model.loss(inputs, targets).cpu().double() * targets.numel()
            count += targets.numel()
            progress(count)
    finally:
        model.train(was_training)
    if count == 0:
        raise DataError(
            "the validation set has fewer than two tokens, so there is nothing to predict; give it more text"
        )
    nats = float(total)
    num_bytes = data.num_bytes
    if num_bytes and max_tokens is not None:
        num_bytes = num_bytes * min(1.0, count / max(1, len(data) - len(data.arrays)))
    return Evaluation(nats / count, nats / math.log(2) / num_bytes if num_bytes else None, count, T)


def _batches(data: TokenData, T: int, batch_size: int, max_tokens: int | None) -> Iterator[Int[Tensor, "B S"]]:
    """Yield windows with the token after them: (B, T + 1), and what is left of each file, (1, S) with S ≤ T + 1."""
    left = len(data) if max_tokens is None else max_tokens
    for array in data.arrays:
        ids = array[: left + 1] if max_tokens is not None else array
        whole = max(0, len(ids) - 1) // T
        for first in range(0, whole, batch_size):
            rows = min(batch_size, whole - first)
            block = ids[first * T : (first + rows) * T + 1].astype(np.int64)
            yield torch.from_numpy(np.lib.stride_tricks.sliding_window_view(block, T + 1)[::T].copy())
        rest = ids[whole * T :].astype(np.int64)
        if len(rest) > 1:
            yield torch.from_numpy(rest[None, :])
        left -= max(0, len(ids) - 1)
        if left <= 0:
            return
