"""The size of the vocabulary, measured in bits per byte, because nats per token do not compare across tokenizers."""

from __future__ import annotations

import math

from hornbook.studies import analysis, figures
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Analysis, Arm, Options, Outcome, Plan, Results, Scale, Study

SIZES: dict[Scale, tuple[int, ...]] = {
    "tiny": (300, 512, 1024),
    "cpu": (300, 512, 1024, 2048, 4096),
    "gpu": (1_000, 2_000, 5_000, 10_000, 20_000, 32_000),
}


def plan(scale: Scale, options: Options) -> Plan:
    """Return one arm per vocabulary size; each trains its own tokenizer on the same text."""
    base = base_recipe(scale, options)
    size = base["tokenizer"]["vocab_size"]
    sizes = sorted({*SIZES[scale], size})
    return Plan(
        base=base,
        arms=tuple(Arm(name=f"vocabulary-{v}", overrides={"tokenizer.vocab_size": v}, x=v) for v in sizes),
        seeds=seeds_of(scale, options),
        baseline=f"vocabulary-{size}",
        metric="val_bits_per_byte",
        x_label="entries asked of the tokenizer",
    )


def bytes_per_token(outcome: Outcome) -> float | None:
    """Return the bytes per token of the validation text, from the loss in both units: nats ÷ ln 2 ÷ (bits per byte)."""
    loss, bits = outcome.values.get("val_loss"), outcome.values.get("val_bits_per_byte")
    return loss / math.log(2) / bits if loss and bits else None


def analyse(results: Results) -> Analysis:
    """Add compression and speed over the size of the vocabulary."""
    compression = figures.quantity_figure(
        results, "compression", "Compression of the validation text", "bytes per token", bytes_per_token
    )
    return analysis.standard(results, figures=[compression, figures.speed_figure(results)])


STUDY = Study(
    name="vocabulary",
    question="How large should the vocabulary be for a model of this size?",
    design="Tokenizers of several sizes trained on the same text, the same model and number of tokens for each; a "
    "larger vocabulary sees more text in as many tokens, and has more parameters in embedding and head. Judged in "
    "bits per byte.",
    cost={"tiny": "6 runs of about 2 s", "cpu": "25 runs of about 25 s", "gpu": "30 runs of about 90 s"},
    plan=plan,
    analyse=analyse,
)
