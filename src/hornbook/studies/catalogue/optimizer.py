"""AdamW against Muon, both swept over their learning rates with equal effort."""

from __future__ import annotations

from statistics import median_high

from hornbook.studies import analysis, groups
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Analysis, Arm, Options, Plan, Results, Scale, Study

FACTORS: dict[Scale, tuple[float, ...]] = {
    "tiny": (1.0,),
    "cpu": (0.3, 0.6, 1.0, 2.0, 4.0),
    "gpu": (0.25, 0.5, 1.0, 2.0, 4.0),
}
MUON_LR = 0.02
"""The centre of Muon's grid; the embedding, the head and the norms keep AdamW at the base learning rate."""


def plan(scale: Scale, options: Options) -> Plan:
    """Return the same number of learning rates for each optimizer."""
    base = base_recipe(scale, options)
    lr = base["optimizer"]["lr"]
    grids = {"adamw": ("optimizer.lr", lr), "muon": ("optimizer.muon_lr", MUON_LR)}
    arms = tuple(
        Arm(name=f"{name}-lr-{middle * f:g}", overrides={"optimizer.name": name, key: middle * f}, x=f, group=name)
        for name, (key, middle) in grids.items()
        for f in FACTORS[scale]
    )
    seeds, baseline = seeds_of(scale, options), f"adamw-lr-{lr:g}"
    x_label = "learning rate as a multiple of the centre of the optimizer's grid"
    return Plan(base=base, arms=arms, seeds=seeds, baseline=baseline, x_label=x_label)


def analyse(results: Results) -> Analysis:
    """Compare the two at their best learning rates, per step and per second."""
    sentences = [groups.compare_groups(results, "adamw", "muon")]
    speeds = [_speed_of_best(results, group) for group in ("adamw", "muon")]
    if all(speeds):
        adamw, muon = speeds
        sentences.append(f"Speed of these runs: AdamW {adamw:,.0f} tokens/s, Muon {muon:,.0f} ({muon / adamw:.2f} ×).")
    return analysis.standard(results, *sentences)


def _speed_of_best(results: Results, group: str) -> float:
    best = groups.best_of_group(results, group)
    runs = [] if best is None else results.by_arm[best[0].name]
    speeds = [o.values["tokens_per_second"] for o in runs if o.values.get("tokens_per_second")]
    return median_high(speeds) if speeds else 0.0


STUDY = Study(
    name="optimizer",
    question="Does Muon reach a lower loss than AdamW in the same number of steps, when both are swept?",
    design="AdamW over a grid of learning rates, and Muon (on the hidden matrices, AdamW at the base learning rate "
    "on the rest) over a grid of as many; the two are compared at their best, over the same seeds, data and steps.",
    cost={"tiny": "4 runs of about 2 s", "cpu": "50 runs of about 25 s", "gpu": "50 runs of about 2 min"},
    plan=plan,
    analyse=analyse,
)
