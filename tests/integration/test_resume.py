"""Nothing is lost: kills at random instants, faults in every system call of a save, signals, a full disk."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
from harness.faults import run_faults
from harness.recipes import fingerprint, quiet_train, tiny_recipe

from hornbook.checkpoint.store import CheckpointStore
from hornbook.errors import CheckpointError, HornbookError
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    "kills",
    [
        10,
        pytest.param(20, marks=pytest.mark.slow),
        pytest.param(400, marks=[pytest.mark.slow, pytest.mark.hours, pytest.mark.timeout(7200)]),
    ],
)
def test_resume_is_bit_identical_after_kills_at_random_instants_and_during_saves(kills):
    # In a process of its own: the children are forked from it, and this one has threads already.
    code = (
        f"from harness.kills import run_kills; c = run_kills({kills}, seed=1); print(c); "
        "assert c['runs'] == c['equal runs']"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": "tests", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=None if kills > 20 else 280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"'kills': {kills}" in done.stdout


def test_a_fault_at_any_system_call_of_a_save_leaves_a_sound_checkpoint():
    counts = run_faults()
    assert sum(counts.values()) >= 100
    assert min(counts.values()) >= 20


@pytest.mark.parametrize(("name", "stop_at"), [("adamw", 10), ("muon", 23), ("lion", 17), ("sgd", 1)])
def test_a_run_stopped_by_a_signal_resumes_to_the_same_bits(tmp_path, monkeypatch, stop_at, name):
    sections = {"optimizer": {"name": name}, "data": {"order": "epochs"}, "checkpoint": {"every": 1000}}
    quiet_train(tiny_recipe(tmp_path / "whole", **sections))
    recipe = tiny_recipe(tmp_path / "cut", **sections)
    _signal_after_step(monkeypatch, stop_at, signal.SIGTERM)
    run = quiet_train(recipe)
    assert run.status == "stopped"
    assert run.status_record()["reason"] == f"signal {signal.SIGTERM} at step {stop_at}"  # within one step
    # Without this, starting anew would end in the same bits too.
    assert CheckpointStore(run.path / "checkpoints").load().step == stop_at
    monkeypatch.undo()
    assert quiet_train(recipe, resume=True).status == "done"
    assert fingerprint(tmp_path / "cut" / "run") == fingerprint(tmp_path / "whole" / "run")


def _signal_after_step(monkeypatch, step, number):
    from hornbook.training.trainer import Trainer

    train_step = Trainer.train_step

    def signalled(self):
        result = train_step(self)
        if self.counters.step == step:
            os.kill(os.getpid(), number)
        return result

    monkeypatch.setattr(Trainer, "train_step", signalled)


def test_a_stop_during_an_evaluation_does_it_again_on_resume(tmp_path, monkeypatch):
    quiet_train(tiny_recipe(tmp_path / "whole"))
    recipe = tiny_recipe(tmp_path / "cut")
    from hornbook.training import evaluator as module

    real, calls = module.evaluate, []

    def evaluate(model, data, *arguments, progress=None, **settings):
        if progress is None:  # how long a batch takes, asked before the training
            return real(model, data, *arguments, **settings)
        calls.append(1)
        if len(calls) == 2:
            return real(model, data, *arguments, progress=lambda done: os.kill(os.getpid(), signal.SIGINT), **settings)
        return real(model, data, *arguments, progress=progress, **settings)

    monkeypatch.setattr(module, "evaluate", evaluate)
    run = quiet_train(recipe)
    assert run.status == "stopped"
    assert [r["step"] for r in run.metrics() if "val_loss" in r] == [0]
    monkeypatch.undo()
    quiet_train(recipe, resume=True)
    assert fingerprint(tmp_path / "cut" / "run") == fingerprint(tmp_path / "whole" / "run")


def test_the_command_stops_cleanly_on_a_signal(tmp_path):
    process, run = _start(tmp_path)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "Traceback" not in out
    assert "continue with: hornbook train" in out
    assert Run.open(run).status == "stopped"
    assert CheckpointStore(run / "checkpoints").load().step > 0


def test_a_second_ctrl_c_leaves_at_once(tmp_path):
    # A save that takes half a minute: one Ctrl-C waits for it, two do not.
    code = (
        "import sys, time, pathlib\n"
        "from hornbook.cli.main import main\n"
        "from hornbook.training.checkpointer import Checkpointer\n"
        "def save(self):\n"
        "    pathlib.Path(sys.argv[1]).touch(); time.sleep(30)\n"
        "Checkpointer.save = save; sys.exit(main(['train', sys.argv[2]]))"
    )
    saving = tmp_path / "saving"
    process, run = _start(tmp_path, "-c", code, str(saving))
    process.send_signal(signal.SIGINT)
    for _ in range(300):
        if saving.exists():
            break
        time.sleep(0.05)
    assert saving.exists()
    time.sleep(0.5)
    assert process.poll() is None, "one Ctrl-C waits for the save"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < 5
    assert Run.open(run).status == "stopped"


def _start(tmp_path, *program):
    """Start `hornbook train` (or a program that takes the recipe) and wait until it has trained some steps."""
    from hornbook.config import dump_toml

    recipe = tiny_recipe(tmp_path, training={"steps": 10_000_000}, logging={"every": 1}, checkpoint={"every": 0})
    (tmp_path / "r.toml").write_text(dump_toml(recipe))
    process = subprocess.Popen(
        [sys.executable, *(program or ("-m", "hornbook", "train")), str(tmp_path / "r.toml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    metrics = tmp_path / "run" / "metrics.jsonl"
    for _ in range(600):
        if metrics.exists() and metrics.read_bytes().count(b"\n") > 5:
            break
        time.sleep(0.1)
    return process, tmp_path / "run"


def test_records_that_no_longer_fit_name_their_file_and_the_way_on(tmp_path, monkeypatch):
    from hornbook.tracking import records

    real, calls = records.encode_record, []

    def full(record):
        calls.append(1)
        if len(calls) == 4:
            raise OSError(28, os.strerror(28))
        return real(record)

    monkeypatch.setattr(records, "encode_record", full)
    with pytest.raises(
        HornbookError, match=r"full \(writing .*metrics\.jsonl\); make room, then continue with --resume"
    ):
        quiet_train(tiny_recipe(tmp_path))
    monkeypatch.undo()
    assert quiet_train(tiny_recipe(tmp_path), resume=True).status == "done"


def test_a_full_disk_is_a_sentence_and_the_run_can_go_on(tmp_path, monkeypatch):
    recipe = tiny_recipe(tmp_path)
    quiet_train(tiny_recipe(tmp_path / "whole"))
    from hornbook.checkpoint import store as module

    real, calls = module._HashingFile.write, []

    def full(self, content):
        calls.append(1)
        if len(calls) > 40:
            raise OSError(28, os.strerror(28))
        return real(self, content)

    monkeypatch.setattr(module._HashingFile, "write", full)
    with pytest.raises(
        CheckpointError, match=r"could not be written .*No space left.*earlier checkpoints are untouched"
    ):
        quiet_train(recipe)
    assert Run.open(tmp_path / "run").status == "failed"
    monkeypatch.undo()
    assert quiet_train(recipe, resume=True).status == "done"
    assert fingerprint(tmp_path / "run") == fingerprint(tmp_path / "whole" / "run")


def test_a_damaged_newest_checkpoint_is_passed_over_and_the_result_is_the_same(tmp_path, monkeypatch):
    quiet_train(tiny_recipe(tmp_path / "whole"))
    recipe = tiny_recipe(tmp_path / "cut")
    _signal_after_step(monkeypatch, 25, signal.SIGTERM)
    quiet_train(recipe)
    monkeypatch.undo()
    newest = sorted((tmp_path / "cut" / "run" / "checkpoints").glob("step-*"))[-1] / "model.safetensors"
    content = bytearray(newest.read_bytes())
    content[random.Random(0).randrange(len(content))] ^= 1
    newest.write_bytes(content)
    quiet_train(recipe, resume=True)
    assert "passing over the checkpoint of step 25" in (tmp_path / "cut" / "run" / "log.txt").read_text()
    assert fingerprint(tmp_path / "cut" / "run") == fingerprint(tmp_path / "whole" / "run")


def test_a_finished_run_is_left_alone_by_resume(tmp_path):
    recipe = tiny_recipe(tmp_path)
    quiet_train(recipe)
    before = fingerprint(tmp_path / "run")
    assert quiet_train(recipe, resume=True).status == "done"
    assert fingerprint(tmp_path / "run") == before


def test_resume_refuses_another_recipe_and_other_data(tmp_path):
    quiet_train(tiny_recipe(tmp_path))
    with pytest.raises(HornbookError, match=r"was made with optimizer\.lr = 0\.01, the recipe now says 0\.5"):
        quiet_train(tiny_recipe(tmp_path, optimizer={"lr": 0.5}), resume=True)
    from harness.recipes import write_tokens

    write_tokens(tmp_path / "train.npy", seed=9)
    with pytest.raises(CheckpointError, match="was trained on other data"):
        quiet_train(tiny_recipe(tmp_path), resume=True)


def test_a_folder_with_a_run_is_not_trained_over(tmp_path):
    quiet_train(tiny_recipe(tmp_path))
    with pytest.raises(HornbookError, match="already holds a run"):
        quiet_train(tiny_recipe(tmp_path))


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path):
    prints = []
    for i, seed in enumerate((1, 1, 2)):
        quiet_train(tiny_recipe(tmp_path / str(i), training={"seed": seed}))
        prints.append(fingerprint(tmp_path / str(i) / "run"))
    assert prints[0] == prints[1] != prints[2]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The trainer of a finished run, and the checkpoint that was written last."""
    from hornbook.training.config import resolve
    from hornbook.training.launch.setup import set_up

    threads = torch.get_num_threads()
    recipe = tiny_recipe(tmp_path_factory.mktemp("finished"), training={"steps": 6, "dtype": "float32"})
    quiet_train(recipe)
    console = Console(silent=True)
    setup = set_up(resolve(recipe), resume=True, console=console)
    setup.run.release()
    console.close()
    torch.set_num_threads(threads)
    return setup.trainer, setup.checkpointer.saver.store.load()


