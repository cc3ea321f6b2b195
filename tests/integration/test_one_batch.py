"""`hornbook train --overfit-batch`: one batch is learned by heart, and it is said where it is not."""

import json
import re
from pathlib import Path

import pytest

from hornbook.cli.main import main

RECIPE = """
[run]
directory = "runs/elsewhere"
[data]
corpus = "storyworld"
corpus_level = "easy"
corpus_bytes = 40000
[tokenizer]
vocab_size = 320
[model]
context_length = 32
d_model = 48
num_layers = 2
num_heads = 2
[optimizer]
lr = 1e-2
[schedule]
warmup_steps = 1000
[training]
steps = 5000
batch_size = 4
max_minutes = 60
device = "cpu"
threads = 1
dtype = "float32"
"""


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    Path("small.toml").write_text(RECIPE)

    def say(*words):
        code = main(["train", "small.toml", "--overfit-batch", *words])
        return code, capsys.readouterr().out

    return say


def test_a_model_that_can_learn_has_its_batch_by_heart(say):
    code, said = say()
    assert code == 0
    last = said.splitlines()[-1]
    assert re.match(r"one batch, 200 times: its loss went to 0\.\d+; below 0\.29 it is known by heart", last)
    run = Path("runs/small-one-batch")
    losses = [json.loads(line).get("train_loss") for line in (run / "metrics.jsonl").read_text().splitlines()]
    losses = [loss for loss in losses if loss is not None]
    assert losses[0] > 3
    assert losses[-1] < 0.29
    assert not Path("runs/elsewhere").exists(), "the run itself is left alone"


def test_a_model_that_does_not_learn_is_told(say):
    code, said = say("--optimizer.lr", "1e-9", "--training.steps", "20", "--name", "stuck")
    assert code == 0
    assert "below 0.29 it would be known by heart: try --training.steps 40" in said.splitlines()[-1]
    assert Path("runs/stuck/config.toml").is_file()
