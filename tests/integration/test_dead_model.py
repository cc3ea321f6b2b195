"""A model whose weights are NaN is found by everything that would compute with it."""

import pytest
import torch

import hornbook as hb
from hornbook.cli.main import main
from hornbook.data.corpora import storyworld
from hornbook.errors import CheckpointError, HornbookError

SHAPE = {"context_length": 64, "d_model": 32, "num_layers": 1, "num_heads": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dead")
    (folder / "stories.txt").write_text(storyworld.generate(30_000, 1, "easy"), encoding="utf-8")
    return folder


def train(folder, name, action):
    recipe = {
        "run": {"directory": str(folder / name)},
        "data": {"text": [str(folder / "stories.txt")]},
        "tokenizer": {"vocab_size": 320},
        "model": SHAPE,
        "optimizer": {"name": "sgd", "lr": 1e6},
        "schedule": {"name": "constant", "warmup_steps": 0},
        "training": {"steps": 20, "batch_size": 4, "threads": 1, "dtype": "float32", "clip_norm": 0.0},
        "guard": {"action": action},
        "evaluation": {"sample_every": 0},
    }
    return hb.train(recipe)


@pytest.fixture(scope="module")
def dead(folder):
    return train(folder, "dead", "off").path


def test_training_finds_it(folder):
    assert train(folder, "guarded", "stop").status == "diverged"


@pytest.mark.parametrize(
    "words",
    [
        ["eval", "{}", "--checkpoint", "last"],
        ["generate", "{}", "--checkpoint", "last", "--prompt", "Once"],
        ["export", "{}", "--checkpoint", "last", "--to", "hf", "{}-exported"],
    ],
)
def test_every_verb_says_so_in_one_sentence(dead, capsys, words):
    assert main([word.format(dead) for word in words]) == 2
    shown = capsys.readouterr()
    assert "are infinite or NaN: its training diverged" in " ".join(shown.err.split())
    assert shown.out == ""


def test_the_library_says_so(dead):
    with pytest.raises(CheckpointError, match="infinite or NaN"):
        hb.load_run(dead, "last")


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_generation_finds_it_in_a_model_in_memory(temperature):
    model = hb.TransformerLM(hb.ModelConfig(vocab_size=320, d_ff=64, **SHAPE))
    with torch.no_grad():
        model.output_weight[5] = float("nan")
    with pytest.raises(HornbookError, match="NaN"):
        hb.generate(model, [1, 2], 3, temperature=temperature)


def test_weights_of_a_dead_run_start_no_other(folder, dead):
    recipe = {"run": {"directory": str(folder / "heir")}, "data": {"text": [str(folder / "stories.txt")]}}
    recipe |= {"model": {"init_from": str(dead)}, "training": {"steps": 1, "batch_size": 2, "threads": 1}}
    with pytest.raises(CheckpointError, match="infinite or NaN"):
        hb.train(recipe)
