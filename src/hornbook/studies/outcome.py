"""Reads one run of a study as an `Outcome`: only from its folder, never from the process that made it."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from statistics import median_high
from typing import Any

from hornbook.fileio import read_json_object
from hornbook.studies.study import Outcome
from hornbook.tracking.run import SUMMARY_FILE, Run


def read_outcome(path: Path, arm: str, seed: int) -> Outcome:
    """Return what a run ended with. A folder that holds no readable run is a failed outcome with the reason."""
    try:
        run = Run.open(path)
        records, status = run.metrics(), run.status
        reason = str(run.status_record().get("reason", ""))
    except (OSError, ValueError) as error:
        return Outcome(arm=arm, seed=seed, status="failed", reason=str(error), path=path, values={})
    values: dict[str, Any] = {key: value for key, value in run.summary().items() if value is not None}
    if status == "done" and not _finite(_last(records, "val_loss")):
        status, reason = "diverged", reason or "the last validation loss is not finite"
    if speeds := [r["tokens_per_second"] for r in records if _finite(r.get("tokens_per_second"))]:
        values["tokens_per_second"] = median_high(speeds)
    values |= _facts(path, run.config)
    return Outcome(arm=arm, seed=seed, status=status, reason=reason, path=path, values=values, records=records)


def _facts(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a run besides its metrics: ln V, parameters, the entropy floor."""
    facts: dict[str, Any] = {}
    model = config.get("model", {})
    if isinstance(model.get("vocab_size"), int):
        facts["uniform_loss"] = math.log(model["vocab_size"])
        facts["parameters"] = _parameters(model)
    with contextlib.suppress(OSError, ValueError):
        floor = read_json_object(path / SUMMARY_FILE).get("entropy_floor_bits_per_byte")
        if _finite(floor):
            facts["entropy_floor_bits_per_byte"] = floor
    return facts


def _parameters(model: dict[str, Any]) -> int:
    from hornbook.accounting.parameters import count_parameters
    from hornbook.config import build
    from hornbook.models.config import ModelConfig

    known = {key: value for key, value in model.items() if key != "init_from"}
    return count_parameters(build(ModelConfig, known, "model")).total


def _last(records: list[dict[str, Any]], key: str) -> Any:
    return next((record[key] for record in reversed(records) if key in record), None)


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
