"""Every optimizer that a recipe can name: its class, the recipe keys that it takes, and what it costs.

The one place where optimizers are listed. [optimizer] takes its names from here, `make_optimizer` builds from here, and
accounting evaluates the formulas written here; a new optimizer is its module and one entry. No torch is imported until
one is built. Formulas are sums of products as in accounting/formulas.py: N parameters, K of them in hidden matrices,
E the rest, and the model's shape. Left out: schedules (schedule.py), and the few bytes of a step counter per tensor.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hornbook.errors import ConfigError, did_you_mean
from hornbook.optim.groups import parameter_groups

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec:
    """What the rest of the project has to know of an optimizer."""

    implementation: str
    """Its class, as a dotted path that is imported when one is built."""
    arguments: Mapping[str, str]
    """For each argument of the class the key of [optimizer] that gives it; keys not named here have no effect."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that no key gives."""
    hidden_lr: str | None = None
    """The key with the peak learning rate of the hidden matrices, which form groups of their own (`use_muon`); None:
    every parameter has the peak `lr`."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Values of keys that a recipe does not give, where they differ from AdamW's (those of [optimizer])."""
    state: str
    """Numbers kept between updates, as a formula."""
    flops: str
    """Operations of one update, as a formula."""


OPTIMIZERS: dict[str, OptimizerSpec] = {
    # m: ×, ×, + (3); v: ×, square, ×, + (4); θ: √, + ε, ÷, × α_t, − (5); decay: × αλ, − (2)
    "adamw": OptimizerSpec(
        implementation="hornbook.optim.adamw.AdamW",
        arguments={"lr": "lr", "betas": "betas", "eps": "eps", "weight_decay": "weight_decay"},
        state="2·N",
        flops="14·N",
    ),
    # Five Newton–Schulz steps on an r × c matrix (r ≤ c) take 5·(4·r²·c + 2·r³): C × C four times a layer, C × F two or
    # three times. Momentum, scaling and step: 6 per weight of a hidden matrix. AdamW for the rest.
    "muon": OptimizerSpec(
        implementation="hornbook.optim.muon.Muon",
        arguments={
            "lr": "muon_lr",
            "momentum": "momentum",
            "weight_decay": "weight_decay",
            "momentum_warmup_steps": "momentum_warmup_steps",
            "normuon": "normuon",
            "cautious": "cautious",
            "adamw_lr": "lr",
            "adamw_betas": "betas",
            "adamw_eps": "eps",
            "adamw_weight_decay": "weight_decay",
        },
        hidden_lr="muon_lr",
        state="K + 2·E",
        flops="L·4·5·6·C³ + L·W·5·4·r²·c + L·W·5·2·r³ + 6·K + 14·E",
    ),
    # c: ×, ×, + (3); sign (1); θ: × α, − (2); decay: × αλ, − (2); m: ×, ×, + (3)
    "lion": OptimizerSpec(
        implementation="hornbook.optim.lion.Lion",
        arguments={"lr": "lr", "betas": "betas", "weight_decay": "weight_decay"},
        defaults={"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 1.0},
        state="N",
        flops="11·N",
    ),
    # The schedule sets its rate; the handout's own 1/√(t+1) is off.
    "sgd": OptimizerSpec(
        implementation="hornbook.optim.sgd.SGD",
        arguments={"lr": "lr"},
        fixed={"decay": "none"},
        state="0",
        flops="2·N",
    ),
}

if TYPE_CHECKING:
    OptimizerName = str
else:
    OptimizerName = Literal[tuple(OPTIMIZERS)]  # what a recipe may say, for the check and for `--help`


def optimizer_spec(name: str) -> OptimizerSpec:
    """Return what is known of the optimizer called `name`. Raises ConfigError if there is none."""
    if name not in OPTIMIZERS:
        raise ConfigError(
            f"there is no optimizer {name!r}{did_you_mean(name, OPTIMIZERS)}; choose {', '.join(OPTIMIZERS)}"
        )
    return OPTIMIZERS[name]


def make_optimizer(section: Any, named_parameters: Iterable[tuple[str, Tensor]]) -> Optimizer:
    """Return the optimizer that a recipe asks for, with the peak of its learning rate as `peak_lr` in every group.

    Args:
        section: [optimizer] of the recipe.
        named_parameters: `model.named_parameters()`; the names decide the groups (groups.py).

    Raises:
        ConfigError: an unknown name, or a hyperparameter out of its range.
    """
    spec = optimizer_spec(section.name)
    groups = parameter_groups(
        named_parameters,
        decay_norms_and_embeddings=section.decay == "all",
        muon=spec.hidden_lr is not None,
    )
    for group in groups:
        group["peak_lr"] = getattr(section, spec.hidden_lr if spec.hidden_lr and group["use_muon"] else "lr")
        if "weight_decay" not in spec.arguments:
            group.pop("weight_decay", None)
    module, _, name = spec.implementation.rpartition(".")
    arguments = {argument: getattr(section, key) for argument, key in spec.arguments.items()}
    return getattr(importlib.import_module(module), name)(groups, **arguments, **spec.fixed)
