"""How much of the validation set an evaluation measures: a share of the training, an even sample, all of it at the
end where that fits; and what a run of an earlier version does."""

import json
import math
import re

import numpy as np
import pytest
import torch
from harness.recipes import VOCAB, fingerprint, quiet_train, tiny_recipe, write_tokens
from hypothesis import given
from hypothesis import strategies as st

from hornbook.cli.main import main
from hornbook.data.token_data import TokenData
from hornbook.errors import ConfigError
from hornbook.evaluation.loss import evaluate, evenly
from hornbook.models.config import ModelConfig
from hornbook.models.transformer import TransformerLM
from hornbook.tracking.run import Run, best_record
from hornbook.training.config import resolve
from hornbook.training.evaluator import FORWARD_COST, plan_evaluations

T = 16


def recipe(steps=100, every=10, batch_size=4, **evaluation):
    return resolve(
        {
            "model": {"context_length": T, "d_model": 16, "num_layers": 1, "num_heads": 2},
            "training": {"steps": steps, "batch_size": batch_size, "device": "cpu", "dtype": "float32"},
            "evaluation": {"every": every, **evaluation},
        }
    )


@given(
    steps=st.integers(1, 100_000), every=st.integers(0, 5000), targets=st.integers(1, 10**9),
    share=st.sampled_from([0.01, 0.1, 0.5]),
)  # fmt: skip
def test_all_evaluations_together_cost_at_most_their_share_or_a_forward_pass_each(steps, every, targets, share):
    config = recipe(steps, every, share=share)
    sizes = plan_evaluations(config, steps, targets)
    cost = sizes.total * FORWARD_COST["cpu", "float32"]
    assert cost <= share * steps * config.tokens_per_step * (1 + 1e-9) or sizes.each == min(targets, 4 * T)
    assert 0 < sizes.each <= sizes.end <= targets
    assert sizes.times == 2 + sum(1 for step in range(1, min(steps, 10**6)) if every and step % every == 0)


def test_a_set_that_fits_is_measured_whole_every_time_one_that_fits_once_at_the_end():
    tokens = 100 * 4 * T
    affordable = 0.1 * tokens / FORWARD_COST["cpu", "float32"]
    assert plan_evaluations(recipe(), 100, int(affordable / 11)).each == int(affordable / 11)
    once = plan_evaluations(recipe(), 100, int(affordable / 2))
    assert once.end == int(affordable / 2)
    assert once.each < once.end
    never = plan_evaluations(recipe(), 100, int(affordable))
    assert never.end == never.each <= affordable / 11


def test_keys_of_the_section_override_the_share():
    assert plan_evaluations(recipe(full=True), 100, 10**6).each == 10**6
    assert plan_evaluations(recipe(max_tokens=500), 100, 10**6).end == 500
    with pytest.raises(ConfigError, match=r"full and evaluation\.max_tokens = 500 contradict"):
        recipe(full=True, max_tokens=500)
    with pytest.raises(ConfigError, match=r"evaluation\.share = 0\.0 must be above 0"):
        recipe(share=0.0)


@pytest.mark.parametrize(("count", "sample"), [(10, 10), (10, 1), (1000, 7), (10**6, 999)])
def test_a_sample_has_one_window_of_each_stretch(count, sample):
    chosen = evenly(count, sample)
    assert len(set(chosen.tolist())) == sample
    assert (chosen * sample // count == np.arange(sample)).mean() > 0.8
    assert np.array_equal(chosen, evenly(count, sample))


def test_a_sample_is_measured_alone_or_before_the_rest():
    torch.manual_seed(0)
    model = TransformerLM(ModelConfig(VOCAB, T, 32, 1, 2))
    ids = [np.random.default_rng(i).integers(0, VOCAB, n, dtype=np.uint16) for i, n in enumerate((1003, 17, 400))]
    data = TokenData(ids, num_bytes=2834)
    windows = [(ids[i][s : s + T + 1]) for i in range(3) for s in range(0, len(ids[i]) - T, T)]
    chosen = torch.from_numpy(np.stack([windows[k] for k in evenly(len(windows), 9)]).astype(np.int64))
    with torch.no_grad():
        expected = float(model.eval().loss(chosen[:, :-1], chosen[:, 1:]))
    part = evaluate(model, data, 4, sample=9)
    assert (part.num_tokens, part.loss) == (9 * T, pytest.approx(expected, rel=1e-6))
    assert part.bits_per_byte == pytest.approx(part.loss / math.log(2) / 2)  # the set has two bytes per token
    whole, both = evaluate(model, data, 4), evaluate(model, data, 4, sample=9, and_rest=True)
    assert both.num_tokens == whole.num_tokens == data.num_targets
    assert both.loss == pytest.approx(whole.loss, rel=1e-6)
    assert both.sample_loss == part.loss
    assert evaluate(model, data, 4, sample=10**6) == whole


def test_a_run_samples_says_so_and_measures_all_at_the_end(tmp_path, capsys):
    write_tokens(tmp_path / "train.npy", 6000)
    write_tokens(tmp_path / "validation.npy", 270, seed=1)
    run = quiet_train(tiny_recipe(tmp_path, training={"dtype": "float32"}))
    *sampled, last = [record for record in run.metrics() if "val_loss" in record]
    assert {record["val_tokens"] for record in sampled} == {64}
    assert last["val_tokens"] == 269
    assert last["val_sample_loss"] != last["val_loss"]
    log = (run.path / "log.txt").read_text()
    assert "evaluation: 64 of the 269 validation tokens each time, 5 times, all of them at the end" in log
    assert main(["eval", str(run.path), "--checkpoint", "last", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["num_tokens"] == 269
    assert found["loss"] == pytest.approx(last["val_loss"], rel=1e-6)


def test_the_best_step_is_told_by_what_all_evaluations_measured():
    records = [
        {"step": 0, "val_loss": 4.0},
        {"step": 1, "train_loss": 3.0},
        {"step": 10, "val_loss": 1.0},
        {"step": 20, "val_loss": 1.2, "val_sample_loss": 0.9},
    ]
    assert best_record(records) == records[3]
    assert best_record(records[:3]) == records[2]
    assert best_record([{"step": 1}]) is None


def test_a_run_of_an_earlier_version_goes_on_measuring_the_whole_set(tmp_path):
    whole = quiet_train(tiny_recipe(tmp_path / "whole", evaluation={"full": True}))
    earlier = tiny_recipe(tmp_path / "earlier", evaluation={"full": True})
    quiet_train({**earlier, "training": {**earlier["training"], "steps": 40}})
    folder = tmp_path / "earlier" / "run"
    for step in (40, 36):
        for file in (folder / "checkpoints" / f"step-{step:08d}").iterdir():
            file.unlink()
        (folder / "checkpoints" / f"step-{step:08d}").rmdir()
    (folder / "checkpoints" / "best.json").unlink(missing_ok=True)
    stored = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(re.sub(r"(?m)^(share|full) = .*\n", "", stored))
    plan = json.loads((folder / "plan.json").read_text())
    del plan["evaluation"]
    (folder / "plan.json").write_text(json.dumps(plan))
    quiet_train(tiny_recipe(tmp_path / "earlier"), resume=True)
    assert fingerprint(folder) == fingerprint(whole.path)
    assert Run.open(folder).config["evaluation"]["full"] is True
    quiet_train(tiny_recipe(tmp_path / "earlier"), resume=True)
