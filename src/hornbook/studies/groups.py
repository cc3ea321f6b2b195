"""Groups of arms, such as two designs over several learning rates each: compared with each at its own best setting."""

from __future__ import annotations

from collections.abc import Callable

from hornbook.studies import statistics
from hornbook.studies.analysis import standard
from hornbook.studies.charts import Interval
from hornbook.studies.statistics import mean_interval
from hornbook.studies.study import Analysis, Arm, Results
from hornbook.studies.verdict import BETTER, NOT_DISTINGUISHABLE, WORSE


def best_of_group(results: Results, group: str) -> tuple[Arm, Interval] | None:
    """Return the arm of a group with the lowest mean among those that no seed lost, with its mean and interval."""
    found = []
    for arm in results.plan.arms:
        values = list(results.final(arm.name).values())
        if arm.group == group and values and len(values) == len(results.by_arm[arm.name]):
            found.append((arm, mean_interval(values)))
    return min(found, key=lambda pair: pair[1].mean, default=None)


def group_reading(first: str, second: str) -> Callable[[Results], Analysis]:
    """Return the `analyse` that adds to the standard reading how two groups compare, each at its best setting."""
    return lambda results: standard(results, compare_groups(results, first, second))


def compare_groups(results: Results, first: str, second: str) -> str:
    """Return one sentence that compares the best arms of two groups over paired seeds, each at its own best setting."""
    one, other = best_of_group(results, first), best_of_group(results, second)
    if one is None or other is None:
        lacks = first if one is None else second
        tried = any(results.by_arm[arm.name] for arm in results.plan.arms if arm.group == lacks)
        return f"{lacks} has no {'setting that is stable over all seeds' if tried else 'run yet'}: no comparison."
    names = [arm.name for arm, _ in (one, other)]
    found = statistics.compare({name: results.final(name) for name in names}, names[0], updates=results.updates)
    if not found or found[0].low is None:
        return f"{second} against {first}: too few paired seeds for an interval."
    c = found[0]
    joins = {BETTER: "is better than", WORSE: "is worse than", NOT_DISTINGUISHABLE: "is not distinguishable from"}
    tested = "" if c.verdict in joins else f" ({c.verdict})"
    return (
        f"Each at its best setting, {second} ({names[1]}) {joins.get(c.verdict, 'against')} {first} "
        f"({names[0]}): {c.in_words()}{tested}. (Choosing the best setting on the same seeds favours whichever "
        "was tried at more settings.)"
    )
