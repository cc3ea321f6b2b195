"""`hornbook show RUN`: one screen about one run: how it stands, what it is, how far it came, and what to do next.

Everything is read from the run's own files; no weights are opened and torch is not imported. Left out: the environment
and every key of the recipe (`hornbook report RUN` has them), and several runs beside each other (`hornbook runs`).
"""

from __future__ import annotations

import json
import math
import shutil
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hornbook.cli.common import command
from hornbook.config import flatten
from hornbook.errors import HornbookError
from hornbook.fileio import read_json_object
from hornbook.format import counted, duration, number, quantity, setting

LABEL = 13
"""Columns of the names at the left."""
LONGEST_SAMPLE = 300
"""Characters of the sample that is shown."""
OWN_LINE = ("run.", "data.text", "data.corpus", "data.tokens", "data.validation_t", "training.steps")
"""Keys that other lines show."""
MACHINE = ("training.device", "training.dtype", "training.threads", "training.compile")
"""Keys whose "auto" was resolved; they say where, not what."""
SHAPE: dict[str, Callable[[int], str]] = {
    "num_layers": lambda count: counted(count, "layer"),
    "d_model": "width {:,}".format,
    "num_heads": lambda count: counted(count, "head"),
    "context_length": "context {:,}".format,
    "vocab_size": "vocabulary {:,}".format,
}
PLAN = ("parameters", "train_tokens", "validation_tokens", "tokens_per_step", "epochs", "expected_seconds")
BARS = "▁▂▃▄▅▆▇█"


def main(run: Path, *, json_: bool = False) -> int:
    """One screen about a run: status, recipe, data, plan, losses, checkpoints, a sample, and what to do next.

    Args:
        run: the run's folder.
        json_: print JSON.

    Examples:
        hornbook show runs/tinystories
    """
    facts = facts_of(run)
    if json_:
        print(json.dumps(facts))
        return 0
    width = max(40, min(110, shutil.get_terminal_size((100, 24)).columns))
    for label, text in lines_of(facts):
        for line in textwrap.wrap(text, width - LABEL, break_on_hyphens=False) or [""]:
            print(f"{label:<{LABEL}}{line}")
            label = ""
    print("\nnext:")
    for words, why in facts["next"]:
        print(f"  {words}\n    {why}" if len(words) + len(why) + 6 > width else f"  {words}   {why}")
    return 0


def facts_of(path: Path) -> dict[str, Any]:
    """Return all that is shown, as plain values. Raises HornbookError or OSError where there is no run to read."""
    from hornbook.report.load import as_number, read_run
    from hornbook.tracking.run import Run

    opened, run = Run.open(path), read_run(path)
    record, summary = opened.status_record(), opened.summary()
    plan = {k: as_number(v) for k, v in read_json_object(path / "plan.json", missing_ok=True).items()}
    names = [p.name for p in (path / "checkpoints").glob("step-*") if p.name[5:].isdigit()]
    sizes = [f.stat().st_size for name in names for f in (path / "checkpoints" / name).iterdir()]
    training, data = run.config.get("training", {}), run.config.get("data", {})
    sources = data.get("text") or data.get("tokens") or [data.get("corpus")]
    losses = [r["val_loss"] for r in run.metrics if r.get("val_loss") is not None]
    facts = {
        "run": str(path),
        "name": run.name,
        "status": run.status,
        "reason": str(record.get("reason", "")),
        "since": record.get("time"),
        "note": run.note,
        "tags": list(run.tags),
        "command": run.command,
        "data": [str(source) for source in sources if source] + [str(m.get("text")) for m in data.get("mixture") or []],
        "model": dict(run.config.get("model", {})),
        "not_default": not_default(run.config),
        "machine": {key: training.get(key) for key in ("device", "dtype", "threads")},
        "plan": {key: plan.get(key) for key in PLAN},
        "steps": training.get("steps") if training.get("max_minutes") is None else None,
        "max_minutes": training.get("max_minutes"),
        **{key: summary.get(key) for key in ("step", "tokens", "seconds", "train_loss", "lr", "tokens_per_second")},
        **{key: summary.get(key) for key in ("val_loss", "val_bits_per_byte", "best_val_loss", "best_step")},
        "val_losses": losses,
        "entropy_floor_bits_per_byte": run.entropy_floor,
        "checkpoints": sorted(int(name[5:]) for name in names),
        "checkpoint_bytes": sum(sizes),
        "sample": run.samples[-1] if run.samples else None,
    }
    return facts | {"next": next_steps(facts)}


