"""The standard reading of a training study: curves with bands over seeds, arms in a table, differences to the baseline.

Every sentence is built from the numbers beside it. A diverged run is a result: it is counted, never averaged.
Left out: smoothing and curve fitting.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import stdev
from typing import Any

from hornbook.format import number
from hornbook.studies import statistics
from hornbook.studies.charts import Column, Figure, Interval, Series, Table
from hornbook.studies.study import Analysis, Arm, Outcome, Plan, Results

LABELS = {
    "val_loss": "validation loss (nats per token)",
    "val_bits_per_byte": "validation bits per byte",
    "train_loss": "training loss (nats per token)",
}
X_AXES = {"step": "step", "tokens": "tokens", "seconds": "wall clock (s)"}


def standard(results: Results, *first: str, figures: Sequence[Figure] = ()) -> Analysis:
    """Return the reading of any training study; a study's own sentences stand first and its own figures last."""
    plan = results.plan
    drawn = [final_figure(plan, results.outcomes), curves(plan, results.outcomes, plan.metric)]
    floor = floor_of(results.outcomes)
    if plan.metric == "val_bits_per_byte" and floor is not None:
        drawn = [dataclasses.replace(figure, lines={**figure.lines, "entropy floor": floor}) for figure in drawn]
    tables = [arm_table(plan, results.outcomes)]
    if plan.baseline is not None and len(plan.arms) > 1:
        tables.append(comparison_table(plan, results.outcomes))
    said = [*first, *findings(plan, results.outcomes)]
    return Analysis(findings=said, figures=[*drawn, *figures], tables=tables)


