"""SwiGLU against SiLU (and ReLU²) at matched parameters: the gate, not its extra matrix."""

from __future__ import annotations

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Arm, Options, Plan, Scale, Study


def plan(scale: Scale, options: Options) -> Plan:
    """Return each feed-forward with d_ff such that the parameters are equal: three matrices of F, or two of 3/2·F."""
    base = base_recipe(scale, options)
    d_model = base["model"]["d_model"]
    gated = base["model"].get("d_ff") or 2 * max(1, round(8 / 3 * d_model / 2))
    arms = (
        Arm(name="swiglu", overrides={"model.ffn": "swiglu", "model.d_ff": gated}),
        Arm(name="silu", overrides={"model.ffn": "silu", "model.d_ff": gated * 3 // 2}),
        Arm(name="relu2", overrides={"model.ffn": "relu2", "model.d_ff": gated * 3 // 2}),
    )
    return Plan(base=base, arms=arms, seeds=seeds_of(scale, options), baseline="swiglu")


STUDY = Study(
    name="feed_forward",
    question="Does the gate of SwiGLU lower the loss at equal parameters?",
    design="SwiGLU with three matrices of width F against SiLU and ReLU² with two of width 3/2·F: the same number of "
    "parameters and of multiplications. The learning rate is the base recipe's for all.",
    cost={"tiny": "6 runs of about 2 s", "cpu": "15 runs of about 25 s", "gpu": "15 runs of about 90 s"},
    plan=plan,
    analyse=analysis.standard,
)
