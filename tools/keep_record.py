"""Keep what a study showed: its plan and its runs without weights, below docs/handbook/records/.

    python tools/keep_record.py studies/learning-rate-cpu

A record is a study folder like any other (docs/formats/study.md), so `hornbook report` reads it: of each run the
recipe, where it ran, the metrics (at most 200 lines), samples and how it ended. The book is made from records alone
(handbook_studies.py). Left out: weights, tokenizers, paths of the machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.config import dump_toml, read
from hornbook.errors import HornbookError
from hornbook.fileio import canonical_json
from hornbook.report.figures import thin
from hornbook.studies.folder import RESULTS_FILE, STUDY_FILE, read_study

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "handbook" / "records"
AS_THEY_ARE = ("DONE", "study.json", "summary.json", "samples.jsonl")
PLACES = ("hornbook", "commit", "cores", "memory_bytes", "packages", "processor", "python", "time", "version")
MOST_LINES = 200
MOST_BYTES = 200_000


def main() -> int:
    parser = argparse.ArgumentParser(description="keep the record of a finished study")
    parser.add_argument("study", type=Path)
    parser.add_argument("--records", type=Path, default=RECORDS)
    arguments = parser.parse_args()
    try:
        print(keep(arguments.study, arguments.records))
    except (HornbookError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def keep(folder: Path, records: Path) -> Path:
    """Write the record of a study in place of an older one; return its folder.

    Raises:
        HornbookError: the study is not finished, or a run's record is larger than a record may be.
        OSError: a file cannot be read or written.
    """
    study = read_study(folder)
    if not study.finished:
        raise HornbookError(f"{folder} has no results yet; `{study.command}` goes on with it")
    out = records / f"{study.name.replace('-', '_')}-{study.scale}"
    shutil.rmtree(out, ignore_errors=True)
    for run in study.runs():
        _keep_run(run, out / run.relative_to(folder))
    if (folder / "measurements").is_dir():
        shutil.copytree(folder / "measurements", out / "measurements")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / STUDY_FILE, out / STUDY_FILE)
    results = json.loads((folder / RESULTS_FILE).read_text("utf-8"))
    results["environment"] = _only(PLACES, results["environment"])
    (out / RESULTS_FILE).write_text(canonical_json(results), encoding="utf-8")
    return out


def _keep_run(run: Path, out: Path) -> None:
    out.mkdir(parents=True)
    for name in AS_THEY_ARE:
        if (run / name).is_file():
            shutil.copyfile(run / name, out / name)
    config = read(run / "config.toml")
    config.get("run", {}).pop("directory", None)
    (out / "config.toml").write_text(dump_toml(_without_places(config)), encoding="utf-8")
    environment = json.loads((run / "environment.json").read_text("utf-8"))
    _write_json(out / "environment.json", _only(PLACES, environment))
    status = json.loads((run / "status.json").read_text("utf-8"))
    _write_json(out / "status.json", _only(("status", "reason", "version"), status))
    lines = (run / "metrics.jsonl").read_text("utf-8").splitlines(keepends=True)
    (out / "metrics.jsonl").write_text("".join(thinned(lines)), encoding="utf-8")
    size = sum(path.stat().st_size for path in out.iterdir())
    if size > MOST_BYTES:
        raise HornbookError(
            f"the record of {run} has {size:,} bytes, and {MOST_BYTES:,} are the most; shorten its samples"
        )


def thinned(lines: list[str], most: int = MOST_LINES) -> list[str]:
    """Return at most so many lines of metrics.jsonl: every evaluation, and of the rest the peaks of the loss."""
    evaluated = [i for i, line in enumerate(lines) if '"val_loss"' in line]
    others = [i for i, line in enumerate(lines) if '"val_loss"' not in line]
    losses = [json.loads(lines[i]).get("train_loss") for i in others]
    values = [float("nan") if loss is None else loss for loss in losses]
    kept = {others[place] for place in thin(values, most - len(evaluated))} | set(evaluated)
    return [lines[i] for i in sorted(kept)]


def _only(keys: Sequence[str], content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: content[key] for key in keys if key in content}


def _without_places(value: Any) -> Any:
    """Return a recipe with the name alone of each absolute path."""
    if isinstance(value, Mapping):
        return {key: _without_places(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_places(one) for one in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