def not_default(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the keys of a stored recipe that no line of its own shows and that are not what they are where nobody
    says anything; None where this version cannot read it."""
    from hornbook.training.config import resolve, resolve_stored

    try:
        own = flatten(resolve_stored(config).to_dict())
        shape = {key: own[f"model.{key}"] for key in SHAPE}
        usual = flatten(resolve({"model": shape, "optimizer": {"name": own["optimizer.name"]}}).to_dict())
    except (HornbookError, KeyError, TypeError):
        return None
    hidden = (*OWN_LINE, *MACHINE, *(f"model.{key}" for key in SHAPE))
    return {key: value for key, value in own.items() if value != usual.get(key) and not key.startswith(hidden)}


def lines_of(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the screen as pairs of a label and a text; those without a value are left out."""
    f, plan, model = facts, facts["plan"], facts["model"]
    ago = f" ({duration(max(0.0, time.time() - f['since']))} ago)" if f["since"] else ""
    reason = f": {f['reason']}" if f["reason"] else ""
    shape = " · ".join(say(model[key]) for key, say in SHAPE.items() if isinstance(model.get(key), int))
    size = f"{quantity(plan['parameters'])} parameters · " if plan["parameters"] else ""
    tokens = plan["train_tokens"], plan["validation_tokens"]
    counts = f" · {quantity(tokens[0])} tokens to train on, {quantity(tokens[1])} to validate on" if all(tokens) else ""
    where = ", ".join(str(v) for v in (f["machine"]["device"], f["machine"]["dtype"]) if v)
    changed = f["not_default"]
    recipe = (
        "not one that this version reads"
        if changed is None
        else "  ".join(f"{key}={setting(value)}" for key, value in changed.items()) or "all at their defaults"
    )
    kept = ", ".join(f"{step:,}" for step in f["checkpoints"])
    rows = [
        ("run", f["run"] + (f"   [{' '.join(f['tags'])}]" if f["tags"] else "")),
        ("note", f["note"]),
        ("status", f"{f['status']}{reason}{ago}"),
        ("model", size + shape),
        ("data", ", ".join(f["data"]) + counts),
        ("recipe", recipe),
        ("plan", _plan(f)),
        ("done", _done(f) + (f" · on {where}" if where else "")),
        ("loss", _loss(f)),
        ("validation", _validation(f)),
        ("checkpoints", f"{kept} · {quantity(f['checkpoint_bytes'], 'B')}" if kept else "none"),
        ("sample", _sample(f["sample"])),
    ]
    return [(label, text) for label, text in rows if text]


def _plan(f: dict[str, Any]) -> str:
    per_step, epochs = f["plan"]["tokens_per_step"], f["plan"]["epochs"]
    if f["max_minutes"] is not None:
        return f"{number(f['max_minutes'])} minutes"
    if not isinstance(f["steps"], int):
        return ""
    total = f" of {per_step:,} tokens = {quantity(f['steps'] * per_step)} tokens" if per_step else ""
    return counted(f["steps"], "step") + total + (f", the training set {epochs:.2g} times" if epochs else "")


def _done(f: dict[str, Any]) -> str:
    if f["step"] is None:
        return "nothing yet"
    words = counted(f["step"], "step")
    if f["steps"] and f["step"] < f["steps"]:
        words += f" ({100 * f['step'] / f['steps']:.0f} %)"
    if f["tokens"]:
        words += f" · {quantity(f['tokens'])} tokens"
    if f["seconds"]:
        words += f" · {duration(f['seconds'])}"
    return words + (f" · {quantity(f['tokens_per_second'])} tokens/s" if f["tokens_per_second"] else "")


def _loss(f: dict[str, Any]) -> str:
    if f["train_loss"] is None:
        return ""
    return f"training {f['train_loss']:.4f}" + (f" · learning rate {f['lr']:.3g}" if f["lr"] is not None else "")


def _validation(f: dict[str, Any]) -> str:
    if f["val_loss"] is None:
        return ""
    words = f"{curve(f['val_losses'])} {f['val_loss']:.4f}"
    if f["val_bits_per_byte"] is not None:
        floor = f["entropy_floor_bits_per_byte"]
        words += f" ({f['val_bits_per_byte']:.4f} bits/byte" + (f", the floor is {floor:.4f})" if floor else ")")
    if f["best_val_loss"] is not None:
        words += f" · best {f['best_val_loss']:.4f} at step {f['best_step']:,}"
    return words.strip()


def curve(values: list[float], columns: int = 20) -> str:
    """Return values as a line of bars, from their lowest to their highest; longer lists by every so many-th."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 3:
        return ""
    last = len(finite) - 1
    shown = [finite[round(i * last / (min(columns, len(finite)) - 1))] for i in range(min(columns, len(finite)))]
    low, high = min(shown), max(shown)
    return "".join(BARS[round((len(BARS) - 1) * (v - low) / (high - low))] if high > low else BARS[0] for v in shown)


def _sample(sample: dict[str, Any] | None) -> str:
    if sample is None:
        return ""
    text = " ".join(f"{sample.get('prompt', '')}{sample.get('text', '')}".split())
    return f"(step {sample.get('step', 0):,}) {text[:LONGEST_SAMPLE]}{' …' if len(text) > LONGEST_SAMPLE else ''}"


def next_steps(f: dict[str, Any]) -> list[tuple[str, str]]:
    """Return commands to go on with, each with what it is for."""
    run, status = f["run"], f["status"]
    report = (command("report", run), "curves, samples and configuration on one page")
    if status == "running":
        return [(command("show", run), "again later"), report]
    if status == "diverged":
        lr = f["not_default"].get("optimizer.lr") if f["not_default"] else None
        slower = ["--optimizer.lr", f"{lr / 3:.2g}"] if isinstance(lr, float) else ["--guard.action", "rewind"]
        again = command(
            "train", Path(run) / "config.toml", *slower, "--run.directory", "none", "--name", f["name"] + "-again"
        )
        return [(again, "once more, more carefully"), report]
    use = [(command("generate", run, "--prompt", "Once"), "what it writes"), report] if f["checkpoints"] else [report]
    if status in ("stopped", "failed"):
        return [(command("train", run, "--resume"), "goes on where it was stopped"), *use]
    if f["max_minutes"] is not None:
        longer = ["--max-minutes", f"{2 * f['max_minutes']:g}"]
    else:
        longer = ["--training.steps", str(2 * (f["steps"] or f["step"] or 1))]
    return [*use, (command("eval", run), "the whole validation set"),
            (command("train", run, "--resume", *longer), "trains it for twice as long")]  # fmt: skip
