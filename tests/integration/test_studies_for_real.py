"""Two entries of the catalogue at scale tiny, with real training, and a study that is killed half-way."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hornbook.cli.main import main
from hornbook.studies.folder import read_study


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    before = os.environ.get("HORNBOOK_CACHE")
    os.environ["HORNBOOK_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("HORNBOOK_CACHE") if before is None else os.environ.__setitem__("HORNBOOK_CACHE", before)


def test_a_training_study_runs_by_one_command_and_again_without_training(tmp_path, capsys):
    assert main(["study", "run", "position", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "4 runs, 0 done before, 4 to do" in said
    study = read_study(tmp_path / "position-tiny")
    arms = study.tables[0].rows
    assert [row["done"] for row in arms] == [2, 2]
    assert all(3 < row["val_loss"]["value"] < 6.3 for row in arms)
    page = (study.path / "report.html").read_text()
    assert "entropy floor" in page
    assert "not tested: 2 seeds, 5 are needed" in page
    started = time.monotonic()
    assert main(["study", "run", "position", "--out", str(tmp_path)]) == 0
    assert "4 done before, 0 to do" in capsys.readouterr().out
    assert time.monotonic() - started < 20


def test_the_tokenizer_study_runs_by_one_command(tmp_path, capsys):
    assert main(["study", "run", "tokenizer", "--seeds", "2", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    study = read_study(tmp_path / "tokenizer-tiny")
    rows = study.tables[0].rows
    own = {row["trained_on"]: row[f"on_{row['trained_on']}"]["value"] for row in rows}
    foreign = {row["trained_on"]: row["on_web-text"]["value"] for row in rows}
    assert own["web-text"] > foreign["stories"], "documentation compresses better with its own tokenizer"
    assert len(study.tables) == 3


def test_a_study_killed_half_way_goes_on(tmp_path):
    command = [sys.executable, "-m", "hornbook", "study", "run", "feed-forward", "--seeds", "2", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("[3/6]"):
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    process.wait()
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    # A fourth run may have ended between its line and the signal.
    assert "6 runs, 3 done before" in again.stdout or "6 runs, 4 done before" in again.stdout
    results = json.loads((tmp_path / "feed-forward-tiny" / "results.json").read_text())
    assert [row["done"] for row in results["tables"][0]["rows"]] == [2, 2, 2]
