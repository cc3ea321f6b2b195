"""A study of one's own: does tying the embeddings help a tiny model? Two arms, five seeds, one paired interval.

`python examples/own_study.py [FOLDER [SEEDS]]` takes about half a minute. Killed and started
again, it goes on where it was. `hornbook report FOLDER/own-tying-tiny` draws the page.
The catalogue in `studies/catalogue/` has eighteen of these.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hornbook.studies import analysis
from hornbook.studies.folder import read_study
from hornbook.studies.runner import run_study
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.study import Arm, Options, Plan, Scale, Study


def plan(scale: Scale, options: Options) -> Plan:
    """Return the two arms; everything else is the base recipe of the scale."""
    return Plan(
        base=base_recipe(scale, options),
        arms=(
            Arm(name="untied", overrides={"model.tie_embeddings": False}),
            Arm(name="tied", overrides={"model.tie_embeddings": True}),
        ),
        seeds=seeds_of(scale, options),
        baseline="untied",
    )


STUDY = Study(
    name="own_tying",
    question="Does a tiny model learn more when embedding and head share their weights?",
    design="Tied and untied embeddings at one learning rate; seed k draws the same batches for both arms.",
    cost={"tiny": "10 runs of about 2 s"},
    plan=plan,
    analyse=analysis.standard,
)


def main(folder: str = "studies", seeds: str = "5") -> None:
    """Run the study at scale tiny below `folder`, and print what was found, with intervals from five seeds on."""
    one_thread = {"training": {"threads": 1}}  # models so small gain nothing from more
    options = Options(seeds=int(seeds), overrides=one_thread)
    path = run_study(STUDY, "tiny", options, out=Path(folder), command="python examples/own_study.py")
    for sentence in read_study(path).findings:
        print(sentence)


if __name__ == "__main__":
    main(*sys.argv[1:3])
