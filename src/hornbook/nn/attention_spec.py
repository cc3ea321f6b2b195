"""What attention is and costs; its form is that of the specs in specs.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hornbook.nn.spec import Execution, ForwardFlops, Line, Spec, scaled
from hornbook.nn.specs import RMSNormSpec


@dataclass(frozen=True)
class AttentionSpec(Spec):
    """`MultiHeadSelfAttention` without its value gate.

    Args:
        rotation: queries and keys are rotated.
        qk_norm: and normed before that.
    """

    rotation: bool = True
    qk_norm: bool = False
    kernel: ClassVar[str | None] = "attention"

    def parameters(self) -> list[Line]:
        """Return the four projections and the gains of the QK norm."""
        lines = [Line(f"{name}_proj", "attention", "C·C") for name in ("q", "k", "v", "output")]
        return [*lines, Line("q_norm, k_norm", "norm", "2·D")] if self.qk_norm else lines

    def flops(self) -> ForwardFlops:
        """The whole T × T matrix counts, as the plain path computes it."""
        project = "2·B·T·C·C"
        products = [
            *(Line(f"{name}_proj", "attention projections", project) for name in ("q", "k", "v")),
            Line("scores", "attention scores", "H·2·B·T·T·D"),
            Line("weighted_sum", "attention scores", "H·2·B·T·T·D"),
            Line("output_proj", "attention projections", project),
        ]
        elementwise = [Line("softmax", "attention", "B·H·T·T·7")]  # scale, mask, max, subtract, exp, sum, divide
        if self.rotation:  # a pair: four products, two sums; queries and keys
            elementwise.insert(0, Line("rotation", "attention", "2·B·T·C·3"))
        if self.qk_norm:
            (norm,) = RMSNormSpec("D", "B·T·H").flops().elementwise
            elementwise.insert(0, Line("q_norm, k_norm", "norm", scaled("2", norm.formula)))
        return ForwardFlops(products, elementwise)

    def saved_activations(self, how: Execution) -> list[Line]:
        """Return input, heads, scores or their log-sums, and the weights as the products read them."""
        # Under autocast the plain path casts its input anew for each of the three products that read it.
        casts = "3·" if how.mixed and not how.fused_layers else ""
        lines = [
            Line("input", "norm", f"{casts}B·T·C·e"),
            Line("q, k, v", "attention", "3·B·T·C·e"),
            Line("heads' outputs", "attention", "B·T·C·e"),
        ]
        own = how.own_kernels and not how.document_mask
        if how.fused_attention:
            if how.document_mask:
                lines.append(Line("document mask", "attention scores", "B·T·T·e"))
            if not own and (self.rotation or self.qk_norm):
                lines.append(Line("normed, rotated q, k", "attention", "2·B·T·C·e"))
            lines.append(Line("log-sums of the scores", "attention", "B·H·T·4"))
        else:  # exponentials in float32, weights in the type of the product
            lines.append(Line("exponentials of the scores", "attention scores", "B·H·T·T·4"))
            lines.append(Line("attention weights", "attention scores", "B·H·T·T·e"))
        if self.qk_norm:
            lines += self._saved_by_qk_norm(how)
        if how.mixed:
            lines.append(Line("weights in the products' type", "weight copies", "4·C·C·e"))
        elif how.fused_attention:
            lines.append(Line("q, k, v weights side by side", "weight copies", "3·C·C·4"))
        return lines

    def _saved_by_qk_norm(self, how: Execution) -> list[Line]:
        """Our kernel norms anew in the backward pass; torch's norm keeps its float32 input, which q, k may be."""
        if not how.fused_attention:
            saved = RMSNormSpec("D", "B·T·H").saved_activations(how)
            return [Line(f"QK norm, {name}", "norm", scaled("2", formula)) for name, _, formula in saved]
        if how.own_kernels and not how.document_mask:
            return []
        lines = [Line("QK norm, 1/√ of each row", "norm", "2·B·T·H·4")]
        return [*lines, Line("QK norm, input", "norm", "2·B·T·C·4")] if how.mixed else lines


@dataclass(frozen=True)
class ValueGateSpec(Spec):
    """The gate per head through which a value embedding is added to the values."""

    def parameters(self) -> list[Line]:
        """Return the gates."""
        return [Line("", "gate", "H")]

    def flops(self) -> ForwardFlops:
        """Gate, add."""
        return ForwardFlops([], [Line("", "attention", "2·B·T·C")])
