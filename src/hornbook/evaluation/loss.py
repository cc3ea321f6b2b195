"""The loss of a model over a whole validation set: deterministic, every target once, the same for any batch size.

The set is cut into windows of the evaluation context without overlap; each file's last window may be shorter. Every
token but the first of each file is predicted once, from at least the tokens of its own window before it. A longer
context sees more and scores better, so the context is part of the result. Weights and matrix products are float32
here, whatever training uses. Where the whole set would cost too much, an even sample of its windows is measured: one
from each of so many equal stretches, drawn by a fixed seed, so that all runs on the same data see the same windows.
Left out: sliding windows with overlap (they would favour long contexts at several times the cost).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from hornbook.data.token_data import TokenData
from hornbook.errors import ConfigError, DataError
from hornbook.models.transformer import TransformerLM
from hornbook.nn.dropout import evaluating
from hornbook.nn.plain import at_least_float32


class Interrupted(Exception):  # noqa: N818
    """A stop was asked for in the middle of an evaluation; it is done again on resume."""


class Processes(Protocol):
    """Those that evaluate together, each its share of the batches."""

    rank: int
    size: int

    def total(self, *numbers: float) -> list[float]:
        """Return the sum of each number over all processes."""
        ...


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
    sample_loss: float | None = None
    """The loss on the sample alone, where the rest of the set was measured besides: what compares with samples."""

    @property
    def perplexity(self) -> float:
        """exp(loss); infinity where that is too large."""
        return math.exp(self.loss) if self.loss < 700 else math.inf

    def record(self) -> dict[str, float]:
        """Return the values that `metrics.jsonl` keeps."""
        optional = {"val_bits_per_byte": self.bits_per_byte, "val_sample_loss": self.sample_loss}
        values = {"val_loss": self.loss, "val_perplexity": self.perplexity, "val_tokens": self.num_tokens}
        return values | {key: value for key, value in optional.items() if value is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return every field and the perplexity as plain values, for JSON."""
        return asdict(self) | {"perplexity": self.perplexity}


@torch.no_grad()
def evaluate(
    model: TransformerLM,
    data: TokenData,
    batch_size: int,
    context_length: int | None = None,
    *,
    max_tokens: int | None = None,
    sample: int | None = None,
    and_rest: bool = False,
    progress: Callable[[int], None] = lambda done: None,
    stop: Callable[[], bool] = lambda: False,
    processes: Processes | None = None,
) -> Evaluation:
    """Measure a model on a data set.

    Args:
        model: read in evaluation mode and left as it was.
        data: the tokens.
        batch_size: windows per forward pass; changes time and memory only.
        context_length: T of the windows; None: the model's.
        max_tokens: use the first so many tokens of the set only; bits per byte then take the set's average token.
        sample: measure so many windows, evenly spread, instead of all; bits per byte as for `max_tokens`.
        and_rest: measure the sample first, and then what it left out.
        progress: is called with the tokens done so far.
        stop: is asked between batches; True, in any process, ends the evaluation.
        processes: evaluate together, batch after batch in turn, each with the whole model or its part of it; the result
            has the same bits whatever their number, as batches are summed up in their order. None: this one alone.

    Raises:
        ConfigError: a size below 1.
        DataError: there are fewer than two tokens, so nothing to predict.
        Interrupted: `stop` said so.
    """
    given = {"batch_size": batch_size, "context_length": context_length, "max_tokens": max_tokens, "sample": sample}
    for name, value in given.items():
        if value is not None and value < 1:
            raise ConfigError(f"{name} = {value} of an evaluation must be at least 1")
    T = context_length or model.config.context_length
    nats, count, sample_loss = 0.0, 0, None
    with evaluating(model):
        for number, part in enumerate(_windows(data, T, max_tokens).parts(sample, and_rest)):
            sample_loss = nats / count if number else None
            places = _places(part, T, batch_size)
            while turn := list(itertools.islice(places, 1 if processes is None else processes.size)):
                for value in _measure(model, data, turn, processes, stop):
                    nats += value
                count += sum(len(place.start) * place.targets for place in turn)
                progress(count)
    if count == 0:
        raise DataError(
            "the validation set has fewer than two tokens, so there is nothing to predict; give it more text"
        )
    num_bytes = (data.num_bytes or 0) * min(1.0, count / max(1, data.num_targets))
    return Evaluation(nats / count, nats / math.log(2) / num_bytes if num_bytes else None, count, T, sample_loss)


