"""How many floating-point operations a forward pass, a training step and an optimizer step take.

Two conventions, always named:

- `matmul`: matrix products only, 2·m·n·k for (m, k) × (k, n), the whole T × T score matrix counted: the handout's
  convention, `torch.utils.flop_counter`'s, and what MFU is measured in;
- `elementwise`: these plus every elementary operation of the plain path (+, −, ×, ÷, max, exp, √, tanh, compare:
  one each).

The backward pass is taken as twice the forward one (for matrix products that is exact: one product for the input's
gradient, one for the weight's). Left out: embedding look-ups (no arithmetic), random numbers, data movement.
"""

from __future__ import annotations

from dataclasses import dataclass

from hornbook.accounting.formulas import Term, numbers_of, summed, term, total
from hornbook.accounting.optimizer import optimizer_step
from hornbook.accounting.parameters import count_parameters
from hornbook.errors import ConfigError
from hornbook.models.config import ModelConfig

GROUPS = ("attention projections", "attention scores", "feed-forward", "LM head")
"""What the matrix products of a forward pass are summed by."""


@dataclass(frozen=True, kw_only=True)
class Flops:
    """The floating-point operations of one batch."""

    forward_terms: list[Term]
    """Matrix products of the forward pass."""
    elementwise_terms: list[Term]
    """Everything else of the forward pass and the loss."""
    optimizer_term: Term
    """One optimizer step; independent of the batch."""
    clip_term: Term
    """Clipping the gradients by their global norm."""
    tokens: int
    """B·T."""
    recompute: bool
    """Whether the layers are computed a second time in the backward pass (activation checkpointing)."""

    def forward(self, convention: str = "matmul") -> int:
        """Return the operations of a forward pass (with the loss, in the `elementwise` convention)."""
        _check(convention)
        return total(self.forward_terms) + (total(self.elementwise_terms) if convention == "elementwise" else 0)

    def training_step(self, convention: str = "matmul") -> int:
        """Return forward + backward (2 × forward) + recomputation; `elementwise` adds clipping and optimizer."""
        step = 3 * self.forward(convention) + (self._layers(convention) if self.recompute else 0)
        if convention == "elementwise":
            step += self.clip_term.value + self.optimizer_term.value
        return step

    @property
    def training_per_token(self) -> int:
        """Return 3 × forward matrix products per token: the numerator of MFU, recomputation not counted."""
        return 3 * self.forward() // self.tokens

    def share(self, group: str) -> float:
        """Return the part of the forward matrix products that belongs to `group`, from 0 to 1."""
        return total(self.forward_terms, group) / self.forward()

    def mfu(self, tokens_per_second: float, peak_flops_per_second: float) -> float:
        """Return model FLOPs utilization: matrix products of training per second over the device's peak."""
        return tokens_per_second * self.training_per_token / peak_flops_per_second

    def _layers(self, convention: str) -> int:
        terms = self.forward_terms + (self.elementwise_terms if convention == "elementwise" else [])
        inside = [t for t in terms if t.in_layers]
        return total(inside)


def count_flops(
    config: ModelConfig,
    batch_size: int = 1,
    context_length: int | None = None,
    *,
    optimizer: str = "adamw",
    activation_checkpointing: bool = False,
) -> Flops:
    """Return the operations of one batch.

    Args:
        config: the model.
        batch_size: B.
        context_length: T; None takes the model's own.
        optimizer: a name of optim/registry.py.
        activation_checkpointing: the layers' forward pass is repeated in the backward pass.
    """
    n = numbers_of(config, batch_size, context_length)
    n["N"] = count_parameters(config).total
    return Flops(
        forward_terms=summed(config, n, lambda spec, _: spec.flops().products),
        elementwise_terms=summed(config, n, lambda spec, _: spec.flops().elementwise),
        optimizer_term=optimizer_step(config, optimizer),
        clip_term=term("clip_gradients", "optimizer", "3·N", n),
        tokens=n["B"] * n["T"],
        recompute=activation_checkpointing,
    )


def training_flops_per_token(config: ModelConfig) -> int:
    """Return 3 × the forward matrix products per token: times tokens/s, over the device's peak, that is the MFU."""
    return count_flops(config).training_per_token


def _check(convention: str) -> None:
    if convention not in ("matmul", "elementwise"):
        raise ConfigError(f"{convention!r} is no convention of counting; choose 'matmul' or 'elementwise'")
