"""The learning rate, from too small to past divergence: where the loss is lowest, and how near that is to the edge."""

from __future__ import annotations

import math

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.statistics import mean_interval
from hornbook.studies.study import Analysis, Arm, Options, Plan, Results, Scale, Study

GRIDS: dict[Scale, tuple[float, ...]] = {
    "tiny": (1e-3, 1e-2, 1e-1, 1.0),
    "cpu": (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0),
    "gpu": (3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 7e-3, 1e-2, 3e-2, 1e-1),
}


def plan(scale: Scale, options: Options) -> Plan:
    """Return one arm per learning rate of the grid; warm-up and the decay to a tenth stay the same."""
    arms = tuple(Arm(name=f"lr-{lr:g}", overrides={"optimizer.lr": lr}, x=lr) for lr in GRIDS[scale])
    # With decay λ the last rates would only show α·λ ≥ 1, at which an update leaves nothing of the weights.
    base = base_recipe(scale, options, {"optimizer": {"weight_decay": 0.0}})
    nearest = min(arms, key=lambda arm: abs(math.log((arm.x or 1) / base["optimizer"]["lr"])))
    seeds = seeds_of(scale, options)
    return Plan(base=base, arms=arms, seeds=seeds, baseline=nearest.name, x_label="peak learning rate")


def analyse(results: Results) -> Analysis:
    """Add the edge of stability to the standard reading, and relate the best learning rate to it."""
    return analysis.standard(results, *edge_sentences(results))


def edge_sentences(results: Results) -> list[str]:
    """Return what the grid says about the largest stable learning rate and the best one."""
    arms, runs = results.plan.arms, results.by_arm
    unstable = [arm for arm in arms if any(o.diverged for o in runs[arm.name])]
    stable = [arm for arm in arms if runs[arm.name] and arm not in unstable]
    if not stable:
        return ["No learning rate of the grid is stable over all seeds."]
    means = {arm: mean_interval(list(results.final(arm.name).values())).mean for arm in stable}
    best = min(stable, key=lambda arm: means[arm])
    edge = max(stable, key=lambda arm: arm.x or 0)
    sentences = []
    if unstable:
        first = min(unstable, key=lambda arm: arm.x or 0)
        sentences.append(
            f"Every seed is stable up to lr {edge.x:g}; the first learning rate of the grid at which a seed diverges "
            f"(stopped by the guard, ends well above its start, or stays there for a time) is {first.x:g}."
        )
        ratio = (first.x or 1) / (best.x or 1)
        sentences.insert(
            0, f"The best learning rate of the grid is {best.x:g}, {ratio:.3g} × below the first that diverges."
        )
    else:
        sentences.append(f"No run of the grid diverged, up to lr {edge.x:g}: the edge of stability lies above it.")
        sentences.insert(0, f"The best learning rate of the grid is {best.x:g}.")
    worst = max(stable, key=lambda arm: means[arm])
    sentences.append(
        f"Among the stable ones the mean final loss runs from {means[best]:.3f} (lr {best.x:g}) to "
        f"{means[worst]:.3f} (lr {worst.x:g})."
    )
    return sentences


STUDY = Study(
    name="learning_rate",
    question="Which learning rate gives the lowest loss, and how close is it to the edge of stability?",
    design="The same model, data and number of steps at each learning rate of a logarithmic grid that goes on past "
    "divergence; cosine decay to a tenth of the peak, gradient clipping at 1, no weight decay (α·λ ≥ 1 would take all "
    "weights to zero whatever the loss does). A run diverges if the guard stops it (a loss or gradient that is not "
    "finite, or a spike), if it ends well above its first loss, or if it stays there for twenty updates, whatever the "
    "falling rate repairs later.",
    cost={"tiny": "8 runs of about 2 s", "cpu": "50 runs of about 25 s", "gpu": "45 runs of about 90 s"},
    plan=plan,
    analyse=analyse,
)
