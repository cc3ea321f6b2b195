"""One tensor for the token embedding and the LM head, or two."""

from __future__ import annotations

from hornbook.studies import groups
from hornbook.studies.scales import learning_rate_sweep
from hornbook.studies.study import Scale, Study

FACTORS: dict[Scale, tuple[float, ...]] = {"tiny": (1.0,), "cpu": (0.3, 1.0, 2.0), "gpu": (0.3, 1.0, 2.0)}

STUDY = Study(
    name="weight_tying",
    question="Does a shared embedding and LM head cost or save loss at this size?",
    design="Tied and untied embeddings, each over several learning rates because their initial scales differ (tied "
    "starts at N(0, 1/d)); a tied model has V·d parameters fewer, and nothing is given back for them.",
    cost={"tiny": "4 runs of about 2 s", "cpu": "30 runs of about 25 s", "gpu": "30 runs of about 90 s"},
    plan=learning_rate_sweep("model.tie_embeddings", {"untied": False, "tied": True}, FACTORS),
    analyse=groups.group_reading("untied", "tied"),
)
