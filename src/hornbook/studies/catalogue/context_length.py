"""The context length at a fixed number of tokens per step: what a longer window buys, and what it costs."""

from __future__ import annotations

from hornbook.studies import analysis, figures
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Analysis, Arm, Options, Outcome, Plan, Results, Scale, Study

LENGTHS: dict[Scale, tuple[int, ...]] = {
    "tiny": (8, 16, 32),
    "cpu": (16, 32, 64, 128, 256),
    "gpu": (32, 64, 128, 256, 512, 1024),
}


def plan(scale: Scale, options: Options) -> Plan:
    """Return one arm per length; the batch size keeps the number of tokens per step."""
    base = base_recipe(scale, options)
    length, batch = base["model"]["context_length"], base["training"]["batch_size"]
    arms = []
    for t in LENGTHS[scale]:
        overrides = {"model.context_length": t, "training.batch_size": max(1, batch * length // t)}
        arms.append(Arm(name=f"context-{t}", overrides=overrides, x=t))
    seeds, baseline = seeds_of(scale, options), f"context-{length}"
    return Plan(base=base, arms=tuple(arms), seeds=seeds, baseline=baseline, x_label="context length (tokens)")


def seconds_per_step(outcome: Outcome) -> float | None:
    """Return the median over the records of tokens per step ÷ tokens per second (evaluation is not in it)."""
    step, tokens = outcome.values.get("step"), outcome.values.get("tokens")
    speed = outcome.values.get("tokens_per_second")
    return tokens / step / speed if step and tokens and speed else None


def analyse(results: Results) -> Analysis:
    """Add the time of a step over the context length."""
    times = figures.quantity_figure(results, "step-time", "Time of one step", "seconds per step", seconds_per_step)
    return analysis.standard(results, figures=[times])


STUDY = Study(
    name="context_length",
    question="What does a longer context buy, and what does it cost?",
    design="Context lengths at a fixed number of tokens per step (batch × length), each evaluated with its own "
    "window, so a short window is also measured with little context, as it would be used.",
    cost={"tiny": "6 runs of about 2 s", "cpu": "25 runs of about 25 s", "gpu": "30 runs of about 90 s"},
    plan=plan,
    analyse=analyse,
)
