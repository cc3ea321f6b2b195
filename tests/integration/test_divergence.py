"""The guard in a real training: NaN in data, in the loss, in a gradient, in a weight; stop, or rewind and go on."""

import json
import math

import pytest
import torch
from harness.recipes import quiet_train, tiny_recipe
from safetensors.torch import load_file

from hornbook.training.distributed import strategies
from hornbook.training.trainer import Trainer

BAD_STEP = 17


def inject(monkeypatch, what, batches):
    """Make training go wrong whenever it sees one of the given batches (or, for None, at every batch from BAD_STEP)."""
    train_step, make_loss = Trainer.train_step, strategies.make_loss
    seen = {"batch": -1, "done": False}

    def bad_now():
        return seen["batch"] in batches

    def watched(self):
        p = self.counters
        position = p.position
        while position in p.skipped:
            position += 1
        seen["batch"] = position
        if what == "weight" and bad_now() and not seen["done"]:
            seen["done"] = True  # once, as by a fault of the memory
            with torch.no_grad():
                next(self.model.parameters())[0, 0] = math.nan
        return train_step(self)

    def poisoned(model, config):
        loss = make_loss(model, config)

        def compute(inputs, targets):
            value = loss(inputs, targets)
            if bad_now() and what == "loss":
                return value * math.nan
            if bad_now() and what == "infinite loss":
                return value + math.inf
            if bad_now() and what == "huge":
                return value + 1e4
            if bad_now() and what == "spike":
                return value * 40
            if what == "rise" and seen["batch"] >= min(batches):
                return value * 4.0 ** (seen["batch"] - min(batches) + 1)
            if bad_now() and what == "gradient":
                next(model.parameters()).register_hook(lambda gradient: gradient * math.nan)
            return value

        return compute

    monkeypatch.setattr(Trainer, "train_step", watched)
    monkeypatch.setattr(strategies, "make_loss", poisoned)


def recipe(folder, action="rewind", **settings):
    guard = {"action": action, "warmup_steps": 5, "spike": 6.0, "check_every": 5, **settings}
    return tiny_recipe(folder, guard=guard, checkpoint={"every": 5}, training={"steps": 60})


@pytest.mark.parametrize("what", ["loss", "infinite loss", "weight", "spike"])
def test_rewind_leaves_the_batch_out_dumps_it_and_ends_near_the_clean_run(tmp_path, monkeypatch, what):
    clean = quiet_train(recipe(tmp_path / "clean")).summary()
    inject(monkeypatch, what, {BAD_STEP})
    run = quiet_train(recipe(tmp_path / "bad"))
    assert run.status == "done"
    summary = run.summary()
    assert summary["val_loss"] == pytest.approx(clean["val_loss"], rel=0.05)
    steps = [r["step"] for r in run.metrics()]
    assert steps == sorted(set(steps)), "records of what was undone are cut"
    (dump,) = (run.path / "divergence").glob("*.json")
    about = json.loads(dump.read_text())
    if what == "weight":  # it shows when a batch uses it, or at the next save
        assert about["step"] in range(BAD_STEP + 1, BAD_STEP + 4)
    else:
        assert about["batch"] == BAD_STEP
        assert about["step"] == BAD_STEP + 1
    batch = load_file(dump.with_suffix(".safetensors"))
    assert batch["inputs"].shape == (4, 16)
    log = (run.path / "log.txt").read_text()
    assert "back to step 15 without that batch (1 of at most 3 times)" in log


def test_a_gradient_that_is_nan_is_rewound(tmp_path, monkeypatch):
    inject(monkeypatch, "gradient", {BAD_STEP})
    # The hook stays on the parameter of this model: every later step is bad too, so the guard gives up after three.
    run = quiet_train(recipe(tmp_path))
    assert run.status == "diverged"
    assert "gradient" in run.status_record()["reason"]
    assert len(list((run.path / "divergence").glob("*.json"))) >= 1


