"""The figures of a training study: final values, differences to the baseline, curves, other quantities of its runs.

A diverged run has no value: its arm is marked ✕, and its curve ends where it rose above its start.
Left out: what the numbers mean (`studies/analysis.py`), smoothing and curve fitting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median_high
from typing import Any

from hornbook.format import counted
from hornbook.studies.charts import X_AXES, Figure, Interval, Series, band
from hornbook.studies.statistics import FEWEST_FOR_AN_INTERVAL, Comparison, mean_interval
from hornbook.studies.study import Outcome, Plan, Results
from hornbook.studies.verdict import BETTER, NOT_DISTINGUISHABLE, RISEN, WORSE

LABELS = {
    "val_loss": "validation loss (nats per token)",
    "val_bits_per_byte": "validation bits per byte",
    "train_loss": "training loss (nats per token)",
}
CROSS = "✕"
VERDICT_COLORS = {BETTER: 2, WORSE: 5, NOT_DISTINGUISHABLE: 7}
"""Index of the colour; a difference that was not tested is grey (9)."""
DASHES = ("line", "dash", "dot")


def curves(results: Results) -> Figure:
    """Return the metric's curve per arm: the mean over seeds, and the band from the lowest to the highest seed."""
    metric, arms, styles = results.plan.metric, results.by_arm.items(), _styles(results.plan)
    label, lost = LABELS.get(metric, metric), any(o.diverged for o in results.outcomes)
    return Figure(
        id=f"curves-{metric}",
        title=label[0].upper() + label[1:],
        caption=f"Mean over up to {counted(len(results.plan.seeds), 'seed')}; the band runs from the lowest to the "
        "highest." + (f" {CROSS}: seeds diverged; the curve is the mean of those still running." if lost else ""),
        x_axes=X_AXES,
        y_label=label,
        y_log=True,
        series=[s for arm, outcomes in arms if (s := _curve(arm, outcomes, metric, *styles[arm]))],
    )


def _styles(plan: Plan) -> dict[str, tuple[int, str]]:
    """Return colour and dashes of each arm's curve: a colour for a group, dashes for its settings, where groups have
    several; otherwise a colour for each arm."""
    groups = _groups(plan)
    if len(groups) > 1 and max(len(arms) for _, _, arms in groups) > 1:
        return {arm: (color, DASHES[i % len(DASHES)]) for color, _, arms in groups for i, arm in enumerate(arms)}
    return {arm.name: (i, "line") for i, arm in enumerate(plan.arms)}


def _curve(arm: str, outcomes: Sequence[Outcome], metric: str, color: int, style: str) -> Series | None:
    at: dict[int, list[Mapping[str, Any]]] = {}
    for outcome in outcomes:
        measured = [r for r in outcome.records if isinstance(r.get(metric), (int, float))]
        for record in measured:
            if not math.isfinite(record[metric]) or record[metric] > RISEN * measured[0][metric]:
                break
            at.setdefault(record["step"], []).append(record)
    if not at:
        return None
    steps = sorted(at)
    x = {axis: [_mean([r.get(axis) for r in at[step]]) for step in steps] for axis in ("tokens", "seconds")}
    name = f"{arm} {CROSS}" if any(o.diverged for o in outcomes) else arm
    values = [[r[metric] for r in at[step]] for step in steps]
    return band(name, {"step": steps, **x}, values, _mean, style=style, color=color)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(f"{fmean(known):.7g}") if known else None


def _axis(plan: Plan) -> tuple[dict[str, float], dict[str, Any]]:
    """Return where each arm stands, and the axis as fields of a figure: over `x`, or arm by arm where one has none."""
    x = {arm.name: arm.x for arm in plan.arms if arm.x is not None}
    if len(x) == len(plan.arms):
        return x, {"x_axes": {"x": plan.x_label}, "x_log": plan.x_log}
    names = [arm.name for arm in plan.arms]
    return {name: float(i) for i, name in enumerate(names)}, {"x_axes": {"x": "arm"}, "categories": names}


def _groups(plan: Plan) -> list[tuple[int, str, list[str]]]:
    """Return colour, name and arms of every group."""
    groups = dict.fromkeys(arm.group for arm in plan.arms)
    return [(i, group, [arm.name for arm in plan.arms if arm.group == group]) for i, group in enumerate(groups)]


