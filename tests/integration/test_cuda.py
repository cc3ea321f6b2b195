"""A run on a GPU makes what the CPU makes, compiled or not, with its data there or not, and resumes bit for bit."""

import numpy as np
import pytest
import torch

import hornbook as hb

DEVICE = "cuda"
pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # PyTorch's own, while it traces
]


@pytest.fixture
def train(tmp_path):
    tokens = np.random.default_rng(0).integers(0, 50, 6000).astype(np.uint16)
    tokens[1::2] = tokens[::2]  # something to learn
    np.save(tmp_path / "tokens.npy", tokens)

    def run(name, device=DEVICE, resume=False, **training):
        recipe = {
            "run": {"directory": str(tmp_path / name)},
            "data": {"tokens": [str(tmp_path / "tokens.npy")], "validation_tokens": [str(tmp_path / "tokens.npy")]},
            "model": {"vocab_size": 50, "context_length": 16, "d_model": 32, "num_layers": 2, "num_heads": 4},
            "training": {
                "steps": 8, "batch_size": 8, "gradient_accumulation": 2, "dtype": "float32", "device": device,
                "compile": False, "deterministic": True, **training,
            },
            "evaluation": {"every": 4, "sample_every": 0},
            "checkpoint": {"every": 4},
            "logging": {"every": 1},
        }  # fmt: skip
        return hb.train(recipe, resume=resume)

    return run


def losses(run, key="train_loss"):
    return [record[key] for record in run.metrics() if key in record]


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("share", [8, 10**15], ids=["resident", "pinned"])
def test_losses_equal_those_of_the_cpu(train, monkeypatch, share, compile):
    monkeypatch.setattr("hornbook.training.trainer.DATA_SHARE", share)
    there, here = train("there", compile=compile), train("here", device="cpu")
    assert there.status == here.status == "done"
    np.testing.assert_allclose(losses(there), losses(here), rtol=1e-4)
    np.testing.assert_allclose(losses(there, "val_loss"), losses(here, "val_loss"), rtol=1e-4)


def test_bfloat16_learns_as_float32_does(train):
    narrow, wide = losses(train("narrow", dtype="bfloat16")), losses(train("wide"))
    np.testing.assert_allclose(narrow, wide, rtol=0.02)


def test_a_resumed_run_is_the_same_bit_for_bit(train):
    whole = train("whole")
    train("parts", steps=8)
    newest = sorted((whole.path.parent / "parts" / "checkpoints").iterdir())[-1]
    for file in newest.iterdir():
        file.unlink()
    newest.rmdir()  # as if killed between the two checkpoints
    (whole.path.parent / "parts" / "DONE").unlink(missing_ok=True)
    resumed = train("parts", resume=True)
    assert losses(resumed) == losses(whole)
