"""The lowest loss in a fixed wall time: what each technique of the leaderboards does alone, and all together."""

from __future__ import annotations

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Arm, Options, Plan, Scale, Settings, Study

MINUTES: dict[Scale, float] = {"tiny": 0.04, "cpu": 0.5, "gpu": 10.0}

MUON: Settings = {"optimizer.name": "muon", "optimizer.muon_lr": 0.02}
TECHNIQUES: dict[str, Settings] = {
    "muon": MUON,
    "normuon": MUON | {"optimizer.normuon": True},
    "cautious-decay": MUON | {"optimizer.cautious": True},
    "qk-norm": {"model.qk_norm": True},
    "zero-init": {"model.zero_init_output": True},
    "relu2": {"model.ffn": "relu2"},
    "softcap": {"model.logit_softcap": 15.0},
    "value-embeddings": {"model.value_embeddings": 1},
    "linear-decay": {"schedule.name": "linear"},
    "epochs": {"data.order": "epochs"},
    "bfloat16": {"training.dtype": "bfloat16"},
    "compiled": {"training.compile": True},
}
ALL_BUT = ("cautious-decay", "compiled", "bfloat16")
"""Left out of the arm that combines: they are about speed, which depends on the machine, or about Muon's decay."""
AT_TINY = ("muon", "qk-norm")


def plan(scale: Scale, options: Options) -> Plan:
    """Return the base recipe, each technique alone, and all of them, for the same wall time."""
    base = base_recipe(scale, options)
    base["training"] = base["training"] | {"max_minutes": MINUTES[scale]}
    base["evaluation"] = base["evaluation"] | {"every": 0}
    techniques: dict[str, Settings] = {
        name: settings | ({"schedule.min_lr": 0.05 * base["optimizer"]["lr"]} if name == "linear-decay" else {})
        for name, settings in TECHNIQUES.items()
        if scale != "tiny" or name in AT_TINY
    }
    together: Settings = {}
    for name, settings in techniques.items():
        together |= settings if name not in ALL_BUT else {}
    arms = [Arm(name="base", overrides={})]
    arms += [Arm(name=name, overrides=settings) for name, settings in techniques.items()]
    arms.append(Arm(name="together", overrides=together))
    return Plan(base=base, arms=tuple(arms), seeds=seeds_of(scale, options), baseline="base")


STUDY = Study(
    name="leaderboard",
    question="Which of the leaderboards' techniques lower the loss in the same wall time?",
    design="A fixed wall time (the schedule ends with it), the base recipe, and arms that switch on one technique "
    "each: Muon, NorMuon, cautious weight decay, QK-norm, zero-initialised output projections, ReLU², logit "
    "soft-cap, value embeddings, long linear decay, sampling without replacement, bfloat16, a compiled step; then "
    "the model and optimizer techniques together. Slower steps are paid for with fewer of them, which is the point; "
    "runs must not share a machine.",
    cost={"tiny": "8 runs of about 3 s", "cpu": "70 runs of 30 s", "gpu": "70 runs of 10 min"},
    plan=plan,
    analyse=analysis.standard,
)
