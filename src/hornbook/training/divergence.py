"""The divergence guard: a loss or gradient that is not finite, a loss that no model should have, or a spike of it.

After every update a few numbers on the training device are brought up to date: the recent mean and variance of the loss
(exponential, as in Adam), and the first step that was bad. The host checks them only every so many steps and before
anything is saved, so no step waits for the device, and no checkpoint is ever written after a bad step. A spike is
measured against the recent losses, which in the warm-up say little and which a slow enough rise takes along with it; so
there is a ceiling besides, from the first step on: many times the loss of a model that knows nothing, ln V, or of the
first loss, where that is higher (a deep model without norms starts far above ln V and comes down). What to do then
(stop, or rewind and leave the batch out) is the loop's. Left out: watching layers one by one (`--log-norms`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.training.sections import GuardSection

# The mean is over about so many updates.
MEMORY = 64
# A spike must also be so many nats above the mean: late in training the deviation is tiny.
LEAST_JUMP = 1.0
# The ceiling over ln V: of 36 runs without warm-up, 24 of them recovered from their worst loss, which was at most 2.8
# times ln V; the others went beyond 30,000 times (docs/log.md).
CEILING = 10.0
FINE, NOT_FINITE_LOSS, NOT_FINITE_GRADIENT, SPIKE, TOO_HIGH = 0.0, 1.0, 2.0, 3.0, 4.0
KINDS = {NOT_FINITE_LOSS: "loss", NOT_FINITE_GRADIENT: "gradient", SPIKE: "spike", TOO_HIGH: "ceiling"}


@dataclass(frozen=True)
class Divergence:
    """What went wrong first."""

    step: int
    """The update, counted from 1."""
    kind: str
    """"loss", "gradient", "spike", "ceiling" or "weight"."""
    loss: float
    """Its loss."""

    def __str__(self) -> str:
        what = {
            "loss": f"the loss became {self.loss}",
            "gradient": f"a gradient became infinite or NaN (loss {self.loss:.4g})",
            "spike": f"the loss jumped to {self.loss:.4g}",
            "ceiling": f"the loss rose to {self.loss:.4g}, far above that of a model that knows nothing,",
            "weight": "a weight was found infinite or NaN",
        }[self.kind]
        return f"{what} at step {self.step}"


@dataclass(frozen=True)
class BadBatch:
    """The batch that training diverged on."""

    position: int
    """Its number."""
    files: tuple[Path, ...]
    """The token files of the training set."""
    file: list[int]
    """For each window, the number of its file, …"""
    start: list[int]
    """… and the position in it where the window starts."""
    inputs: Int[Tensor, "B T"]
    targets: Int[Tensor, "B T"]
    text: list[str] | None
    """The first windows as text, where there is a tokenizer."""


class _Watched(NamedTuple):
    """What is known of the updates so far, as 0-dim float32 tensors on their device; a checkpoint keeps KEPT of it."""

    mean: Tensor
    """Recent mean of the loss, …"""
    square: Tensor
    """… and of its square."""
    good: Tensor
    """Good updates."""
    first_loss: Tensor
    bad_step: Tensor
    """The first bad update, counted from 1; 0: none."""
    bad_kind: Tensor
    bad_loss: Tensor


class Guard:
    """Watches losses and gradient norms on their own device.

    Args:
        section: the recipe's settings.
        device: where losses are.
        vocab_size: V; a model that knows nothing has the loss ln V.
    """

    KEPT = 4

    def __init__(self, section: GuardSection, device: torch.device | str, vocab_size: int):
        self.section = section
        # Like the spike, it is off where the recipe says that only non-finite values count.
        self.ceiling = CEILING * math.log(max(2, vocab_size)) if section.spike else math.inf
        self._seen = _Watched(*torch.zeros(len(_Watched._fields), device=device).unbind())

    @torch.no_grad()
    def update(self, step: int, loss: Float[Tensor, ""], gradient_norm: Float[Tensor, ""]) -> None:
        """Take in update number `step` (from 1); nothing is copied to the host."""
        if self.section.action == "off":
            return
        mean, square, count, first_loss, bad_step, bad_kind, bad_loss = self._seen
        loss = loss.detach().float()
        deviation = (square - mean * mean).clamp_min(0.0).sqrt()
        jump = torch.maximum(self.section.spike * deviation, torch.full_like(mean, LEAST_JUMP))
        watching = count >= max(1, self.section.warmup_steps) if self.section.spike else torch.zeros_like(count).bool()
        kind = torch.where(watching & (loss > mean + jump), SPIKE, FINE)
        first_loss = torch.where(count == 0, loss, first_loss)
        kind = torch.where(loss > (CEILING * first_loss).clamp_min(self.ceiling), TOO_HIGH, kind)
        kind = torch.where(torch.isfinite(gradient_norm), kind, NOT_FINITE_GRADIENT)
        kind = torch.where(torch.isfinite(loss), kind, NOT_FINITE_LOSS)
        first = (kind != FINE) & (bad_kind == FINE)
        # Only good losses are remembered, from the first one on; the weight of a new one shrinks to 1/MEMORY.
        good = kind == FINE
        weight = torch.where(good, 1.0 / (count + 1.0).clamp_max(MEMORY), 0.0)
        safe = torch.where(good, loss, mean)
        self._seen = _Watched(
            mean=mean + weight * (safe - mean),
            square=square + weight * (safe * safe - square),
            good=count + good,
            first_loss=first_loss,
            bad_step=torch.where(first, float(step), bad_step),
            bad_kind=torch.where(first, kind, bad_kind),
            bad_loss=torch.where(first, loss, bad_loss),
        )

    def check(self) -> Divergence | None:
        """Return the first divergence since the last `load`, or None; this waits for the device."""
        *_, step, kind, loss = self._values()
        return None if kind == FINE else Divergence(int(step), KINDS[kind], loss)

    def state(self) -> list[float]:
        """Return what a checkpoint keeps: exact, as float32 numbers survive JSON."""
        return self._values()[: self.KEPT]

    def load(self, state: Any) -> None:
        """Put back what `state` returned; any divergence is forgotten. Raises ValueError for anything else."""
        numbers = [float(number) for number in state]
        if len(numbers) != self.KEPT:
            raise ValueError(f"the guard's {self.KEPT} numbers")
        self._seen = _Watched(*torch.tensor([*numbers, 0.0, 0.0, 0.0], device=self._seen.mean.device).unbind())

    def _values(self) -> list[float]:
        return torch.stack(self._seen).tolist()
