"""The plan of a run, printed before the first step and kept with it as `plan.json`: size, amount of data, expected
time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hornbook.format import duration, quantity

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """What is about to happen."""

    parameters: int
    """Numbers that are trained."""
    train_tokens: int
    """Tokens of the training set."""
    validation_tokens: int
    """Tokens of the validation set."""
    tokens_per_step: int
    """Tokens of one update."""
    steps: int | None
    """Updates; None under a time budget."""
    epochs: float | None
    """How many times the tokens of the training set are seen."""
    seconds_per_step: float
    """From a probe of whole updates."""
    expected_seconds: float
    """Of all steps (evaluations and checkpoints come on top), or the time budget."""
    flops_per_token: int
    """Matrix products of training, per token."""
    peak_flops: float
    """Measured rate of a large matrix product in the run's dtype, FLOP/s."""
    device: str
    """Where."""
    dtype: str
    """Of the matrix products."""
    threads: int
    """CPU threads."""
    memory_bytes: int | None = None
    """Peak memory that the accounting expects; None where the device does not say what it has."""
    compile_seconds: float | None = None
    """What compiling took this time, before the run's clock started; None where nothing is compiled."""

    def lines(self) -> list[str]:
        """Return the plan for people."""
        reading = f"{quantity(self.train_tokens)} tokens to train on, {quantity(self.validation_tokens)} to validate on"
        rate = self.tokens_per_step / self.seconds_per_step if self.seconds_per_step else 0.0
        if self.steps is None:
            amount = f"as many steps of {self.tokens_per_step:,} tokens as fit into {duration(self.expected_seconds)}"
        else:
            seen = "" if self.epochs is None else f" (the training set {self.epochs:.2g} times)"
            total = quantity(self.steps * self.tokens_per_step)
            amount = f"{self.steps:,} steps of {self.tokens_per_step:,} tokens = {total} tokens{seen}"
        compiled = "not compiled"
        if self.compile_seconds is not None:
            compiled = f"compiled in {duration(self.compile_seconds)} (which no time of the run counts)"
        how = f"{self.device}, {self.dtype}, {compiled}, {self.threads} threads"
        room = "" if self.memory_bytes is None else f", about {quantity(self.memory_bytes, 'B')} of memory at the peak"
        return [
            f"model: {quantity(self.parameters)} parameters{room} · data: {reading}",
            f"plan: {amount}",
            f"expected: {duration(self.expected_seconds)} at {quantity(rate)} tokens/s on {how}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values, with a version."""
        return {"version": 1} | asdict(self)
