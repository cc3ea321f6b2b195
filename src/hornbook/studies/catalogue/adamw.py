"""AdamW's settings and the warm-up, one at a time around the base recipe."""

from __future__ import annotations

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Arm, Options, Plan, Scale, Study

SETTINGS: dict[str, dict[str, object]] = {
    "beta1-0.8": {"optimizer.betas": [0.8, 0.95]},
    "beta1-0.95": {"optimizer.betas": [0.95, 0.95]},
    "beta2-0.9": {"optimizer.betas": [0.9, 0.9]},
    "beta2-0.99": {"optimizer.betas": [0.9, 0.99]},
    "beta2-0.999": {"optimizer.betas": [0.9, 0.999]},
    "eps-1e-6": {"optimizer.eps": 1e-6},
    "eps-1e-4": {"optimizer.eps": 1e-4},
    "decay-0": {"optimizer.weight_decay": 0.0},
    "decay-0.01": {"optimizer.weight_decay": 0.01},
    "decay-1": {"optimizer.weight_decay": 1.0},
}
AT_TINY = ("beta2-0.999", "eps-1e-4", "decay-0")


def plan(scale: Scale, options: Options) -> Plan:
    """Return the base recipe and one arm per changed setting, warm-up included."""
    base = base_recipe(scale, options)
    warmup = base["schedule"]["warmup_steps"]
    arms = [Arm(name="base", overrides={})]
    arms += [Arm(name=f"warmup-{steps}", overrides={"schedule.warmup_steps": steps}) for steps in (0, 4 * warmup)]
    chosen = {name: s for name, s in SETTINGS.items() if scale != "tiny" or name in AT_TINY}
    arms += [Arm(name=name, overrides=settings) for name, settings in chosen.items()]
    return Plan(base=base, arms=tuple(arms), seeds=seeds_of(scale, options), baseline="base")


STUDY = Study(
    name="adamw",
    question="Which of AdamW's settings matter at this scale: warm-up, the betas, epsilon, weight decay?",
    design="The base recipe (betas 0.9 and 0.95, epsilon 1e-8, weight decay 0.1, a short warm-up) and arms that "
    "change one setting each. The learning rate is not re-tuned, so an arm is the setting at the base's learning rate.",
    cost={"tiny": "12 runs of about 2 s", "cpu": "65 runs of about 25 s", "gpu": "65 runs of about 90 s"},
    plan=plan,
    analyse=analysis.standard,
)