def final_figure(results: Results) -> Figure:
    """Return the final value per arm with its 95 % interval and every seed as a dot: over `x`, or arm by arm."""
    plan = results.plan
    place, axis = _axis(plan)
    groups, series = _groups(plan), []
    for color, group, arms in groups:
        ordered = sorted(arms, key=lambda name: place[name])
        values = {name: list(v.values()) for name in ordered if (v := results.final(name))}
        intervals = [(place[name], mean_interval(v)) for name, v in values.items()]
        name = group or ("mean and 95 % interval" if len(plan.seeds) >= FEWEST_FOR_AN_INTERVAL else "mean")
        series += interval_series(name, intervals, color, joined="categories" not in axis, seeds=len(groups) == 1)
    lost = {name: sum(o.diverged for o in outcomes) for name, outcomes in results.by_arm.items()}
    caption = f"{counted(len(plan.seeds), 'seed')} per arm."
    if at := [place[name] for name, count in lost.items() if count]:
        series.append(Series(name="diverged in a seed", x={"x": at}, y=[None] * len(at), style="cross", color=5))
        caption += f" {counted(sum(lost.values()), 'diverged run')} without a final value: {CROSS}."
    label = LABELS.get(plan.metric, plan.metric)
    return Figure(
        id=f"final-{plan.metric}",
        title=f"Final {label}",
        caption=caption,
        y_label=label,
        series=[s for s in series if s.y],
        **axis,
    )


def difference_figure(results: Results, found: Mapping[str, Comparison]) -> Figure:
    """Return the paired differences to the baseline with their intervals, arm below arm, coloured by verdict."""
    plan = results.plan
    lost = {name: any(o.diverged for o in outcomes) for name, outcomes in results.by_arm.items()}
    arms = [arm.name for arm in plan.arms if arm.name != plan.baseline and (arm.name in found or lost[arm.name])]
    series = []
    for verdict in dict.fromkeys(c.verdict.split(":")[0] for arm, c in found.items() if not lost[arm]):
        there = [(i, found[a]) for i, a in enumerate(arms) if not lost[a] and found[a].verdict.startswith(verdict)]
        ends = [c.interval for _, c in there]
        series.append(
            Series(
                name=verdict,
                x={"x": [i for i, _ in there]},
                y=[c.difference for _, c in there],
                low=[low for low, _ in ends],
                high=[high for _, high in ends],
                style="points",
                color=VERDICT_COLORS.get(verdict, 9),
            )
        )
    if at := [i for i, arm in enumerate(arms) if lost[arm]]:
        series.append(Series(name="diverged in a seed", x={"x": at}, y=[None] * len(at), style="cross", color=5))
    return Figure(
        id="differences",
        title=f"Differences to {plan.baseline}",
        caption="Paired by seed; lower is better. Bars are intervals at the level of their Holm step.",
        x_axes={"x": "arm"},
        y_label=f"difference in {LABELS.get(plan.metric, plan.metric)}",
        series=series,
        lines={str(plan.baseline): 0.0},
        categories=arms,
        horizontal=True,
    )


def interval_series(
    name: str, points: Sequence[tuple[float, Interval]], color: int, *, joined: bool = True, seeds: bool = False
) -> list[Series]:
    """Return means with their 95 % intervals, and each seed as a dot if there are too few for intervals.

    Args:
        name: what the legend says.
        points: where they stand, and what they are.
        color: index of the colour.
        joined: by a line.
        seeds: show the dots in any case, in the next colour.
    """
    known = any(i.half_width is not None for _, i in points)
    means = Series(
        name=name,
        x={"x": [x for x, _ in points]},
        y=[i.mean for _, i in points],
        low=[i.mean - (i.half_width or 0) for _, i in points] if known else None,
        high=[i.mean + (i.half_width or 0) for _, i in points] if known else None,
        style="both" if joined else "points",
        color=color,
    )
    if not seeds and all(len(i.values) >= FEWEST_FOR_AN_INTERVAL for _, i in points):
        return [means]
    dots = [(x, value) for x, i in points for value in i.values]
    x, y = {"x": [x for x, _ in dots]}, [y for _, y in dots]
    name = "each seed" if seeds else f"{name}: each seed"
    return [means, Series(name=name, x=x, y=y, style="points", color=color + seeds)]


def speed_figure(results: Results) -> Figure:
    """Return the tokens per second of every arm."""
    return quantity_figure(results, "speed", "Speed", "tokens per second", lambda o: o.values.get("tokens_per_second"))


def quantity_figure(
    results: Results, id: str, title: str, y_label: str, quantity: Callable[[Outcome], float | None]
) -> Figure:
    """Return the median over seeds of some quantity of each finished run, over `x` or arm by arm, one curve a group."""
    place, axis = _axis(results.plan)
    series = []
    for color, group, arms in _groups(results.plan):
        done = {name: [quantity(o) for o in results.by_arm[name] if o.status == "done"] for name in arms}
        known = {name: v for name, values in done.items() if (v := [x for x in values if x is not None])}
        known = dict(sorted(known.items(), key=lambda pair: place[pair[0]]))
        x, style = {"x": [place[name] for name in known]}, "points" if "categories" in axis else "both"
        series.append(band(group or y_label, x, list(known.values()), median_high, style=style, color=color))
    caption = "Median over seeds; the band runs from the lowest to the highest."
    return Figure(id=id, title=title, caption=caption, y_label=y_label, series=[s for s in series if s.y], **axis)
