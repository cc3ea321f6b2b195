"""What an optimizer costs for a given model: the numbers it keeps and the operations of one update.

The formulas are those of optim/registry.py, where each stands beside the optimizer; here they get their numbers.
"""

from __future__ import annotations

from hornbook.accounting.formulas import Term, numbers_of, term
from hornbook.accounting.parameters import count_parameters
from hornbook.models.config import ModelConfig
from hornbook.nn.specs import FEED_FORWARDS
from hornbook.optim.registry import optimizer_spec


def optimizer_step(config: ModelConfig, optimizer: str = "adamw") -> Term:
    """Return the operations of one update of all parameters. Raises ConfigError for an unknown optimizer."""
    return term(optimizer, "optimizer", optimizer_spec(optimizer).flops, _numbers(config))


def optimizer_state(config: ModelConfig, optimizer: str = "adamw") -> Term:
    """Return how many numbers are kept between updates. Raises ConfigError for an unknown optimizer."""
    return term(optimizer, "optimizer", optimizer_spec(optimizer).state, _numbers(config))


def _numbers(config: ModelConfig) -> dict[str, int]:
    parameters = count_parameters(config)
    narrow, wide = sorted((config.d_model, config.resolved_d_ff))
    return numbers_of(config) | {
        "N": parameters.total,
        "K": parameters.hidden,
        "E": parameters.total - parameters.hidden,
        "W": len(FEED_FORWARDS[config.ffn].matrices),
        "r": narrow,
        "c": wide,
    }
