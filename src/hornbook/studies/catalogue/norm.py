"""RMSNorm before, after or nowhere: the handout's layer-norm and pre-norm ablations, with the learning rate swept."""

from __future__ import annotations

import dataclasses
import math

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.statistics import mean_interval
from hornbook.studies.study import Analysis, Arm, Options, Plan, Results, Scale, Study

NORMS = ("pre", "post", "none")
FACTORS: dict[Scale, tuple[float, ...]] = {
    "tiny": (1.0, 0.1),
    "cpu": (3.0, 1.0, 0.3),
    "gpu": (1.0, 0.3, 0.1, 0.03),
}


def plan(scale: Scale, options: Options) -> Plan:
    """Return every kind of norm at the base learning rate and at fractions of it."""
    base = base_recipe(scale, options)
    lr = base["optimizer"]["lr"]
    arms = tuple(
        Arm(
            name=f"{norm}-lr-{lr * factor:g}",
            overrides={"model.norm": norm, "optimizer.lr": lr * factor},
            x=lr * factor,
            group=norm,
        )
        for norm in NORMS
        for factor in FACTORS[scale]
    )
    return Plan(
        base=base,
        arms=arms,
        seeds=seeds_of(scale, options),
        baseline=f"pre-lr-{lr:g}",
        x_label="peak learning rate",
    )


def analyse(results: Results) -> Analysis:
    """Add each kind's best learning rate to the standard reading."""
    found = analysis.standard(results)
    grouped = analysis.by_arm(results.plan, results.outcomes)
    said = []
    for norm in NORMS:
        arms = [arm for arm in results.plan.arms if arm.group == norm]
        means = {}
        for arm in arms:
            values = list(analysis.finished(grouped[arm.name], results.plan.metric).values())
            if values and len(values) == len(grouped[arm.name]):
                means[arm] = mean_interval(values)
        lost = sum(o.diverged for arm in arms for o in grouped[arm.name])
        runs = sum(len(grouped[arm.name]) for arm in arms)
        if not means:
            said.append(f"norm = {norm}: no learning rate is stable over all seeds ({lost} of {runs} runs diverged).")
            continue
        best = min(means, key=lambda arm: means[arm].mean if math.isfinite(means[arm].mean) else math.inf)
        said.append(
            f"norm = {norm}: best at lr {best.x:g}, {means[best].cell()['text']}; {lost} of {runs} runs diverged."
        )
    return dataclasses.replace(found, findings=[*said, *found.findings])


STUDY = Study(
    name="norm",
    question="What does RMSNorm buy, and does it matter whether it stands before or after the sub-layers?",
    design="norm = pre, post and none, each at the base learning rate and at other ones, because the kinds need not "
    "share a best learning rate: comparing all at one would compare learning rates. Same data, steps and seeds.",
    cost={"tiny": "12 runs of about 2 s", "cpu": "45 runs of about 25 s", "gpu": "60 runs of about 90 s"},
    plan=plan,
    analyse=analyse,
)
