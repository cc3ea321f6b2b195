"""A recipe with a mixture, through the command line: trained, stopped within a block and resumed, and measured."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from harness.recipes import fingerprint

from hornbook.checkpoint.store import CheckpointStore
from hornbook.cli.main import main
from hornbook.config import read
from hornbook.training.trainer import Trainer

RECIPE = """
[data]
mixture = [{text = "cats.txt", weight = 3}, {text = ["dogs.txt"], weight = 2}]
order = "epochs"
[tokenizer]
vocab_size = 300
[model]
context_length = 16
d_model = 16
num_layers = 1
num_heads = 2
[training]
steps = 21
batch_size = 3
device = "cpu"
threads = 1
compile = false
[evaluation]
every = 7
sample_every = 0
[checkpoint]
every = 100
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for word, count in (("cat", 300), ("dog", 60)):
        stories = "".join(f"The {word} number {i} ran home.\n<|endoftext|>\n" for i in range(count))
        (tmp_path / f"{word}s.txt").write_text(stories)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


def test_a_run_stopped_within_a_block_resumes_to_the_same_bits(folder, monkeypatch, capsys):
    assert main(["train", "recipe.toml", "--run.name", "whole"]) == 0
    assert " (the sources " in capsys.readouterr().out
    train_step = Trainer.train_step

    def signalled(self):
        result = train_step(self)
        if self.counters.step == 11:  # 33 windows: 6 blocks of 5, and 3
            os.kill(os.getpid(), signal.SIGTERM)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_step", signalled)
        assert main(["train", "recipe.toml", "--run.name", "cut"]) == 130
    assert CheckpointStore(folder / "runs" / "cut" / "checkpoints").load().step == 11
    assert main(["train", "recipe.toml", "--run.name", "cut", "--resume"]) == 0
    assert fingerprint(folder / "runs" / "cut") == fingerprint(folder / "runs" / "whole")


def test_a_mixture_is_stored_with_whole_names_and_not_changed_on_resume(folder, capsys, monkeypatch):
    assert main(["train", "recipe.toml", "--run.name", "m"]) == 0
    capsys.readouterr()
    changed = '[{text = "cats.txt", weight = 1}, {text = "dogs.txt", weight = 2}]'
    assert main(["train", "recipe.toml", "--run.name", "m", "--resume", "--data.mixture", changed]) == 2
    assert "the run was made with data.mixture" in capsys.readouterr().err
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert main(["train", "../runs/m", "--resume"]) == 0
    capsys.readouterr()
    assert main(["eval", "../runs/m", "--checkpoint", "last", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    losses = list(measured["sources"].values())
    assert len(set(losses)) == 2
    assert min(losses) < measured["loss"] < max(losses)
    assert [name.rpartition("/")[2] for name in measured["sources"]] == ["cats.txt", "dogs.txt"]
    data = read("../runs/m/config.toml")["data"]
    assert [Path(source["text"][0]).is_absolute() for source in data["mixture"]] == [True, True]
    assert [source["weight"] for source in data["mixture"]] == [3, 2]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data.mixture", "[]"], "the recipe names no data"),
        (["--data.mixture", "cats.txt,dogs.txt"], "data.mixture[0]: wanted a section (a table of keys), got text"),
        (["--data.mixture", '[{text = "cats.txt", weight = 0}]'], "weight = 0.0 must be above 0"),
        (["--data.mixture", '[{text = "birds.txt"}]'], "birds.txt"),
        (["--data.text", "cats.txt"], "data.text and data.mixture are both given"),
    ],
)
def test_a_bad_mixture_is_a_sentence_and_exit_code_2(words, sentence, capsys):
    assert main(["train", "recipe.toml", *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
