"""One tensor for the token embedding and the LM head, or two."""

from __future__ import annotations

import dataclasses

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Analysis, Arm, Options, Plan, Results, Scale, Study

FACTORS: dict[Scale, tuple[float, ...]] = {"tiny": (1.0,), "cpu": (0.3, 1.0, 2.0), "gpu": (0.3, 1.0, 2.0)}


def plan(scale: Scale, options: Options) -> Plan:
    """Return tied and untied embeddings around the base learning rate."""
    base = base_recipe(scale, options)
    lr = base["optimizer"]["lr"]
    arms = tuple(
        Arm(
            name=f"{name}-lr-{lr * factor:g}",
            overrides={"model.tie_embeddings": name == "tied", "optimizer.lr": lr * factor},
            x=lr * factor,
            group=name,
        )
        for name in ("untied", "tied")
        for factor in FACTORS[scale]
    )
    baseline = f"untied-lr-{lr:g}"
    return Plan(base=base, arms=arms, seeds=seeds_of(scale, options), baseline=baseline, x_label="peak learning rate")


def analyse(results: Results) -> Analysis:
    """Compare tied and untied, each at its best learning rate."""
    found = analysis.standard(results)
    return dataclasses.replace(found, findings=[analysis.compare_groups(results, "untied", "tied"), *found.findings])


STUDY = Study(
    name="weight_tying",
    question="Does a shared embedding and LM head cost or save loss at this size?",
    design="Tied and untied embeddings, each over several learning rates because their initial scales differ (tied "
    "starts at N(0, 1/d)); a tied model has V·d parameters fewer, and nothing is given back for them.",
    cost={"tiny": "4 runs of about 2 s", "cpu": "30 runs of about 25 s", "gpu": "30 runs of about 90 s"},
    plan=plan,
    analyse=analyse,
)
