"""How many parameters a model has, exactly, part by part, for every switch of `ModelConfig`.

A tied table is counted once. The tests compare each sum with the built model. Left out: buffers (the rotary table),
which are no parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

from hornbook.accounting.formulas import Term, numbers_of, summed, total
from hornbook.models.config import ModelConfig

BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
FLOAT32 = BYTES["float32"]


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The parameters of a model."""

    terms: list[Term]
    """One line per kind of tensor; layers are summed."""

    @property
    def total(self) -> int:
        """N, every trainable number, a tied table once."""
        return total(self.terms)

    @property
    def hidden(self) -> int:
        """Those of the matrices inside the layers: what Muon trains."""
        return total(self.terms, "attention") + total(self.terms, "feed-forward")

    @property
    def non_embedding(self) -> int:
        """All but the token and value embedding tables and the LM head."""
        return sum(t.value for t in self.terms if t.group not in ("embedding", "LM head"))

    def bytes(self, dtype: str = "float32") -> int:
        """Return the bytes that it takes to load the model in `dtype`."""
        return self.total * BYTES[dtype]


def count_parameters(config: ModelConfig) -> Parameters:
    """Return the parameters of the model that `config` describes, component by component."""
    return Parameters(terms=summed(config, numbers_of(config), lambda spec, _: spec.parameters()))
