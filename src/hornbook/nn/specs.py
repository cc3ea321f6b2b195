"""What each part of a model is and costs, without torch: parameters, operations, what it keeps for the backward pass.

A layer that a configuration can choose has its spec here, and the registries `NORMS` and `FEED_FORWARDS` give the kinds
their names; models/parts.py puts a model together from specs, accounting sums their formulas, and the decoding kernel
runs a model only if it knows every part. A new kind is a layer, its spec (of the form in spec.py), and an entry.

What is kept is read off the operators of nn/ and compared with what autograd saves
(tests/unit/test_accounting_memory.py). The residual stream is float32 under mixed precision too; `e` is the size of the
type that matrix products run in.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hornbook.nn.spec import Execution, ForwardFlops, Line, Spec


def loss_chunk_elements(device: str) -> int:
    """Return how many logits the chunked loss holds at a time (`nn/fused.py`), on a "cpu" or an accelerator.

    On a CPU 12 MiB in bfloat16, which stay in the cache that the products share; on an accelerator enough rows to keep
    it busy (6,700 with 10,000 words), of which a long step still needs only some.
    """
    return 3 << 21 if device == "cpu" else 1 << 26


@dataclass(frozen=True)
class RMSNormSpec(Spec):
    """`RMSNorm` over the last dimension.

    Args:
        width: the letter of the dimension.
        rows: how many vectors are normed.
    """

    width: str = "C"
    rows: str = "B·T"
    layer: ClassVar[str] = "hornbook.nn.norm.RMSNorm"
    kernel: ClassVar[str | None] = "rms_norm"

    def parameters(self) -> list[Line]:
        """Return the gain."""
        return [Line("", "norm", self.width)]

    def flops(self) -> ForwardFlops:
        """Per element square, sum, scale, gain; per row mean, + ε, 1/√."""
        return ForwardFlops([], [Line("", "norm", f"{self.rows}·{self.width}·4 + {self.rows}·3")])

    def saved_activations(self, how: Execution) -> list[Line]:
        """Its input and the scale of each row; unfused also the normalised input, which the gain's gradient reads."""
        lines = [self._saved_input(how), Line("1/√ of each row", "norm", f"{self.rows}·4")]
        if not how.fused_layers:
            lines.append(Line("normalised, before the gain", "norm", f"{self.rows}·{self.width}·4"))
        return lines

    def _saved_input(self, how: Execution) -> Line:
        return Line("input", "residual stream", f"{self.rows}·{self.width}·{'e' if how.narrow_stream else '4'}")


@dataclass(frozen=True)
class LayerNormSpec(RMSNormSpec):
    """`LayerNorm`: `RMSNorm` of the centred input; it has no kernel in the decoder."""

    layer: ClassVar[str] = "hornbook.nn.norm.LayerNorm"

    def flops(self) -> ForwardFlops:
        """Besides the RMSNorm's, sum and subtract per element and the mean per row."""
        return ForwardFlops([], [Line("", "norm", f"{self.rows}·{self.width}·6 + {self.rows}·4")])

    def _saved_input(self, how: Execution) -> Line:
        return Line("centred input", "norm", f"{self.rows}·{self.width}·4")


NORMS: dict[str, type[RMSNormSpec]] = {"rmsnorm": RMSNormSpec, "layernorm": LayerNormSpec}
"""norm_kind → spec."""


@dataclass(frozen=True)
class FeedForwardSpec(Spec):
    """A feed-forward network: by its class attributes the un-gated one, w2 f(w1 x)."""

    layer: ClassVar[str] = "hornbook.nn.feed_forward.SiLUFeedForward"
    kernel: ClassVar[str | None] = "silu"
    matrices: ClassVar[tuple[str, ...]] = ("w1", "w2")
    elementwise: ClassVar[Mapping[str, str]] = {"silu": "B·T·F·5"}  # negate, exp, + 1, divide, ×

    @staticmethod
    def default_d_ff(d_model: int) -> int:
        """Return the width where none is given.

        Two matrices at 4 · d_model have as many parameters as the three of the gated network at 8/3 · d_model (handout
        §3.5.2 and its SiLU ablation), so that the defaults are comparable.
        """
        return 4 * d_model

    def parameters(self) -> list[Line]:
        """Return the matrices."""
        return [Line(name, "feed-forward", "F·C" if name == "w2" else "C·F") for name in self.matrices]

    def flops(self) -> ForwardFlops:
        """Return a product per matrix, and the function between them."""
        products = [Line(line.name, line.group, f"2·B·T·{line.formula}") for line in self.parameters()]
        return ForwardFlops(
            products, [Line(name, "feed-forward", formula) for name, formula in self.elementwise.items()]
        )

    def saved_activations(self, how: Execution) -> list[Line]:
        """Return input, inner states, and the weights as the products read them."""
        lines = [Line("input", "norm", "B·T·C·e"), Line("inner states", "feed-forward", "3·B·T·F·e")]
        if how.mixed:
            lines.append(Line("weights in the products' type", "weight copies", "2·C·F·e"))
        return lines


@dataclass(frozen=True)
class ReLU2Spec(FeedForwardSpec):
    """w2 relu(w1 x)²."""

    layer: ClassVar[str] = "hornbook.nn.feed_forward.ReLU2FeedForward"
    kernel: ClassVar[str | None] = "relu2"
    elementwise: ClassVar[Mapping[str, str]] = {"relu²": "B·T·F·2"}  # max with 0, square


