"""Formulas that are computed from the same text that is shown.

A formula is a sum of products such as `L·2·B·T·C·F + 2·B·T·C·V`; `term` evaluates it with exact integers and `spelled`
writes it with its numbers in. So what `--explain` prints is what was computed, to the last digit.
Left out: division, brackets, fractions; whoever needs those computes with the values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hornbook.models.config import ModelConfig
from hornbook.models.parts import parts_of
from hornbook.nn.spec import Line, Spec, scaled

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
    in_layers: bool = False
    """Whether it belongs to the layers, which activation checkpointing computes again."""


def numbers_of(config: ModelConfig, batch_size: int = 1, context_length: int | None = None) -> dict[str, int]:
    """Return the value of every name a formula may use.

    Args:
        config: the model.
        batch_size: B.
        context_length: T; None takes the model's own. It may exceed it: the question is then about a longer model.
    """
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


def summed(
    config: ModelConfig, numbers: Mapping[str, int], lines: Callable[[Spec, bool], Iterable[Line]]
) -> list[Term]:
    """Return a term for each line of each part of the model.

    Args:
        config: the model. Raises ConfigError where `parts_of` does not know it.
        numbers: of `numbers_of`.
        lines: of a part, given its spec and whether it lies within the layers.
    """
    return [
        Term(
            name=f"{part.name}.{line.name}" if line.name else part.name,
            group=line.group,
            formula=(formula := scaled(part.count, line.formula)),
            value=value_of(formula, numbers),
            in_layers=part.in_layers,
        )
        for part in parts_of(config)
        for line in lines(part.spec, part.in_layers)
    ]


def term(name: str, group: str, formula: str, numbers: Mapping[str, int]) -> Term:
    """Return the `Term` whose value is `formula` at `numbers`."""
    return Term(name=name, group=group, formula=formula, value=value_of(formula, numbers))


def value_of(formula: str, numbers: Mapping[str, int]) -> int:
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
