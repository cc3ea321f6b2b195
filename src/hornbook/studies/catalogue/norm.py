"""RMSNorm before, after or nowhere: the handout's layer-norm and pre-norm ablations, with the learning rate swept."""

from __future__ import annotations

from hornbook.studies import analysis, groups
from hornbook.studies.scales import learning_rate_sweep
from hornbook.studies.study import Analysis, Results, Scale, Study

PLACEMENTS = ("pre", "post", "none")
FACTORS: dict[Scale, tuple[float, ...]] = {
    "tiny": (1.0, 0.1),
    "cpu": (3.0, 1.0, 0.3),
    "gpu": (1.0, 0.3, 0.1, 0.03),
}


def analyse(results: Results) -> Analysis:
    """Add how the placements compare, each at its best learning rate, to the standard reading."""
    sentences = [groups.compare_groups(results, PLACEMENTS[0], other) for other in PLACEMENTS[1:]]
    for norm in PLACEMENTS:
        outcomes = [o for arm in results.plan.arms if arm.group == norm for o in results.by_arm[arm.name]]
        lost = f"{sum(o.diverged for o in outcomes)} of {len(outcomes)} runs diverged"
        best = groups.best_of_group(results, norm)
        if not outcomes:
            sentences.append(f"norm = {norm}: no run yet.")
        elif best is None:
            sentences.append(f"norm = {norm}: no learning rate is stable over all seeds ({lost}).")
        else:
            sentences.append(f"norm = {norm}: best at lr {best[0].x:g}, {best[1].cell()['text']}; {lost}.")
    return analysis.standard(results, *sentences)


STUDY = Study(
    name="norm",
    question="What does RMSNorm buy, and does it matter whether it stands before or after the sub-layers?",
    design="norm = pre, post and none, each at the base learning rate and at other ones, because the kinds need not "
    "share a best learning rate: comparing all at one would compare learning rates. Same data, steps and seeds.",
    cost={"tiny": "12 runs of about 2 s", "cpu": "45 runs of about 25 s", "gpu": "60 runs of about 90 s"},
    plan=learning_rate_sweep("model.norm", {norm: norm for norm in PLACEMENTS}, FACTORS),
    analyse=analyse,
)
