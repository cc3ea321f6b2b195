"""The same model and budget on stories and on documentation (or OpenWebText): why the losses do not compare."""

from __future__ import annotations

from hornbook.studies import analysis
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Arm, Options, Plan, Scale, Settings, Study


def plan(scale: Scale, options: Options) -> Plan:
    """Return the two corpora as arms; each has a tokenizer of its own, of the same size."""
    base = base_recipe(scale, options)
    web: Settings = {"data.corpus": "python-docs", "data.validation": 0.05}
    if options.web_text is not None:
        web = {"data.text": [str(options.web_text)], "data.corpus": None}
    elif options.text is not None:
        web |= {"data.text": []}
    arms = (Arm(name="stories", overrides={}), Arm(name="web-text", overrides=web))
    seeds = seeds_of(scale, options)
    return Plan(base=base, arms=arms, seeds=seeds, baseline="stories", metric="val_bits_per_byte")


STUDY = Study(
    name="web_text",
    question="How much harder is documentation or web text than stories for the same model and budget?",
    design="The same model, number of steps and vocabulary size on stories and on documentation: the docstrings and "
    "help pages of the Python that runs this (no network), or the file given with --web-text, such as OpenWebText. "
    "Each corpus trains its own tokenizer, so the comparison is in bits per byte.",
    cost={"tiny": "4 runs of about 2 s", "cpu": "10 runs of about 25 s", "gpu": "10 runs of about 90 s"},
    plan=plan,
    analyse=analysis.standard,
)