@dataclass(frozen=True)
class SwiGLUSpec(FeedForwardSpec):
    """w2(silu(w1 x) ⊙ w3 x)."""

    layer: ClassVar[str] = "hornbook.nn.feed_forward.SwiGLU"
    kernel: ClassVar[str | None] = "swiglu"
    matrices: ClassVar[tuple[str, ...]] = ("w1", "w3", "w2")
    elementwise: ClassVar[Mapping[str, str]] = {"silu": "B·T·F·5", "gate": "B·T·F"}

    @staticmethod
    def default_d_ff(d_model: int) -> int:
        """Return the multiple of 64 nearest to 8/3 · d_model (512 → 1344), never less than 64."""
        return max(64, 64 * round(8 * d_model / 3 / 64))

    def saved_activations(self, how: Execution) -> list[Line]:
        """Gate, up and product; without our kernels SiLU's result besides; unfused the sigmoid too."""
        inner = (3 if how.own_kernels else 4) if how.fused_layers else 5
        # Under autocast the plain path casts its input anew for each of the two products that read it.
        casts = "2·" if how.mixed and not how.fused_layers else ""
        lines = [Line("input", "norm", f"{casts}B·T·C·e"), Line("inner states", "feed-forward", f"{inner}·B·T·F·e")]
        if how.mixed:
            lines.append(Line("weights in the products' type", "weight copies", "3·C·F·e"))
        elif how.fused_layers:
            lines.append(Line("w1, w3 side by side", "weight copies", "2·C·F·4"))
        return lines


FEED_FORWARDS: dict[str, type[FeedForwardSpec]] = {"swiglu": SwiGLUSpec, "silu": FeedForwardSpec, "relu2": ReLU2Spec}
"""ffn → spec."""


@dataclass(frozen=True)
class EmbeddingSpec(Spec):
    """`Embedding`: a look-up, which is no arithmetic and keeps nothing of its own."""

    kernel: ClassVar[str | None] = "embedding"

    def parameters(self) -> list[Line]:
        """Return the table."""
        return [Line("", "embedding", "V·C")]


@dataclass(frozen=True)
class ValueEmbeddingSpec(EmbeddingSpec):
    """The table of a value embedding, whose vectors the gate's gradient reads."""

    def saved_activations(self, how: Execution) -> list[Line]:
        """Return the vectors."""
        return [Line("", "attention", "B·T·C·4")]


@dataclass(frozen=True)
class DropoutSpec(Spec):
    """`Dropout` while training; in the decoding kernel, where nothing is dropped, the identity."""

    kernel: ClassVar[str | None] = "identity"

    def flops(self) -> ForwardFlops:
        """Compare, ×, ÷."""
        return ForwardFlops([], [Line("", "residual", "B·T·C·3")])

    def saved_activations(self, how: Execution) -> list[Line]:
        """Return the mask, a byte an element."""
        return [Line("mask", "dropout", "B·T·C")]


@dataclass(frozen=True)
class ResidualSpec(Spec):
    """The sum of a sub-layer's output and its input."""

    kernel: ClassVar[str | None] = "sum"

    def flops(self) -> ForwardFlops:
        """Return the additions."""
        return ForwardFlops([], [Line("", "residual", "B·T·C")])


@dataclass(frozen=True)
class HeadSpec(Spec):
    """The LM head and the loss.

    Args:
        tied: its matrix is the embedding table, which counts there.
        softcap: the logits are capped.
    """

    tied: bool = False
    softcap: bool = False
    kernel: ClassVar[str | None] = "head"

    def parameters(self) -> list[Line]:
        """Return the matrix where it is the head's own."""
        return [] if self.tied else [Line("", "LM head", "V·C")]

    def flops(self) -> ForwardFlops:
        """Return the product; the cap; the cross-entropy."""
        cap = [Line("softcap", "loss", "B·T·V·3")] if self.softcap else []  # ÷, tanh, ×
        # per logit: max, subtract, exp, sum; per token: log, subtract, mean
        loss = Line("cross-entropy", "loss", "B·T·V·4 + B·T·3")
        return ForwardFlops([Line("", "LM head", "2·B·T·C·V")], [*cap, loss])

    def saved_activations(self, how: Execution) -> list[Line]:
        """Chunked: the two gradients, made in the forward pass; else what they will be made of."""
        if how.chunked_loss:
            return [
                Line("gradient of its input", "loss", "B·T·C·e"),
                Line("gradient of its table", "loss", "V·C·4"),
            ]
        lines = [
            Line("input", "loss", "B·T·C·e"),
            Line("logits less their maximum, and exponentials", "loss", "2·B·T·V·4"),
        ]
        if self.softcap:
            lines.append(Line("tanh of the cap", "loss", "B·T·V·e"))
        return [*lines, Line("table in the products' type", "loss", "V·C·e")] if how.mixed else lines


def layer_class(spec: type[RMSNormSpec | FeedForwardSpec]) -> Any:
    """Return the layer that a spec stands for; imports it, and torch with it."""
    module, _, name = spec.layer.rpartition(".")
    return getattr(importlib.import_module(module), name)
