"""The sentence that a page begins with: what happened, in the words of `studies/verdict.py`, against a named reference.

The references of a run are guessing (all tokens alike, ln V nats) and, where it is known, the text's entropy floor.
Left out: what to do about it (`hornbook show`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hornbook.format import counted, duration, number, quantity
from hornbook.report.load import RunData, as_number
from hornbook.studies.verdict import course_of, ending_of

SEEDS_UNKNOWN = "A run each: how far seeds differ is not measured."


def answer_of(runs: Sequence[RunData]) -> str:
    """Return what happened in a run, or which of several ends lowest; nothing where nothing was measured."""
    return run_verdict(runs[0]) if len(runs) == 1 else best_of(runs)


def best_of(runs: Sequence[RunData]) -> str:
    """Return which of several runs ends lowest, in a sentence."""
    last = {run.name: as_number(run.last("val_loss")) for run in runs}
    ended = sorted((loss, name) for name, loss in last.items() if loss is not None and math.isfinite(loss))
    if len(ended) < 2:
        return ""
    (best, name), (second, other) = ended[:2]
    return (
        f"{name} ends lowest, at a validation loss of {best:.4f} nats per token; next is {other}, {second - best:.4f} "
        f"above it. {SEEDS_UNKNOWN}"
    )


def run_verdict(run: RunData) -> str:
    """Return how one run ended, what its validation loss is against guessing and the floor, and how it went."""
    loss, step = as_number(run.last("val_loss")), as_number(run.last("step"))
    if run.status == "failed" or step is None:
        return f"{run.status.capitalize()}: {run.reason}." if run.reason else ""
    underway = run.status in ("running", "stopped")
    values = {"val_loss": loss, "uniform_loss": run.uniform_loss, "step": step}
    ending = ending_of("done" if underway else run.status, values, run.metrics) if loss is not None else run.status
    if ending == "diverged":
        return _diverged(run)
    course = course_of(run.metrics) if ending == "finished" else None
    words = [run.status if underway else "finished" if ending == "done" else ending]
    words += [ending] if underway and ending == "learned nothing" else []
    words += [course[0]] if course is not None and course[0] != "level" else []
    opening = ", ".join(words).capitalize() + _place(run, int(step))
    if loss is None:
        train = as_number(run.last("train_loss"))
        return (
            opening
            + (f": a training loss of {train:.3f} nats per token" if train is not None else "")
            + ("; no validation loss has been measured.")
        )
    sentences = [f"{opening}: a validation loss of {loss:.3f} nats per token{_against(run, loss)}."]
    if course is not None and course[0] == "overfitting":
        low, at = course[1]["val_loss"], course[1]["step"]
        sentences.append(f"It was lowest at step {at:,}, {low:.3f}; since then only the training loss fell.")
    elif course is not None and course[0] == "still falling":
        fallen = 100 * (1 - loss / course[1]["val_loss"])
        sentences.append(f"Since step {course[1]['step']:,} it fell by {fallen:.2g} %.")
    return " ".join(sentences)


def _diverged(run: RunData) -> str:
    best = run.best_val_loss()
    reason = run.reason or f"the validation loss ends at {number(run.last('val_loss'))}, well above its start"
    lowest = "" if best is None else f" The lowest validation loss was {best:.3f} nats per token{_against(run, best)}."
    return f"Diverged: {reason.rstrip('.')}.{lowest}"


def _place(run: RunData, step: int) -> str:
    """Return where a run stands: `at step 812 of 3,000`, or after how many steps it is done."""
    planned = as_number(run.setting("training", "steps"))
    if run.status in ("running", "stopped"):
        return f" at step {step:,}" + (f" of {planned:,}" if planned is not None and planned > step else "")
    return f" after {counted(step, 'step')}"


def _against(run: RunData, loss: float) -> str:
    """Return what a loss is beside guessing, and the run's ratio to the floor."""
    words = []
    if run.uniform_loss is not None:
        share = loss / run.uniform_loss
        beside = f"{100 * share:.0f} % of" if share < 1 else "no better than"
        tokens = f"{round(math.exp(run.uniform_loss)):,}"
        words.append(f"{beside} guessing all {tokens} tokens alike ({run.uniform_loss:.3f})")
    bits, floor = as_number(run.last("val_bits_per_byte")), run.entropy_floor
    if loss == run.last("val_loss") and run.ratio_to_floor is not None:
        words.append(f"{run.ratio_to_floor:.2f} × the entropy floor (whole stories)")
    elif loss == run.last("val_loss") and bits is not None and floor:
        words.append(f"{bits / floor:.2f} × the entropy floor (windows)")
    return "".join(f", {part}" for part in words)


def size_of(run: RunData) -> str:
    """Return what a run took: steps, tokens, time."""
    step, tokens, seconds = (as_number(run.last(key)) for key in ("step", "tokens", "seconds"))
    parts = [
        counted(int(step), "step") if step is not None else "",
        f"{quantity(tokens)} tokens" if tokens else "",
        duration(seconds) if seconds else "",
        ", ".join(str(v) for key in ("device", "dtype") if (v := run.setting("training", key)) is not None),
    ]
    return " · ".join(part for part in parts if part)
