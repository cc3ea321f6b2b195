"""How many parameters a model has, exactly, part by part, for every switch of `ModelConfig`.

A tied table is counted once. The tests compare each sum with the built model. Left out: buffers (the rotary table),
which are no parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

from hornbook.accounting.formulas import Term, numbers_of, term, total
from hornbook.models.config import ModelConfig

__all__ = ["BYTES", "Parameters", "count_parameters"]

BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}


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
        return sum(
            t.value for t in self.terms if t.group in ("attention", "feed-forward") and t.name != "attn.value_gate"
        )

    @property
    def non_embedding(self) -> int:
        """All but the token and value embedding tables and the LM head."""
        return sum(t.value for t in self.terms if t.group not in ("embedding", "LM head"))

    def bytes(self, dtype: str = "float32") -> int:
        """Return the bytes that it takes to load the model in `dtype`."""
        return self.total * BYTES[dtype]


def count_parameters(config: ModelConfig) -> Parameters:
    """Return the parameters of the model that `config` describes, component by component."""
    n = numbers_of(config)
    terms = [term("token_embeddings", "embedding", "V·C", n)]
    if config.value_embeddings:
        terms.append(term("value_embeddings", "embedding", "G·V·C", n))
        terms.append(term("attn.value_gate", "attention", "G·H", n))
    terms += [term(f"attn.{name}_proj", "attention", "L·C·C", n) for name in ("q", "k", "v", "output")]
    if config.qk_norm:
        terms.append(term("attn.q_norm, k_norm", "norm", "L·2·D", n))
    terms.append(term("ffn.w1", "feed-forward", "L·C·F", n))
    if config.ffn == "swiglu":
        terms.append(term("ffn.w3", "feed-forward", "L·C·F", n))
    terms.append(term("ffn.w2", "feed-forward", "L·F·C", n))
    if config.norm != "none":
        terms.append(term("ln1, ln2", "norm", "L·2·C", n))
        terms.append(term("ln_final", "norm", "C", n))
    if not config.tie_embeddings:
        terms.append(term("lm_head", "LM head", "V·C", n))
    return Parameters(terms=terms)
