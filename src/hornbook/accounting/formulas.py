"""Formulas that are computed from the same text that is shown.

A formula is a sum of products such as `L·2·B·T·C·F + 2·B·T·C·V`; `term` evaluates it with exact integers and `spelled`
writes it with its numbers in. So what `--explain` prints is what was computed, to the last digit.
Left out: division, brackets, fractions; whoever needs those computes with the values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hornbook.errors import ConfigError
from hornbook.models.config import ModelConfig, unknown_field

__all__ = ["MEANINGS", "Term", "evaluate", "numbers_of", "spelled", "term", "total"]

MEANINGS = {
    "B": "sequences in a batch",
    "T": "tokens in a sequence",
    "C": "d_model, width of the residual stream",
    "F": "d_ff, width of the feed-forward network",
    "H": "num_heads",
    "D": "d_head = C / H",
    "L": "num_layers",
    "V": "vocab_size",
    "G": "layers with a value embedding",
    "N": "parameters",
    "e": "bytes of an element of the matrix products",
    "K": "parameters of the hidden matrices (Muon's)",
    "E": "parameters that are not hidden matrices",
    "W": "matrices of a feed-forward network",
    "r": "the smaller of C and F",
    "c": "the greater of C and F",
}

_KNOWN = {
    **dict.fromkeys(("vocab_size", "context_length", "d_model", "num_layers", "num_heads", "d_ff")),
    **dict.fromkeys(("rope_theta", "norm_eps", "logit_softcap", "dropout", "value_embeddings")),
    "norm": ("pre", "post", "none"),
    "position": ("rope", "none"),
    "ffn": ("swiglu", "silu", "relu2"),
    **dict.fromkeys(("tie_embeddings", "qk_norm", "zero_init_output"), (False, True)),
}
"""What the formulas take into account of a model's configuration (see `unknown_field`)."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """One line of an account: what is counted, by which formula, and how much it is."""

    name: str
    """What is counted, such as `ffn.w1`."""
    group: str
    """The component of a table or figure that it belongs to, such as `feed-forward`."""
    formula: str
    """A sum of products over the names of `MEANINGS`."""
    value: int
    """The formula's value."""


def numbers_of(config: ModelConfig, batch_size: int = 1, context_length: int | None = None) -> dict[str, int]:
    """Return the value of every name a formula may use.

    Args:
        config: the model.
        batch_size: B.
        context_length: T; None takes the model's own. It may exceed it: the question is then about a longer model.

    Raises:
        ConfigError: the model has a setting that no formula takes into account.
    """
    unknown = unknown_field(config, _KNOWN)
    if unknown:
        raise ConfigError(
            f"{unknown} = {getattr(config, unknown)!r} is not taken into account by the accounting; "
            "what it would say of such a model would be wrong"
        )
    return {
        "B": batch_size,
        "T": config.context_length if context_length is None else context_length,
        "C": config.d_model,
        "F": config.resolved_d_ff,
        "H": config.num_heads,
        "D": config.d_head,
        "L": config.num_layers,
        "V": config.vocab_size,
        "G": config.value_embeddings,
    }


def term(name: str, group: str, formula: str, numbers: Mapping[str, int]) -> Term:
    """Return the `Term` whose value is `formula` at `numbers`."""
    return Term(name=name, group=group, formula=formula, value=evaluate(formula, numbers))


def evaluate(formula: str, numbers: Mapping[str, int]) -> int:
    """Return the exact value of a sum of products."""
    return sum(math.prod(_value(factor, numbers) for factor in product.split("·")) for product in formula.split(" + "))


def spelled(formula: str, numbers: Mapping[str, int]) -> str:
    """Return the formula with its numbers in, as `48·2·1·1,024·1,600`."""
    products = [[_text(factor, numbers) for factor in product.split("·")] for product in formula.split(" + ")]
    return " + ".join("·".join(product) for product in products)


def total(terms: list[Term], group: str | None = None) -> int:
    """Return the sum of the terms, of one group if given."""
    return sum(t.value for t in terms if group is None or t.group == group)


def _split(factor: str) -> tuple[str, int]:
    for mark, power in (("²", 2), ("³", 3)):
        if factor.endswith(mark):
            return factor[:-1], power
    return factor, 1


def _value(factor: str, numbers: Mapping[str, int]) -> int:
    name, power = _split(factor)
    return (int(name) if name.isdigit() else numbers[name]) ** power


def _text(factor: str, numbers: Mapping[str, int]) -> str:
    name, power = _split(factor)
    return (name if name.isdigit() else f"{numbers[name]:,}") + {1: "", 2: "²", 3: "³"}[power]
