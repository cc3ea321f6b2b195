"""From logits to one token id: temperature, then top-k, then top-p, then a draw.

top-p is nucleus sampling (Holtzman et al. 2020): the smallest set of tokens whose probabilities sum to at least p.
Ties are broken towards the lower id, in the greedy choice and in both cuts, so that a set is always determined. One
uniform number is drawn per row. Left out: repetition penalties, beams, min-p.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.errors import ConfigError, HornbookError

CANDIDATES = 256
"""Tokens among which the nucleus is looked for first."""


def check_sampling(temperature: float, top_p: float, top_k: int | None) -> None:
    """Raise ConfigError for settings outside their range."""
    if not (math.isfinite(temperature) and temperature >= 0):
        raise ConfigError(f"temperature = {temperature} must be 0 (greedy) or a positive number; 1 samples as trained")
    if not 0 < top_p <= 1:
        raise ConfigError(f"top_p = {top_p} must be above 0 and at most 1; 1 keeps every token")
    if top_k is not None and top_k < 1:
        raise ConfigError(f"top_k = {top_k} must be at least 1; leave it out to keep every token")


def filtered_probabilities(
    logits: Float[Tensor, "... V"], temperature: float = 1.0, top_p: float = 1.0, top_k: int | None = None
) -> Float[Tensor, "... V"]:
    """Return the distribution that is drawn from, in float64, zero outside the kept set, summing to one.

    Args:
        logits: the scores of the next token.
        temperature: > 0; divides the logits.
        top_p: in (0, 1]; applies to the probabilities as renormalised after top-k.
        top_k: keep the k most probable tokens.
    """
    if logits.device.type == "mps":  # it knows no float64
        logits = logits.cpu()
    probabilities = _stable_softmax(logits.double() / temperature)
    if top_k is not None and top_k < probabilities.shape[-1]:
        probabilities = _keep(probabilities, probabilities.topk(top_k).values)
    if top_p < 1:
        ordered = _largest_until(probabilities, top_p)
        before = ordered.cumsum(-1) - ordered  # the mass of all tokens that come first
        probabilities = _keep(probabilities, ordered.masked_fill(before >= top_p, math.inf))
    return probabilities


def _largest_until(probabilities: Float[Tensor, "... V"], mass: float) -> Float[Tensor, "... K"]:
    """Return the largest values in descending order, at least so many that they sum to `mass` in every row.

    A trained model puts most of its mass on a few tokens, and choosing a few costs a tenth of sorting all. Where they
    do not reach, all values are sorted: without their ids, which NumPy does on a CPU many times as fast as PyTorch.
    """
    if probabilities.shape[-1] > CANDIDATES:
        ordered = probabilities.topk(CANDIDATES).values
        if bool((ordered.cumsum(-1)[..., -1] >= mass).all()):
            return ordered
    if probabilities.device.type == "cpu":
        return torch.from_numpy(np.sort(probabilities.numpy(), axis=-1)).flip(-1)
    return probabilities.sort(dim=-1, descending=True).values


def _keep(probabilities: Float[Tensor, "... V"], values: Float[Tensor, "... K"]) -> Float[Tensor, "... V"]:
    """Zero all tokens but those that hold the finite `values`, the lower ids first where several hold the least of
    them, and let the rest sum to one."""
    least = values.amin(-1, keepdim=True)
    ties = (values == least).sum(-1, keepdim=True)  # how many tokens of the least value belong to the set
    kept = probabilities >= least
    equal = probabilities == least
    if bool((equal.sum(-1, keepdim=True) > ties).any()):
        kept &= ~equal | (equal.cumsum(-1) <= ties)
    probabilities = probabilities * kept
    return probabilities / probabilities.sum(-1, keepdim=True)


def sample(
    logits: Float[Tensor, "B V"],
    temperature: float = 1.0,
    top_p: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "B"]:
    """Draw one id per row.

    Args:
        logits: the scores of the next token.
        temperature: 0 takes the most probable token and draws nothing.
        top_p: see `filtered_probabilities`.
        top_k: see `filtered_probabilities`.
        generator: where the randomness comes from; None: torch's global generator of the CPU.

    Raises:
        HornbookError: logits that are NaN, or infinite where no infinity belongs.
    """
    if temperature == 0:
        _check_finite(bool(logits.isnan().any()))
        return logits.argmax(-1)
    probabilities = filtered_probabilities(logits, temperature, top_p, top_k)
    _check_finite(bool(probabilities.isnan().any()))
    cumulative = probabilities.cumsum(-1)
    source = generator.device if generator is not None else torch.device("cpu")
    uniform = torch.rand(logits.shape[0], 1, dtype=torch.float64, device=source, generator=generator)
    # The first id whose cumulative probability exceeds u · total: an id of probability zero never is the first.
    threshold = uniform.to(cumulative.device) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, threshold, right=True).squeeze(-1).clamp(max=logits.shape[-1] - 1)


def sample_row(
    logits: np.ndarray, temperature: float, top_p: float, top_k: int | None, generator: torch.Generator
) -> int:
    """Draw one id from one row of logits: as `sample`, in NumPy, whose calls on so little cost a fraction of PyTorch's.

    A row by itself, it is drawn by the same sums whatever else is drawn (tests/unit/test_generation.py compares both).
    """
    if temperature == 0:
        _check_finite(bool(np.isnan(logits).any()))
        return int(logits.argmax())
    scores = logits.astype(np.float64) / temperature
    with np.errstate(invalid="ignore"):  # of infinities, which are refused below
        probabilities = np.exp(scores - scores.max())
    total = probabilities.sum()
    _check_finite(bool(np.isnan(total)))
    probabilities /= total
    if top_k is not None and top_k < len(probabilities):
        probabilities = _keep_row(probabilities, _largest(probabilities, top_k))
    if top_p < 1:
        ordered = np.sort(_largest(probabilities, CANDIDATES))[::-1]
        if ordered.sum() < top_p:
            ordered = np.sort(probabilities)[::-1]
        probabilities = _keep_row(probabilities, ordered[ordered.cumsum() - ordered < top_p])
    cumulative = probabilities.cumsum()
    uniform = float(torch.rand(1, dtype=torch.float64, generator=generator))
    found = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return min(int(found), len(cumulative) - 1)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    return values if count >= len(values) else np.partition(values, len(values) - count)[-count:]


def _keep_row(probabilities: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Do what `_keep` does, to one row."""
    least = values.min()
    kept, equal = probabilities >= least, probabilities == least
    ties = (values == least).sum()
    if equal.sum() > ties:
        kept &= ~equal | (equal.cumsum() <= ties)
    probabilities = probabilities * kept
    return probabilities / probabilities.sum()


def _stable_softmax(scores: Tensor) -> Tensor:
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


def _check_finite(nan: bool) -> None:
    if nan:
        raise HornbookError(
            "the model's logits are not numbers (NaN): its training diverged or its weights are damaged; "
            "generate from an earlier checkpoint"
        )
