"""The time that is announced before a run counts its evaluations and samples."""

import json
from pathlib import Path

import pytest

from hornbook.tracking.console import Console
from hornbook.training.launch import estimate
from hornbook.training.launch.device import StepTime
from hornbook.training.loop import train


@pytest.fixture
def run(tmp_path, monkeypatch):
    def timed(call, device):
        call()
        return 0.25

    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(estimate, "measure_step", lambda *_, **__: StepTime(1.0, 0.5))
    monkeypatch.setattr(estimate, "timed", timed)

    def run(**training):
        recipe = {
            "run": {"directory": str(tmp_path / "run")},
            "data": {"corpus": "storyworld", "corpus_level": "easy", "corpus_bytes": 30_000},
            "tokenizer": {"vocab_size": 300},
            "model": {"context_length": 16, "d_model": 16, "num_layers": 1, "num_heads": 2},
            "training": {"batch_size": 4, "device": "cpu", "threads": 1, **training},
            "evaluation": {"every": 10, "sample_every": 10, "sample_tokens": 5, "max_tokens": 500},
        }
        path = train(recipe, console=Console(silent=True)).path
        return json.loads((Path(path) / "plan.json").read_text()), (path / "log.txt").read_text()

    return run


def test_expected_are_the_steps_the_evaluations_and_the_samples(run):
    plan, log = run(steps=25)
    evaluations = 4 * 500 / (4 * 16) * 0.25  # at the start, 10, 20 and 25: passes of four windows
    samples = 3 * 0.25
    assert plan["aside_seconds"] == pytest.approx(evaluations + samples)
    assert plan["expected_seconds"] == pytest.approx(25 * 0.5 + evaluations + samples)
    assert "expected: 21.1 s (8.6 s of it for evaluations and samples)" in log


def test_a_time_budget_is_what_is_expected_of_it(run):
    plan, _ = run(max_minutes=0.02)
    assert plan["expected_seconds"] == pytest.approx(1.2)
    assert plan["evaluation"]["times"] == 2