def by_arm(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of every arm, in the order of the plan, seeds ascending."""
    return {
        arm.name: sorted((o for o in outcomes if o.arm == arm.name), key=lambda outcome: outcome.seed)
        for arm in plan.arms
    }


def finished(outcomes: Sequence[Outcome], metric: str) -> dict[int, float]:
    """Return seed → final value of the runs that neither failed nor diverged."""
    return {
        o.seed: float(o.values[metric])
        for o in outcomes
        if o.status == "done" and not o.diverged and o.values.get(metric) is not None
    }


def floor_of(outcomes: Sequence[Outcome]) -> float | None:
    """Return the entropy floor in bits per byte, where all runs share one."""
    floors = {o.values.get("entropy_floor_bits_per_byte") for o in outcomes}
    (floor,) = floors if len(floors) == 1 else (None,)
    return floor


def curves(plan: Plan, outcomes: Sequence[Outcome], metric: str) -> Figure:
    """Return the curves of a metric per arm: the mean over seeds, and the band from the lowest to the highest seed."""
    series = [s for i, arm in enumerate(plan.arms) if (s := _curve(arm, by_arm(plan, outcomes)[arm.name], metric, i))]
    seeds = len(plan.seeds)
    return Figure(
        id=f"curves-{metric}",
        title=LABELS.get(metric, metric)[0].upper() + LABELS.get(metric, metric)[1:],
        caption=f"Mean over up to {seeds} seeds; the band runs from the lowest to the highest of them. "
        "Where seeds diverged, the curve is the mean of those still running.",
        x_axes=X_AXES,
        y_label=LABELS.get(metric, metric),
        y_log=True,
        series=series,
    )


def _curve(arm: Arm, outcomes: Sequence[Outcome], metric: str, color: int) -> Series | None:
    at: dict[int, list[Mapping[str, Any]]] = {}
    for outcome in outcomes:
        for record in outcome.records:
            value = record.get(metric)
            if isinstance(value, (int, float)) and math.isfinite(value):
                at.setdefault(record["step"], []).append(record)
    if not at:
        return None
    steps = sorted(at)
    values = [[record[metric] for record in at[step]] for step in steps]
    x = {axis: [_mean([r.get(axis) for r in at[step]]) for step in steps] for axis in ("tokens", "seconds")}
    return Series(
        name=arm.name,
        x={"step": steps, **x},
        y=[_mean(v) for v in values],
        low=[min(v) for v in values],
        high=[max(v) for v in values],
        color=color,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(f"{math.fsum(known) / len(known):.7g}") if known else None


def final_figure(plan: Plan, outcomes: Sequence[Outcome], metric: str | None = None) -> Figure:
    """Return the final value per arm with its 95 % interval and every seed as a dot: over `x`, or arm by arm."""
    metric = metric or plan.metric
    numeric = all(arm.x is not None for arm in plan.arms)
    place = {arm.name: arm.x if numeric else float(i) for i, arm in enumerate(plan.arms)}
    grouped = by_arm(plan, outcomes)
    groups = list(dict.fromkeys(arm.group for arm in plan.arms))
    means, dots = [], []
    for color, group in enumerate(groups):
        points = [(arm, finished(grouped[arm.name], metric)) for arm in plan.arms if arm.group == group]
        intervals = [(place[arm.name], statistics.mean_interval(list(v.values()))) for arm, v in points if v]
        means.append(interval_series(group or "mean and 95 % interval", intervals, color, joined=numeric))
        seeds = [(place[arm.name], value) for arm, v in points for value in v.values()]
        dots.append(
            Series(
                name=f"{group}: each seed" if group else "each seed",
                x={"x": [x for x, _ in seeds]},
                y=[y for _, y in seeds],
                style="points",
                color=color + len(groups),
            )
        )
    lost = sum(1 for o in outcomes if o.diverged)
    caption = f"{len(plan.seeds)} seeds per arm. " + (f"{lost} diverged runs are not drawn." if lost else "")
    return Figure(
        id=f"final-{metric}",
        title=f"Final {LABELS.get(metric, metric)}",
        caption=caption.strip(),
        x_axes={"x": plan.x_label if numeric else "arm"},
        y_label=LABELS.get(metric, metric),
        x_log=numeric and plan.x_log,
        series=[s for s in (*means, *(dots if len(groups) == 1 else [])) if s.y],
        categories=None if numeric else [arm.name for arm in plan.arms],
    )


def interval_series(
    name: str, points: Sequence[tuple[float | None, Interval]], color: int, *, joined: bool = True
) -> Series:
    """Return means with their 95 % intervals as one series, joined by a line or as points."""
    return Series(
        name=name,
        x={"x": [x for x, _ in points]},
        y=[i.mean for _, i in points],
        low=[i.mean - (i.half_width or 0) for _, i in points],
        high=[i.mean + (i.half_width or 0) for _, i in points],
        style="both" if joined else "points",
        color=color,
    )


def arm_table(plan: Plan, outcomes: Sequence[Outcome]) -> Table:
    """Return one row per arm: finished and diverged seeds, final values with 95 % intervals, speed."""
    rows = []
    for name, group in by_arm(plan, outcomes).items():
        row: dict[str, Any] = {"arm": name, "done": len(finished(group, plan.metric))}
        row["diverged"] = sum(1 for o in group if o.diverged and o.status != "failed")
        row["failed"] = sum(1 for o in group if o.status == "failed")
        for metric in ("val_loss", "val_bits_per_byte"):
            values = list(finished(group, metric).values())
            row[metric] = statistics.mean_interval(values).cell() if values else None
            if metric == plan.metric:
                row["spread"] = stdev(values) if len(values) > 1 else None
        for key in ("tokens", "seconds", "tokens_per_second", "parameters"):
            values = [o.values[key] for o in group if o.values.get(key) is not None and o.status == "done"]
            row[key] = _typical(values)
        rows.append(row)
    columns = [
        Column(key="arm", label="arm", kind="text"),
        Column(key="done", label="seeds finished"),
        Column(key="diverged", label="diverged"),
        Column(key="failed", label="failed"),
        Column(key="val_loss", label="val loss"),
        Column(key="val_bits_per_byte", label="bits/byte"),
        Column(key="spread", label="SD over seeds"),
        Column(key="parameters", label="parameters"),
        Column(key="tokens", label="tokens"),
        Column(key="seconds", label="seconds"),
        Column(key="tokens_per_second", label="tokens/s"),
    ]
    columns = [c for c in columns if any(row[c.key] not in (None, 0) for row in rows) or c.key == "done"]
    note = "Mean ± half-width of the 95 % t-interval over seeds; tokens, seconds and tokens/s are medians."
    return Table(id="arms", title="Arms", columns=columns, rows=rows, note=note)


def _typical(values: Sequence[float]) -> float | int | None:
    if not values:
        return None
    middle = sorted(values)[len(values) // 2]
    return round(middle) if middle >= 100 else middle


def comparisons(plan: Plan, outcomes: Sequence[Outcome], metric: str | None = None) -> list[statistics.Comparison]:
    """Compare every arm with the plan's baseline over paired seeds."""
    assert plan.baseline is not None
    grouped = by_arm(plan, outcomes)
    values = {name: finished(group, metric or plan.metric) for name, group in grouped.items()}
    return statistics.compare(values, plan.baseline)


def comparison_table(plan: Plan, outcomes: Sequence[Outcome]) -> Table:
    """Return the paired differences to the baseline with their Holm-corrected intervals and verdicts."""
    rows = []
    grouped = by_arm(plan, outcomes)
    found = {c.arm: c for c in comparisons(plan, outcomes)}
    for arm in plan.arms:
        lost = sum(1 for o in grouped[arm.name] if o.diverged)
        c = found.get(arm.name)
        if arm.name == plan.baseline or (c is None and not lost):
            continue
        row: dict[str, Any] = {"arm": arm.name, "seeds": c.seeds if c else 0, "difference": c.difference if c else None}
        shown = None if c is None or c.low is None else f"{c.low:+.4f} … {c.high:+.4f}"
        row["interval"] = None if shown is None else {"value": c.low, "text": shown} if c else None
        row["p"] = p_cell(c.p_holm) if c else None
        row["verdict"] = f"diverged in {lost} of {len(grouped[arm.name])} seeds" if lost else c.verdict if c else None
        rows.append(row)
    columns = [
        Column(key="arm", label="arm", kind="text"),
        Column(key="seeds", label="paired seeds"),
        Column(key="difference", label=f"difference to {plan.baseline}"),
        Column(key="interval", label="interval"),
        Column(key="p", label="p (Holm)"),
        Column(key="verdict", label="verdict", kind="text"),
    ]
    note = (
        f"Paired by seed, lower is better, {LABELS.get(plan.metric, plan.metric)}. Intervals are paired-t intervals at "
        "the level of their Holm step (5 % over the whole table). Better or worse is said only where the interval "
        f"excludes 0 over at least {statistics.FEWEST_SEEDS} paired seeds and no seed diverged."
    )
    return Table(id="differences", title=f"Differences to {plan.baseline}", columns=columns, rows=rows, note=note)


def p_cell(p: float | None) -> dict[str, Any] | None:
    """Return the table cell of a p value."""
    return None if p is None else {"value": p, "text": "< 0.0001" if p < 1e-4 else f"{p:.4f}"}


def findings(plan: Plan, outcomes: Sequence[Outcome]) -> list[str]:
    """Return the sentences that hold for any training study."""
    grouped = by_arm(plan, outcomes)
    values = {name: list(finished(group, plan.metric).values()) for name, group in grouped.items()}
    means = {name: statistics.mean_interval(v) for name, v in values.items() if v}
    label = LABELS.get(plan.metric, plan.metric)
    said = []
    whole = [name for name in means if len(values[name]) == len(grouped[name])]
    if whole:
        best = min(whole, key=lambda name: means[name].mean)
        said.append(f"Lowest mean {label}: {best}, {means[best].cell()['text']} over {len(values[best])} seeds.")
    for name, group in grouped.items():
        lost = [o.seed for o in group if o.diverged and o.status != "failed"]
        if lost:
            said.append(f"{name} diverged in {len(lost)} of {len(group)} seeds.")
        reasons = sorted({o.reason for o in group if o.status == "failed"})
        if reasons:
            said.append(f"{name} failed: {'; '.join(reasons)}")
    if plan.baseline is not None:
        said += _verdict_sentences(plan, outcomes)
    floor, best_bits = floor_of(outcomes), _lowest(outcomes, "val_bits_per_byte")
    if floor and best_bits:
        said.append(
            f"The entropy floor of the validation text is {number(floor)} bits per byte; the best single run reached "
            f"{number(best_bits)}, {best_bits / floor:.2f} × the floor."
        )
    return said


def _verdict_sentences(plan: Plan, outcomes: Sequence[Outcome]) -> list[str]:
    grouped = by_arm(plan, outcomes)
    said, undecided = [], []
    for c in comparisons(plan, outcomes):
        if any(o.diverged for o in grouped[c.arm]):
            continue
        if c.verdict in ("better", "worse") and c.low is not None and c.high is not None:
            said.append(
                f"{c.arm} is {c.verdict} than {plan.baseline}: difference {c.difference:+.4f}, "
                f"interval {c.low:+.4f} to {c.high:+.4f}, {c.seeds} paired seeds."
            )
        else:
            undecided.append(c.arm)
    if undecided:
        said.append(f"Not distinguishable from {plan.baseline} with these seeds: {', '.join(undecided)}.")
    return said


def _lowest(outcomes: Sequence[Outcome], metric: str) -> float | None:
    values = [o.values[metric] for o in outcomes if o.values.get(metric) is not None and not o.diverged]
    return min(values, default=None)


def speed_figure(results: Results) -> Figure:
    """Return the tokens per second of every arm."""
    return quantity_figure(results, "speed", "Speed", "tokens per second", lambda o: o.values.get("tokens_per_second"))


def quantity_figure(
    results: Results, id: str, title: str, y_label: str, quantity: Callable[[Outcome], float | None]
) -> Figure:
    """Return the median over seeds of some quantity of each finished run, over `x` or arm by arm, one curve a group."""
    plan, grouped = results.plan, by_arm(results.plan, results.outcomes)
    numeric = all(arm.x is not None for arm in plan.arms)
    series = []
    for color, group in enumerate(dict.fromkeys(arm.group for arm in plan.arms)):
        points = []
        for i, arm in enumerate(plan.arms):
            known = sorted(v for o in grouped[arm.name] if o.status == "done" and (v := quantity(o)) is not None)
            if arm.group == group and known:
                points.append((arm.x if numeric else i, known[len(known) // 2], known[0], known[-1]))
        x, y, low, high = ([row[i] for row in points] for i in range(4))
        style = "both" if numeric else "points"
        series.append(Series(name=group or y_label, x={"x": x}, y=y, low=low, high=high, style=style, color=color))
    return Figure(
        id=id,
        title=title,
        caption="Median over seeds; the band runs from the lowest to the highest.",
        x_axes={"x": plan.x_label if numeric else "arm"},
        y_label=y_label,
        x_log=numeric and plan.x_log,
        series=[s for s in series if s.y],
        categories=None if numeric else [arm.name for arm in plan.arms],
    )


def best_of_group(results: Results, group: str) -> tuple[Arm, Interval] | None:
    """Return the arm of a group with the lowest mean among those that no seed lost, with its mean and interval."""
    grouped = by_arm(results.plan, results.outcomes)
    means = {}
    for arm in results.plan.arms:
        values = list(finished(grouped[arm.name], results.plan.metric).values())
        if arm.group == group and values and len(values) == len(grouped[arm.name]):
            means[arm.name] = (arm, statistics.mean_interval(values))
    return min(means.values(), key=lambda pair: pair[1].mean, default=None)


def compare_groups(results: Results, first: str, second: str) -> str:
    """Return one sentence that compares the best arms of two groups over paired seeds, each at its own best setting."""
    one, other = best_of_group(results, first), best_of_group(results, second)
    if one is None or other is None:
        return f"{first if one is None else second} has no setting that is stable over all seeds: no comparison."
    grouped = by_arm(results.plan, results.outcomes)
    values = {arm.name: finished(grouped[arm.name], results.plan.metric) for arm, _ in (one, other)}
    found = statistics.compare(values, one[0].name)
    if not found or found[0].low is None or found[0].high is None:
        return f"{second} against {first}: too few paired seeds for an interval."
    c = found[0]
    return (
        f"Each at its best setting, {second} ({other[0].name}) is {c.verdict.split(' (')[0]} "
        f"{'from' if c.verdict.startswith('not') else 'than'} {first} ({one[0].name}): difference {c.difference:+.4f}, "
        f"interval {c.low:+.4f} to {c.high:+.4f}, {c.seeds} paired seeds. (Choosing the best setting on the same seeds "
        "favours whichever was tried at more settings.)"
    )
