"""Argument checks that every optimizer shares: a wrong hyperparameter is named before the first step."""

from __future__ import annotations

import math

import torch

from hornbook.errors import ConfigError


def check_nonnegative(name: str, value: float) -> None:
    """Raise ConfigError unless `value` is a finite number that is zero or more."""
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"{name} = {value!r} cannot be used; give a finite number of 0 or more")


def check_betas(name: str, betas: tuple[float, float]) -> None:
    """Raise ConfigError unless `betas` are two numbers in [0, 1)."""
    if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
        raise ConfigError(
            f"{name} = {tuple(betas)!r} cannot be used; give two numbers from 0 up to but not including 1"
        )


def check_gradient(gradient: torch.Tensor) -> None:
    """Raise ConfigError for a sparse gradient, which none of these optimizers takes."""
    if gradient.is_sparse:
        raise ConfigError("a sparse gradient came, but hornbook's optimizers take dense ones; use a dense embedding")
