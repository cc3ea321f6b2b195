"""The form in which a part of a model says what it is and costs: formulas, of one such part and one batch.

Formulas are sums of products in the letters of accounting/formulas.py. The parts themselves are in specs.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple


class Line(NamedTuple):
    """One quantity of a part."""

    name: str
    """What is counted, such as "q_proj"; "" where it is the part itself."""
    group: str
    """The component of a table or figure that it belongs to, such as "feed-forward"."""
    formula: str
    """A sum of products, such as "B·T·C·4 + B·T·3"."""


class ForwardFlops(NamedTuple):
    """The operations of a part's forward pass, by the two conventions of accounting/flops.py."""

    products: list[Line]
    """Matrix products."""
    elementwise: list[Line]
    """Everything else."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How a forward pass is computed, as far as that decides what is kept for the backward pass."""

    dtype: str = "float32"
    """Type of the matrix products: "float32", or "bfloat16" for mixed precision (weights and residual stream stay
    float32)."""
    fused_layers: bool = True
    """Projections, norms and feed-forward networks are fused."""
    fused_attention: bool = True
    """The T × T scores are not kept."""
    chunked_loss: bool = True
    """The logits are not kept."""
    own_kernels: bool = True
    """Fused means hornbook's CPU kernels; False: torch's operators, as on a GPU, which keep more."""
    document_mask: bool = False
    """Attention has a mask of its own for every window; it is torch's then."""
    narrow_stream: bool = False
    """The residual stream comes in the type of the products (fused norms after the sum pass it on so)."""

    @property
    def mixed(self) -> bool:
        """Matrix products run in another type than the rest."""
        return self.dtype != "float32"


class Spec:
    """A part of a model. `kernel` is its name in the decoding kernel (cpp/kernels), None where it has none there."""

    kernel: ClassVar[str | None] = None

    def __init_subclass__(cls) -> None:
        """A kernel is never inherited: a kind that does not name its own is none that the decoder knows."""
        cls.kernel = vars(cls).get("kernel")

    def parameters(self) -> list[Line]:
        """Return a line for each weight: how many numbers it has that are trained."""
        return []

    def flops(self) -> ForwardFlops:
        """Return the operations of a forward pass."""
        return ForwardFlops([], [])

    def saved_activations(self, how: Execution) -> list[Line]:
        """Return the bytes that a forward pass keeps for the backward pass."""
        return []


def scaled(count: str, formula: str) -> str:
    """Return the formula of `count` parts: "L·2" times "C + 4" is "L·2·C + L·2·4"."""
    return " + ".join(f"{count}·{product}" for product in formula.split(" + ")) if count else formula
