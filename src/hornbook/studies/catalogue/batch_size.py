"""The batch size at a fixed number of tokens, the learning rate left alone, scaled by the root, or in proportion."""

from __future__ import annotations

import dataclasses

from hornbook.accounting.memory import Memory, StepSettings
from hornbook.models.config import ModelConfig
from hornbook.studies import analysis, figures
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Analysis, Arm, Options, Outcome, Plan, Results, Scale, Study

BATCHES: dict[Scale, tuple[int, ...]] = {
    "tiny": (2, 8, 32),
    "cpu": (1, 4, 16, 64, 128),
    "gpu": (1, 8, 64, 128, 256, 512, 1024, 2048),
}
RULES = {"none": 0.0, "sqrt": 0.5, "linear": 1.0}
LONGEST = 4
"""The smallest batches would take the most steps; no arm takes more than so many times the base recipe's."""


def plan(scale: Scale, options: Options) -> Plan:
    """Return every batch size under every rule, at the base recipe's number of tokens (the smallest: fewer)."""
    base = base_recipe(scale, options)
    base_batch, base_steps, lr = base["training"]["batch_size"], base["training"]["steps"], base["optimizer"]["lr"]
    arms = []
    for batch in BATCHES[scale]:
        steps = max(4, min(LONGEST * base_steps, base_steps * base_batch // batch))
        for rule, power in RULES.items():
            if batch == base_batch and rule != "none":
                continue
            name = f"batch-{batch}" + (f"-{rule}" if batch != base_batch else "")
            overrides = {
                "training.batch_size": batch,
                "training.steps": steps,
                "optimizer.lr": lr * (batch / base_batch) ** power,
                "schedule.warmup_steps": max(1, base["schedule"]["warmup_steps"] * steps // base_steps),
                "evaluation.every": max(1, steps // 8),
                "logging.every": max(1, steps // 40),
            }
            arms.append(Arm(name=name, overrides=overrides, x=batch, group=f"lr scaled: {rule}"))
    seeds, baseline = seeds_of(scale, options), f"batch-{base_batch}"
    return Plan(base=base, arms=tuple(arms), seeds=seeds, baseline=baseline, x_label="batch size (windows)")


def analyse(results: Results) -> Analysis:
    """Add speed over batch size and the batches that did not fit."""
    found = analysis.standard(results)
    sentences = list(found.findings)
    batches: dict[int, list[Outcome]] = {}
    for arm in results.plan.arms:
        batches.setdefault(int(arm.x or 0), []).extend(results.by_arm[arm.name])
    tokens = {
        batch: max((o.values.get("tokens") or 0 for o in runs if o.status == "done"), default=0)
        for batch, runs in sorted(batches.items())
    }
    most = max(tokens.values(), default=0)
    short = [f"{batch} ({seen / most:.0%})" for batch, seen in tokens.items() if 0 < seen < 0.9 * most]
    if short:
        sentences.append(
            f"Batch sizes whose runs were cut at {LONGEST} × the base number of steps and so saw fewer tokens: "
            f"{', '.join(short)}."
        )
    full = [batch for batch, runs in batches.items() if any(_out_of_memory(o) for o in runs)]
    if full:
        sentences.append(f"Out of memory at batch {min(full)}.")
    else:
        largest = max((batch for batch, seen in tokens.items() if seen), default=0)
        sentences.append(f"No batch up to {largest} ran out of memory; {memory_sentence(results.plan)}")
    return dataclasses.replace(found, figures=[*found.figures, figures.speed_figure(results)], findings=sentences)


def memory_sentence(plan: Plan) -> str:
    """Return which batch the accounting takes for the largest that fits (measured model, CPU) in round amounts."""
    base = plan.base
    config = ModelConfig(vocab_size=base["tokenizer"]["vocab_size"], **base["model"])
    memory = Memory(config=config, settings=StepSettings(optimizer=base["optimizer"]["name"]))
    limits = [f"{memory.largest_batch(gb * 10**9):,} in {gb} GB" for gb in (4, 16, 64)]
    return f"by the accounting the largest batch of this model in float32 is {', '.join(limits)}."


def _out_of_memory(outcome: Outcome) -> bool:
    return outcome.status == "failed" and "memory" in outcome.reason.lower()


STUDY = Study(
    name="batch_size",
    question="How does the batch size change loss and speed, and how should the learning rate follow it?",
    design="Batch sizes from 1 up, each for the same number of tokens (the smallest are cut off, and the text says "
    "at how many), with the learning rate left alone, scaled by the square root of the batch, or in proportion to "
    "it. Out of memory is a result.",
    cost={"tiny": "14 runs of about 2 s", "cpu": "65 runs of about 30 s", "gpu": "110 runs of about 2 min"},
    plan=plan,
    analyse=analyse,
)