def _measure(
    model: TransformerLM, data: TokenData, turn: list[_Place], processes: Processes | None, stop: Callable[[], bool]
) -> list[float]:
    """Return the nats of each batch of a turn, in which each process measures one. Raises Interrupted."""
    rank, size = (0, 1) if processes is None else (processes.rank, processes.size)
    stopping = stop()
    if stopping and size == 1:
        raise Interrupted
    # A process without a batch of its own takes part in the last one: its rows of the weights may be needed there.
    rows, device = _read(data, turn[min(rank, len(turn) - 1)]), next(model.parameters()).device
    inputs, targets = rows[:, :-1].to(device), rows[:, 1:].to(device)
    # The mean of a batch, weighted by its tokens and summed in float64.
    nats = float(model.loss(inputs, targets)) * targets.numel()
    if processes is None or size == 1:
        return [nats]
    *sums, stopped = processes.total(*(nats if n == rank else 0.0 for n in range(len(turn))), stopping)
    if stopped:
        raise Interrupted
    return sums


@torch.no_grad()
def token_losses(
    model: TransformerLM, data: TokenData, num_tokens: int, context_length: int | None = None
) -> Iterator[tuple[int, float]]:
    """Yield the first tokens of a data set that are predicted, each with its loss in nats; their mean is `evaluate`'s.

    Arguments and errors as `evaluate`.
    """
    T = context_length or model.config.context_length
    for name, value in {"num_tokens": num_tokens, "context_length": T}.items():
        if value < 1:
            raise ConfigError(f"{name} = {value} of an evaluation must be at least 1")
    device = next(model.parameters()).device
    with evaluating(model):
        for place in _places(_windows(data, T, num_tokens), T, 1):
            rows = _read(data, place)
            targets = rows[0, 1:]
            scores = at_least_float32(model(rows[:, :-1].to(device)))[0].log_softmax(-1).cpu()  # (S, V)
            losses = -scores.gather(-1, targets[:, None]).squeeze(-1)
            yield from zip(targets.tolist(), losses.tolist(), strict=True)


def evenly(count: int, sample: int) -> Int[np.ndarray, "sample"]:
    """Return `sample` of the numbers below `count`: one from each of so many equal stretches, by a fixed seed."""
    edges = np.arange(sample + 1) * count // sample
    return edges[:-1] + (np.random.default_rng(0).random(sample) * np.diff(edges)).astype(np.int64)


class _Windows(NamedTuple):
    """Where windows begin, and what is left of each file: shorter ones."""

    file: Int[np.ndarray, "W"]
    start: Int[np.ndarray, "W"]
    tails: list[tuple[int, int, int]]
    """File, start, and targets."""

    def parts(self, sample: int | None, and_rest: bool) -> list[_Windows]:
        """Return them as one part, or a sample of them and, where asked for, the rest."""
        if sample is None or sample >= len(self.start):
            return [self]
        chosen = evenly(len(self.start), sample)
        rest = _Windows(np.delete(self.file, chosen), np.delete(self.start, chosen), self.tails)
        return [_Windows(self.file[chosen], self.start[chosen], []), *([rest] if and_rest else [])]


def _windows(data: TokenData, T: int, max_tokens: int | None) -> _Windows:
    files, starts, tails = [], [], []
    left = data.num_targets if max_tokens is None else max_tokens
    for number, array in enumerate(data.arrays):
        targets = max(0, min(len(array) - 1, left))
        files.append(np.full(targets // T, number))
        starts.append(np.arange(targets // T) * T)
        if targets % T:
            tails.append((number, targets // T * T, targets % T))
        left -= targets
    return _Windows(np.concatenate(files), np.concatenate(starts), tails)


class _Place(NamedTuple):
    """Where the windows of one forward pass are."""

    file: Int[np.ndarray, "B"]
    start: Int[np.ndarray, "B"]
    targets: int
    """Of each window."""


def _places(windows: _Windows, T: int, batch_size: int) -> Iterator[_Place]:
    """Yield batches of windows, and then each tail by itself."""
    for first in range(0, len(windows.start), batch_size):
        rows = slice(first, first + batch_size)
        yield _Place(windows.file[rows], windows.start[rows], T)
    for number, start, targets in windows.tails:
        yield _Place(np.array([number]), np.array([start]), targets)


def _read(data: TokenData, place: _Place) -> Int[Tensor, "B S"]:
    """Return windows with the token after them: (B, T + 1), and a tail, (1, S) with S ≤ T."""
    return torch.from_numpy(data.gather(place.file, place.start, place.targets + 1).astype(np.int64))