def test_stop_records_the_run_as_diverged_and_keeps_the_last_good_checkpoint(tmp_path, monkeypatch):
    inject(monkeypatch, "loss", {BAD_STEP})
    run = quiet_train(recipe(tmp_path, action="stop"))
    assert run.status == "diverged"
    assert run.status_record()["reason"] == f"the loss became nan at step {BAD_STEP + 1}"
    last = sorted((run.path / "checkpoints").glob("step-*"))[-1]
    assert last.name == "step-00000015"
    assert all(torch.isfinite(t).all() for t in load_file(last / "model.safetensors").values())


@pytest.mark.parametrize("action", ["stop", "rewind"])
def test_a_loss_that_grows_without_bound_inside_the_warm_up_ends_the_run(tmp_path, monkeypatch, action):
    # 4, 16, 64 … times the loss from one batch on, all finite; ten times ln 61 = 41 is passed at the second or third.
    inject(monkeypatch, "rise", {BAD_STEP})
    run = quiet_train(recipe(tmp_path, action=action, warmup_steps=1000, check_every=1))
    assert run.status == "diverged"
    reason = run.status_record()["reason"]
    assert "far above that of a model that knows nothing" in reason
    if action == "stop":
        assert int(reason.rsplit(" ", 1)[1]) in range(BAD_STEP + 2, BAD_STEP + 4)
        last = load_file(sorted((run.path / "checkpoints").glob("step-*"))[-1] / "model.safetensors")
        assert all(torch.isfinite(t).all() for t in last.values())
    else:
        assert "(3 of at most 3 times)" in (run.path / "log.txt").read_text()


def test_one_batch_of_enormous_loss_inside_the_warm_up_is_rewound(tmp_path, monkeypatch):
    clean = quiet_train(recipe(tmp_path / "clean")).summary()
    inject(monkeypatch, "huge", {BAD_STEP})
    run = quiet_train(recipe(tmp_path / "bad", warmup_steps=1000))
    assert run.status == "done"
    assert run.summary()["val_loss"] == pytest.approx(clean["val_loss"], rel=0.05)
    assert "back to step 15 without that batch (1 of at most 3 times)" in (run.path / "log.txt").read_text()


def test_after_so_many_rewinds_it_stops(tmp_path, monkeypatch):
    inject(monkeypatch, "loss", set(range(BAD_STEP, 200)))
    run = quiet_train(recipe(tmp_path, max_rewinds=2))
    assert run.status == "diverged"
    assert "(2 of at most 2 times)" in (run.path / "log.txt").read_text()


def test_a_divergence_before_the_first_checkpoint_rewinds_to_the_start(tmp_path, monkeypatch):
    inject(monkeypatch, "loss", {2})
    run = quiet_train(recipe(tmp_path))
    assert run.status == "done"
    assert "back to step 0 without that batch" in (run.path / "log.txt").read_text()


def test_a_rewound_run_resumes_to_the_same_bits(tmp_path, monkeypatch):
    import os
    import signal

    from harness.recipes import fingerprint

    inject(monkeypatch, "loss", {BAD_STEP})
    quiet_train(recipe(tmp_path / "whole"))
    train_step = Trainer.train_step

    def signalled(self):
        result = train_step(self)
        if self.counters.step == 33:
            os.kill(os.getpid(), signal.SIGTERM)
        return result

    monkeypatch.setattr(Trainer, "train_step", signalled)
    assert quiet_train(recipe(tmp_path / "cut")).status == "stopped"
    monkeypatch.setattr(Trainer, "train_step", train_step)
    assert quiet_train(recipe(tmp_path / "cut"), resume=True).status == "done"
    assert fingerprint(tmp_path / "cut" / "run") == fingerprint(tmp_path / "whole" / "run")


def test_a_high_learning_rate_diverges_by_itself_and_is_a_result(tmp_path):
    # Nothing is injected: this is what a learning-rate study sees at the far end of its grid.
    sections = tiny_recipe(
        tmp_path,
        guard={"action": "stop", "warmup_steps": 5, "spike": 5.0},
        model={"norm": "none", "dropout": 0.0},
        optimizer={"name": "sgd", "lr": 1e3},
        training={"steps": 60, "clip_norm": 0},
    )
    run = quiet_train(sections)
    assert run.status == "diverged"
