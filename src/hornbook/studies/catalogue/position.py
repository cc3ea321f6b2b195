"""Rotary position embedding, or none: the causal mask alone also tells positions apart."""

from __future__ import annotations

import dataclasses

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Analysis, Arm, Options, Plan, Results, Scale, Study

FACTORS: dict[Scale, tuple[float, ...]] = {"tiny": (1.0,), "cpu": (0.3, 1.0, 2.0), "gpu": (0.3, 1.0, 2.0)}


def plan(scale: Scale, options: Options) -> Plan:
    """Return rope and none around the base learning rate."""
    base = base_recipe(scale, options)
    lr = base["optimizer"]["lr"]
    arms = tuple(
        Arm(
            name=f"{position}-lr-{lr * factor:g}",
            overrides={"model.position": position, "optimizer.lr": lr * factor},
            x=lr * factor,
            group=position,
        )
        for position in ("rope", "none")
        for factor in FACTORS[scale]
    )
    baseline = f"rope-lr-{lr:g}"
    return Plan(base=base, arms=arms, seeds=seeds_of(scale, options), baseline=baseline, x_label="peak learning rate")


def analyse(results: Results) -> Analysis:
    """Compare rope with none, each at its best learning rate."""
    found = analysis.standard(results)
    return dataclasses.replace(found, findings=[analysis.compare_groups(results, "rope", "none"), *found.findings])


STUDY = Study(
    name="position",
    question="How much does the rotary position embedding lower the loss?",
    design="position = rope and none (NoPE), each over several learning rates; nothing else differs, not even the "
    "initial weights.",
    cost={"tiny": "4 runs of about 2 s", "cpu": "30 runs of about 25 s", "gpu": "30 runs of about 90 s"},
    plan=plan,
    analyse=analyse,
)
