"""The standard reading of a training study: its figures, arms in a table, differences to the baseline, sentences.

Every sentence is built from the numbers beside it. A diverged run is a result: it is counted, never averaged.
Left out: the figures themselves (`studies/figures.py`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from statistics import median_high, stdev
from typing import Any

from hornbook.format import counted, number
from hornbook.studies import statistics
from hornbook.studies.charts import Figure, Table, columns
from hornbook.studies.figures import LABELS, curves, difference_figure, final_figure
from hornbook.studies.statistics import FEWEST_FOR_AN_INTERVAL, Comparison, mean_interval
from hornbook.studies.study import Analysis, Outcome, Results
from hornbook.studies.verdict import BETTER, FEWEST_SEEDS, FEWEST_UPDATES, NOT_DISTINGUISHABLE, WORSE

UNITS = {"val_loss": " (nats/token)", "val_bits_per_byte": " (bits/byte)"}
"""What headings of tables say of a metric."""


def standard(results: Results, *first: str, figures: Sequence[Figure] = ()) -> Analysis:
    """Return the reading of any training study; a study's own sentences stand first and its own figures last.

    Where a run made too few updates nothing is judged: the numbers stand without sentences that read them.
    """
    plan, floor = results.plan, floor_in_metric(results)
    lines = {} if floor is None else {"entropy floor": floor}
    drawn = [dataclasses.replace(f, lines={**f.lines, **lines}) for f in (final_figure(results), curves(results))]
    if plan.baseline is not None and (found := comparisons(results)):
        drawn.insert(1, difference_figure(results, found))
    tables = [arm_table(results)]
    if plan.baseline is not None and len(plan.arms) > 1:
        tables.append(comparison_table(results))
    said = [*(() if results.too_short else first), *findings(results)]
    return Analysis(findings=said, figures=[*drawn, *figures], tables=tables)


def floor_of(results: Results) -> float | None:
    """Return the entropy floor in bits per byte, where all runs share one."""
    floors = {o.values.get("entropy_floor_bits_per_byte") for o in results.outcomes}
    return floors.pop() if len(floors) == 1 else None


def floor_in_metric(results: Results) -> float | None:
    """Return the floor in the unit of the plan's metric, where all runs share it; None where there is none."""
    floor, metric = floor_of(results), results.plan.metric
    if floor is None or metric == "val_bits_per_byte":
        return floor
    # Nats per token over bits per byte is one number for all runs of a tokenizer and a text.
    pairs = [(o.values.get(metric), o.values.get("val_bits_per_byte")) for o in results.outcomes if not o.diverged]
    ratios = [loss / bits for loss, bits in pairs if loss and bits]
    return floor * ratios[0] if ratios and max(ratios) <= 1.001 * min(ratios) else None


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
    unit = UNITS.get(results.plan.metric, "")
    labels = {
        "arm": "arm", "done": "seeds finished", "learned nothing": "learned nothing",
        "diverged": "diverged", "failed": "failed", "val_loss": "val loss (nats/token)",
        "val_bits_per_byte": "bits/byte", "spread": f"SD over seeds{unit}", "parameters": "parameters",
        "tokens": "tokens", "seconds": "seconds", "tokens_per_second": "tokens/s",
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
    difference = f"difference to {plan.baseline}{UNITS.get(plan.metric, '')}"
    labels = {
        "arm": "arm", "seeds": "paired seeds", "difference": difference, "interval": "interval",
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
