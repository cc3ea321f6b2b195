"""The textbook's memory of a training step: every intermediate of the handout's list, kept in float32.

CS336 assignment 1, problem adamwAccounting: an un-gated feed-forward network with d_ff = 4 d_model, an untied head,
nothing fused, nothing freed early. Peak = parameters + gradients + two AdamW moments + activations, which is
a · batch + b. A pencil-and-paper figure, deliberately: what this engine really takes is `measured` in memory.py.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from hornbook.accounting.formulas import Term, numbers_of, term, total
from hornbook.accounting.parameters import FLOAT32, Parameters, count_parameters
from hornbook.models.config import ModelConfig


@dataclass(frozen=True, kw_only=True)
class TextbookMemory:
    """Bytes of a training step by the handout's list."""

    parameters: Parameters
    """Of the un-gated model with d_ff = 4 d_model."""
    activation_terms: list[Term]
    """Elements of one sequence (B = 1), intermediate by intermediate."""
    numbers: dict[str, int]
    """The values of the formulas' names."""

    @property
    def per_sequence(self) -> int:
        """a: bytes of activations of one sequence."""
        return FLOAT32 * total(self.activation_terms)

    @property
    def fixed(self) -> int:
        """b: bytes of parameters, gradients and AdamW's two moments, 16 per parameter."""
        return 4 * FLOAT32 * self.parameters.total

    def peak(self, batch_size: int) -> int:
        """Return a · batch + b, in bytes."""
        return self.per_sequence * batch_size + self.fixed

    def largest_batch(self, memory_bytes: int) -> int:
        """Return the largest batch whose peak fits into `memory_bytes`; 0 if not even one sequence does."""
        return max(0, (memory_bytes - self.fixed) // self.per_sequence)


def textbook_memory(config: ModelConfig) -> TextbookMemory:
    """Return the handout's memory account for the widths, depth, vocabulary and context of `config`.

    Its feed-forward, tying and other switches are replaced by the handout's assumptions (see the head comment).
    """
    plain = dataclasses.replace(
        config,
        ffn="silu",
        d_ff=4 * config.d_model,
        norm="pre",
        tie_embeddings=False,
        qk_norm=False,
        value_embeddings=0,
    )
    n = numbers_of(plain)
    terms = [
        term("ln1, ln2", "norm", "L·2·B·T·C", n),
        term("q, k, v", "attention", "L·3·B·T·C", n),
        term("scores (q kᵀ)", "attention scores", "L·B·H·T·T", n),
        term("softmax", "attention scores", "L·B·H·T·T", n),
        term("weighted sum of values", "attention", "L·B·T·C", n),
        term("output projection", "attention", "L·B·T·C", n),
        term("w1", "feed-forward", "L·B·T·F", n),
        term("silu", "feed-forward", "L·B·T·F", n),
        term("w2", "feed-forward", "L·B·T·C", n),
        term("ln_final", "norm", "B·T·C", n),
        term("logits", "logits", "B·T·V", n),
        term("cross-entropy", "logits", "B·T", n),
    ]
    return TextbookMemory(parameters=count_parameters(plain), activation_terms=terms, numbers=n)
