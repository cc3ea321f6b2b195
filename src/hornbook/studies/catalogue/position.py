"""Rotary position embedding, or none: the causal mask alone also tells positions apart."""

from __future__ import annotations

from hornbook.studies import groups
from hornbook.studies.scales import learning_rate_sweep
from hornbook.studies.study import Scale, Study

FACTORS: dict[Scale, tuple[float, ...]] = {"tiny": (1.0,), "cpu": (0.3, 1.0, 2.0), "gpu": (0.3, 1.0, 2.0)}

STUDY = Study(
    name="position",
    question="How much does the rotary position embedding lower the loss?",
    design="position = rope and none (NoPE), each over several learning rates; nothing else differs, not even the "
    "initial weights.",
    cost={"tiny": "4 runs of about 2 s", "cpu": "30 runs of about 25 s", "gpu": "30 runs of about 90 s"},
    plan=learning_rate_sweep("model.position", {"rope": "rope", "none": "none"}, FACTORS),
    analyse=groups.group_reading("rope", "none"),
)
