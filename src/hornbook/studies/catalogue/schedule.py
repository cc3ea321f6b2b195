"""The shape of the learning rate's decline, and how far down it goes."""

from __future__ import annotations

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Arm, Options, Plan, Scale, Study

FLOORS: dict[Scale, tuple[float, ...]] = {"tiny": (0.1,), "cpu": (0.0, 0.1, 0.3), "gpu": (0.0, 0.05, 0.1, 0.3)}


def plan(scale: Scale, options: Options) -> Plan:
    """Return every schedule with every floor, and the constant learning rate."""
    base = base_recipe(scale, options)
    lr, steps = base["optimizer"]["lr"], base["training"]["steps"]
    arms = [Arm(name="constant", overrides={"schedule.name": "constant"})]
    for floor in FLOORS[scale]:
        for name in ("cosine", "linear", "wsd"):
            decay = {"schedule.decay_steps": max(1, steps // 2)} if name == "wsd" else {}
            overrides = {"schedule.name": name, "schedule.min_lr": lr * floor} | decay
            arms.append(Arm(name=f"{name}-to-{floor:g}", overrides=overrides))
    return Plan(base=base, arms=tuple(arms), seeds=seeds_of(scale, options), baseline="cosine-to-0.1")


STUDY = Study(
    name="schedule",
    question="Does it matter how the learning rate declines, and how far?",
    design="Cosine, linear and WSD (constant, then linear over the second half) to several floors, as shares of the "
    "peak, and no decline at all; the same peak, warm-up and steps.",
    cost={"tiny": "8 runs of about 2 s", "cpu": "50 runs of about 25 s", "gpu": "65 runs of about 90 s"},
    plan=plan,
    analyse=analysis.standard,
)
