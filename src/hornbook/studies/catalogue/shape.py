"""Deep and narrow against shallow and wide, at equal cost per token."""

from __future__ import annotations

import math

from hornbook.accounting.flops import training_flops_per_token
from hornbook.models.config import ModelConfig
from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Arm, Options, Plan, Scale, Settings, Study

DEPTHS: dict[Scale, tuple[int, ...]] = {"tiny": (1, 2, 4), "cpu": (1, 2, 3, 4, 6, 10), "gpu": (1, 2, 4, 6, 8, 12, 16)}


def plan(scale: Scale, options: Options) -> Plan:
    """Return one arm per depth, with the widths that cost the same matrix products per token."""
    base = base_recipe(scale, options)
    depth = base["model"]["num_layers"]
    arms = []
    for layers in sorted({*DEPTHS[scale], depth}):
        width, d_ff = base["model"]["d_model"], base["model"].get("d_ff")
        if layers != depth:
            width, d_ff = equal_cost_widths(base, layers)
        overrides: Settings = {"model.num_layers": layers, "model.d_model": width, "model.d_ff": d_ff}
        arms.append(Arm(name=f"{layers}-layers-of-{width}", overrides=overrides, x=layers))
    baseline = next(arm.name for arm in arms if arm.x == depth)
    return Plan(base=base, arms=tuple(arms), seeds=seeds_of(scale, options), baseline=baseline, x_label="layers")


def equal_cost_widths(base: Settings, layers: int) -> tuple[int, int]:
    """Return d_model and d_ff that cost what the base recipe costs per token.

    d_model is a multiple of twice the number of heads; for each, one d_ff fits the cost, and the pair whose ratio is
    nearest to the usual 8/3 is taken.
    """
    unit = 2 * base["model"]["num_heads"]
    target = training_flops_per_token(_config(base))
    pairs = []
    for width in range(unit, 4 * base["model"]["d_model"], unit):
        # The cost is linear in d_ff.
        at_zero, slope = _line(base, layers, width)
        d_ff = round((target - at_zero) / slope)
        if d_ff >= 1:
            pairs.append((width, d_ff))
    return min(pairs, key=lambda pair: abs(math.log(pair[1] / pair[0] / (8 / 3))))


def _line(base: Settings, layers: int, width: int) -> tuple[float, float]:
    one, other = (
        training_flops_per_token(_config(base, num_layers=layers, d_model=width, d_ff=d_ff)) for d_ff in (64, 128)
    )
    slope = (other - one) / 64
    return one - 64 * slope, slope


def _config(base: Settings, **changes: int) -> ModelConfig:
    return ModelConfig(vocab_size=base["tokenizer"]["vocab_size"], **(base["model"] | changes))


STUDY = Study(
    name="shape",
    question="At equal cost per token, is a deep and narrow model better than a shallow and wide one?",
    design="Depths from 1 up, each with the d_model and d_ff whose matrix products per token, LM head included, equal "
    "the base recipe's. The learning rate is the base recipe's for all, which favours shapes near the base.",
    cost={"tiny": "6 runs of about 2 s", "cpu": "30 runs of about 25 s", "gpu": "35 runs of about 2 min"},
    plan=plan,
    analyse=analysis.standard,
)
