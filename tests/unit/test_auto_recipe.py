"""The recipe picked for a text: as large as the time allows, at the rate that training will have."""

import tomllib

import pytest
import torch

from hornbook.accounting.flops import training_flops_per_token
from hornbook.cli.main import main
from hornbook.training.config import resolve
from hornbook.training.launch import device
from hornbook.training.launch.auto_recipe import FEWEST_STEPS, LADDER, automatic_recipe

RATES = {torch.float32: 200e9, torch.bfloat16: 900e9}


@pytest.fixture
def machine(monkeypatch):
    """A CPU whose bfloat16 products run at 900 GFLOP/s and float32 ones at 200."""
    monkeypatch.setattr(device, "matmul_rate", lambda device, dtype, n, seconds, clock=None: RATES[dtype])
    monkeypatch.setattr(device, "choose_device", lambda name: torch.device("cpu"))
    monkeypatch.setattr(device, "asked_once", lambda trial, threads, *arguments: trial(*arguments))


@pytest.mark.parametrize("minutes", [None, 2, 60])
@pytest.mark.parametrize("num_bytes", [10_000, 3_000_000, 300_000_000])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_steps_fit_into_the_time(num_bytes, minutes, dtype):
    peak = RATES[getattr(torch, dtype)]
    recipe, _ = automatic_recipe(["my.txt"], num_bytes, peak, dtype, minutes)
    config = resolve(recipe)
    (shape,) = (s for s in LADDER if s.d_model == config.model.d_model)
    rate = peak * (shape.bfloat16_share if dtype == "bfloat16" else shape.float32_share)
    flops = config.training.steps * config.tokens_per_step * training_flops_per_token(config.model)
    assert config.training.steps == FEWEST_STEPS or flops <= 1.01 * 60 * (minutes or 10) * rate
    assert config.training.max_minutes == minutes


def test_the_small_shapes_reach_less_of_the_rate():
    for share in ("float32_share", "bfloat16_share"):
        shares = [getattr(shape, share) for shape in LADDER]
        assert shares == sorted(shares)


def picked(capsys, text, *words):
    assert main(["train", "--text", str(text), "--show-recipe", *words]) == 0
    out = capsys.readouterr().out
    recipe = tomllib.loads(out[out.index("\n[") :])
    return out, recipe["training"]["steps"], recipe["model"]["d_model"]


def test_sizes_follow_the_dtype_that_will_be_trained_in(tmp_path, capsys, machine):
    text = tmp_path / "my.txt"
    text.write_text("Once upon a time there was a hornbook. " * 200_000)
    out, steps, width = picked(capsys, text)
    assert "900 GFLOP/s in bfloat16" in out
    slow, slow_steps, slow_width = picked(capsys, text, "--training.dtype", "float32")
    assert "200 GFLOP/s in float32" in slow
    assert (width, steps) > (slow_width, slow_steps)
    long, *_ = picked(capsys, text, "--training.max-minutes", "40")
    assert "max_minutes = 40" in long
