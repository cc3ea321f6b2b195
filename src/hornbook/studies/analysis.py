"""The standard reading of a training study: curves with bands over seeds, arms in a table, differences to the baseline.

Every sentence is built from the numbers beside it. A diverged run is a result: it is counted, never averaged.
Left out: smoothing and curve fitting.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median_high, stdev
from typing import Any

from hornbook.format import counted, number
from hornbook.studies import statistics
from hornbook.studies.charts import X_AXES, Figure, Interval, Series, Table, band, columns
from hornbook.studies.statistics import FEWEST_FOR_AN_INTERVAL, Comparison, mean_interval
from hornbook.studies.study import Analysis, Outcome, Plan, Results
from hornbook.studies.verdict import BETTER, FEWEST_SEEDS, FEWEST_UPDATES, NOT_DISTINGUISHABLE, WORSE

LABELS = {
    "val_loss": "validation loss (nats per token)",
    "val_bits_per_byte": "validation bits per byte",
    "train_loss": "training loss (nats per token)",
}


def standard(results: Results, *first: str, figures: Sequence[Figure] = ()) -> Analysis:
    """Return the reading of any training study; a study's own sentences stand first and its own figures last.

    Where a run made too few updates nothing is judged: the numbers stand without sentences that read them.
    """
    plan, floor = results.plan, floor_of(results)
    drawn = [final_figure(results), curves(results)]
    if plan.metric == "val_bits_per_byte" and floor is not None:
        drawn = [dataclasses.replace(figure, lines={**figure.lines, "entropy floor": floor}) for figure in drawn]
    tables = [arm_table(results)]
    if plan.baseline is not None and len(plan.arms) > 1:
        tables.append(comparison_table(results))
    said = [*(() if results.too_short else first), *findings(results)]
    return Analysis(findings=said, figures=[*drawn, *figures], tables=tables)


def floor_of(results: Results) -> float | None:
    """Return the entropy floor in bits per byte, where all runs share one."""
    floors = {o.values.get("entropy_floor_bits_per_byte") for o in results.outcomes}
    return floors.pop() if len(floors) == 1 else None


def curves(results: Results) -> Figure:
    """Return the metric's curve per arm: the mean over seeds, and the band from the lowest to the highest seed."""
    metric, arms = results.plan.metric, results.by_arm.items()
    label = LABELS.get(metric, metric)
    return Figure(
        id=f"curves-{metric}",
        title=label[0].upper() + label[1:],
        caption=f"Mean over up to {len(results.plan.seeds)} seeds; the band runs from the lowest to the highest of "
        "them. Where seeds diverged, the curve is the mean of those still running.",
        x_axes=X_AXES,
        y_label=label,
        y_log=True,
        series=[s for i, (arm, outcomes) in enumerate(arms) if (s := _curve(arm, outcomes, metric, i))],
    )