LIES = {
    "a batch position beyond 64 bits": lambda c: c.state["progress"].update(position=2**70),
    "a batch position before the step": lambda c: c.state["progress"].update(position=2),
    "a batch left out that there is not": lambda c: c.state["progress"].update(skipped=[-1]),
    "a time before the start": lambda c: c.state["progress"].update(seconds=-5.0),
    "the counters of another step": lambda c: c.state["progress"].update(step=5),
    "a guard of another length": lambda c: c.state["guard"].append(1.0),
    "settings that explode": lambda c: c.state["optimizer"]["param_groups"][0].update(eps=1e308),
    "groups of other parameters": lambda c: c.state["optimizer"]["param_groups"][0]["params"].pop(),
    "no random state": lambda c: c.state.pop("random"),
    "a random state of other bytes": lambda c: c.state["random"].update(torch="AAAA"),
    "moments of another shape": lambda c: c.optimizer.update({"0.exp_avg": torch.zeros(3, 3)}),
    "moments of nobody": lambda c: c.optimizer.update({"999.exp_avg": torch.zeros(3, 3)}),
    "moments for all but one": lambda c: c.optimizer.pop("0.exp_avg"),
    "a weight of another shape": lambda c: c.model.update({"ln_final.weight": torch.zeros(3)}),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_matching_checksum_cannot_see_is_refused_in_one_sentence(finished, lie):
    import copy
    from dataclasses import replace

    trainer, sound = finished
    trainer.restore(sound)
    false = replace(
        sound, model=dict(sound.model), optimizer=dict(sound.optimizer), state=copy.deepcopy(dict(sound.state))
    )
    LIES[lie](false)
    with pytest.raises(CheckpointError, match="the checkpoint of step 6") as caught:
        trainer.restore(false)
    assert "\n" not in str(caught.value)


def test_fuzzed_checkpoint_and_token_files_are_refused_in_a_sentence_or_sound():
    code = (
        "from harness.fuzz import run_fuzz, is_clean; c = run_fuzz(1500, seed=3); print(c); "
        "assert is_clean(c); assert sum('refused' in k for k in c) == 8"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": "tests", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
