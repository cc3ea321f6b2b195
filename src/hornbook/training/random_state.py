"""The random generators that an update may draw from (dropout), as text for JSON, and back."""

from __future__ import annotations

import base64
from typing import Any

import torch
from torch import Tensor

__all__ = ["random_states", "restore_random_states"]


def random_states(device: torch.device) -> dict[str, Any]:
    """Return the state of every generator: the CPU's, and that of `device`."""
    states = {"torch": _encode(torch.get_rng_state())}
    if device.type == "cuda":
        states["cuda"] = _encode(torch.cuda.get_rng_state(device))
    if device.type == "mps":
        states["mps"] = _encode(torch.mps.get_rng_state())
    return states


def restore_random_states(states: dict[str, Any], device: torch.device) -> None:
    """Put back what `random_states` returned. Raises ValueError where it cannot be read."""
    torch.set_rng_state(_decode(states["torch"]))
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(_decode(states["cuda"]), device)
    if device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(_decode(states["mps"]))


def _encode(state: Tensor) -> str:
    return base64.b64encode(state.numpy().tobytes()).decode()


def _decode(text: str) -> Tensor:
    return torch.frombuffer(bytearray(base64.b64decode(text, validate=True)), dtype=torch.uint8)