def _curve(arm: str, outcomes: Sequence[Outcome], metric: str, color: int) -> Series | None:
    at: dict[int, list[Mapping[str, Any]]] = {}
    for outcome in outcomes:
        for record in outcome.records:
            value = record.get(metric)
            if isinstance(value, (int, float)) and math.isfinite(value):
                at.setdefault(record["step"], []).append(record)
    if not at:
        return None
    steps = sorted(at)
    x = {axis: [_mean([r.get(axis) for r in at[step]]) for step in steps] for axis in ("tokens", "seconds")}
    return band(arm, {"step": steps, **x}, [[r[metric] for r in at[step]] for step in steps], _mean, color=color)


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
        values = {name: list(v.values()) for name in arms if (v := results.final(name))}
        intervals = [(place[name], mean_interval(v)) for name, v in values.items()]
        name = group or ("mean and 95 % interval" if len(plan.seeds) >= FEWEST_FOR_AN_INTERVAL else "mean")
        series += interval_series(name, intervals, color, joined="categories" not in axis, seeds=len(groups) == 1)
    lost = sum(o.diverged for o in results.outcomes)
    caption = f"{counted(len(plan.seeds), 'seed')} per arm." + (f" {lost} diverged runs are not drawn." if lost else "")
    label = LABELS.get(plan.metric, plan.metric)
    return Figure(
        id=f"final-{plan.metric}",
        title=f"Final {label}",
        caption=caption,
        y_label=label,
        series=[s for s in series if s.y],
        **axis,
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


def arm_table(results: Results) -> Table:
    """Return one row per arm: finished and diverged seeds, final values with 95 % intervals, speed."""
    rows = []
    for name, group in results.by_arm.items():
        final = list(results.final(name).values())
        row: dict[str, Any] = {"arm": name, "done": len(final), "spread": stdev(final) if len(final) > 1 else None}
        for ending in ("learned nothing", "diverged", "failed"):
            row[ending] = sum(o.ending == ending for o in group)
        for key in ("val_loss", "val_bits_per_byte"):
            values = list(results.final(name, key).values())
            row[key] = mean_interval(values).cell() if values else None
        for key in ("tokens", "seconds", "tokens_per_second", "parameters"):
            values = [o.values[key] for o in group if o.values.get(key) is not None and o.status == "done"]
            middle = median_high(values) if values else None
            row[key] = round(middle) if middle is not None and middle >= 100 else middle
        rows.append(row)
    labels = {
        "arm": "arm", "done": "seeds finished", "learned nothing": "learned nothing",
        "diverged": "diverged", "failed": "failed", "val_loss": "val loss",
        "val_bits_per_byte": "bits/byte", "spread": "SD over seeds", "parameters": "parameters", "tokens": "tokens",
        "seconds": "seconds", "tokens_per_second": "tokens/s",
    }  # fmt: skip
    shown = {key: label for key, label in labels.items() if key == "done" or any(row[key] for row in rows)}
    note = (
        f"Mean ± half-width of the 95 % t-interval over seeds, each seed's value below {FEWEST_FOR_AN_INTERVAL} seeds; "
        "tokens, seconds and tokens/s are medians."
    )
    return Table(id="arms", title="Arms", columns=columns(shown, "arm"), rows=rows, note=note)


def comparisons(results: Results) -> dict[str, Comparison]:
    """Compare every arm with the plan's baseline over paired seeds."""
    assert results.plan.baseline is not None
    arms = {name: results.final(name) for name in results.by_arm}
    found = statistics.compare(arms, results.plan.baseline, updates=results.updates)
    return {c.arm: c for c in found}


def comparison_table(results: Results) -> Table:
    """Return the paired differences to the baseline with their Holm-corrected intervals and verdicts."""
    plan, rows, found = results.plan, [], comparisons(results)
    for name, group in results.by_arm.items():
        lost = sum(o.diverged for o in group)
        if name == plan.baseline or not (name in found or lost):
            continue
        row: dict[str, Any] = {"arm": name, "seeds": 0, "difference": None, "interval": None, "p": None}
        if c := found.get(name):
            row |= c.cells(lambda low, high: f"{low:+.4f} … {high:+.4f}") | {"difference": c.difference}
        if lost:
            row["verdict"] = f"diverged in {lost} of {len(group)} seeds"
        rows.append(row)
    labels = {
        "arm": "arm", "seeds": "paired seeds", "difference": f"difference to {plan.baseline}", "interval": "interval",
        "p": "p (Holm)", "verdict": "verdict",
    }  # fmt: skip
    note = (
        f"Paired by seed, lower is better, {LABELS.get(plan.metric, plan.metric)}. Intervals are paired-t intervals at "
        "the level of their Holm step (5 % over the whole table). Better or worse is said only where the interval "
        f"excludes 0 over at least {FEWEST_SEEDS} paired seeds, no seed diverged, and every run made {FEWEST_UPDATES} "
        "updates."
    )
    shown, title = columns(labels, "arm", "verdict"), f"Differences to {plan.baseline}"
    return Table(id="differences", title=title, columns=shown, rows=rows, note=note)


def findings(results: Results) -> list[str]:
    """Return the sentences that hold for any training study."""
    plan, arms = results.plan, results.by_arm
    values = {name: list(results.final(name).values()) for name in arms}
    label = LABELS.get(plan.metric, plan.metric)
    sentences = []
    whole = {name: mean_interval(v) for name, v in values.items() if v and len(v) == len(arms[name])}
    if results.too_short:
        sentences.append(
            f"Nothing is judged here: a run made only {counted(results.updates or 0, 'update')}, and {FEWEST_UPDATES} "
            "are needed. The numbers show that the study works."
        )
    elif whole:
        best = min(whole, key=lambda name: whole[name].mean)
        sentences.append(f"Lowest mean {label}: {best}, {whole[best].cell()['text']} over {len(values[best])} seeds.")
    for name, group in arms.items():
        for ending in ("diverged", "learned nothing"):
            ended = [o for o in group if o.ending == ending]
            if ended:
                reason = _no_better_than_guessing(ended) if ending == "learned nothing" else ""
                sentences.append(f"{name} {ending} in {len(ended)} of {len(group)} seeds{reason}.")
        reasons = sorted({o.reason for o in group if o.status == "failed"})
        if reasons:
            sentences.append(f"{name} failed: {'; '.join(reasons)}")
    if plan.baseline is not None:
        sentences += _verdict_sentences(results)
    bits = [o.values.get("val_bits_per_byte") for o in results.outcomes if not o.diverged]
    floor, best_bits = floor_of(results), min((b for b in bits if b is not None), default=None)
    if floor and best_bits:
        sentences.append(
            f"The entropy floor of the validation text is {number(floor)} bits per byte; the best single run reached "
            f"{number(best_bits)}, {best_bits / floor:.2f} × the floor."
        )
    return sentences


def _no_better_than_guessing(ended: Sequence[Outcome]) -> str:
    losses = [o.values["val_loss"] for o in ended]
    return f" (validation loss {number(min(losses))} or more, guessing has {number(ended[0].values['uniform_loss'])})"


def _verdict_sentences(results: Results) -> list[str]:
    baseline, sentences, undecided, untested = results.plan.baseline, [], [], []
    for name, c in comparisons(results).items():
        if any(o.diverged for o in results.by_arm[name]):
            continue
        if c.verdict in (BETTER, WORSE):
            sentences.append(f"{name} is {c.verdict} than {baseline}: {c.in_words()}.")
        else:
            (undecided if c.verdict == NOT_DISTINGUISHABLE else untested).append(name)
    if untested and not results.too_short:
        sentences.append(f"Not tested against {baseline} (fewer than {FEWEST_SEEDS} seeds): {', '.join(untested)}.")
    if undecided:
        sentences.append(f"Not distinguishable from {baseline} with these seeds: {', '.join(undecided)}.")
    return sentences


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
        x, style = {"x": [place[name] for name in known]}, "points" if "categories" in axis else "both"
        series.append(band(group or y_label, x, list(known.values()), median_high, style=style, color=color))
    caption = "Median over seeds; the band runs from the lowest to the highest."
    return Figure(id=id, title=title, caption=caption, y_label=y_label, series=[s for s in series if s.y], **axis)
