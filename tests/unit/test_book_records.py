"""Records of studies: what the book is made from."""

import json
from pathlib import Path

import handbook_studies
import pytest
from keep_record import MOST_LINES, keep, thinned

from hornbook.config import dump_toml, read
from hornbook.errors import HornbookError
from hornbook.studies.folder import read_study
from hornbook.tracking.run import Run


def study_folder(folder: Path, steps: int = 5, **sample: str) -> Path:
    """A study of one run, as docs/formats/study.md has it."""
    run = folder / "runs" / "a" / "seed-0"
    run.mkdir(parents=True)
    plan = {
        "version": 1, "name": "two-words", "scale": "tiny", "question": "?", "design": ".", "command": "c",
        "seeds": [0], "arms": [{"name": "a", "overrides": {}}],
    }  # fmt: skip
    (folder / "study.toml").write_text(dump_toml(plan))
    recipe = {"run": {"name": "a", "directory": "/home/me/x"}, "data": {"text": ["/home/me/own.txt"], "corpus": "a/b"}}
    (run / "config.toml").write_text(dump_toml(recipe))
    environment = {"version": 1, "commit": "abc", "cores": 2, "command": ["/home/me/bin"], "platform": "p"}
    (run / "environment.json").write_text(json.dumps(environment))
    (run / "status.json").write_text(json.dumps({"version": 1, "status": "done", "pid": 7, "reason": ""}))
    (run / "samples.jsonl").write_text(json.dumps({"step": 1, "prompt": "", "text": sample.get("text", "t")}) + "\n")
    (run / "metrics.jsonl").write_text("".join(lines(steps)))
    (run / "log.txt").write_text("/home/me")
    (run / "checkpoints").mkdir()
    results = {"version": 1, "environment": environment, "findings": ["f"], "figures": [], "tables": []}
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def lines(steps: int) -> list[str]:
    records = [{"step": s, "train_loss": 9.0 if s == 500 else 2.0} for s in range(1, steps)]
    for record in records[::50]:
        record["val_loss"] = 3.0
    return [json.dumps(record) + "\n" for record in records]


def test_a_record_is_a_study_folder_without_weights_and_without_places(tmp_path):
    record = keep(study_folder(tmp_path / "s"), tmp_path / "records")
    assert record.name == "two_words-tiny"
    study = read_study(record)
    assert (study.findings, study.finished, study.missing) == (["f"], True, [])  # as before `missing` was written
    run = record / "runs" / "a" / "seed-0"
    assert {path.name for path in run.iterdir()} == {
        "config.toml", "environment.json", "status.json", "samples.jsonl", "metrics.jsonl",
    }  # fmt: skip
    assert not [path for path in record.rglob("*") if path.is_file() and "/home/me" in path.read_text()]
    assert read(run / "config.toml")["data"] == {"text": ["own.txt"], "corpus": "a/b"}
    assert len(Run.open(run).metrics()) == 4
    assert keep(tmp_path / "s", tmp_path / "records") == record  # in place of the older one


def test_every_evaluation_and_the_peaks_of_the_loss_stay():
    kept = [json.loads(line) for line in thinned(lines(2001))]
    assert len(kept) <= MOST_LINES
    assert sum("val_loss" in record for record in kept) == 40
    assert {1, 500, 2000} <= {record["step"] for record in kept}
    assert thinned(lines(100)) == lines(100)


def test_what_is_no_record_is_refused(tmp_path):
    with pytest.raises(HornbookError, match="bytes, and 200,000 are the most; shorten its samples"):
        keep(study_folder(tmp_path / "long", text="x" * 200_000), tmp_path / "records")
    unfinished = study_folder(tmp_path / "open")
    (unfinished / "results.json").unlink()
    with pytest.raises(HornbookError, match="has no results yet; `c` goes on with it"):
        keep(unfinished, tmp_path / "records")


def test_a_record_of_another_plan_is_refused(tmp_path):
    record = tmp_path / "toy_sgd-cpu"
    record.mkdir()
    own = handbook_studies.RECORDS / record.name
    (record / "results.json").write_text((own / "results.json").read_text())
    text = (own / "study.toml").read_text()
    assert handbook_studies.read_record(own).analysis.findings == read_study(own).findings
    arm = '\n[[arms]]\nname = "more"\ngroup = ""\noverrides = {}\n'
    (record / "study.toml").write_text(text.replace("arms = []\n", "") + arm)
    with pytest.raises(HornbookError, match="is of another plan than `hornbook study run toy-sgd --scale cpu` has now"):
        handbook_studies.read_record(record)
