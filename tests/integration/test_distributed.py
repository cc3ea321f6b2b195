"""Two processes under torchrun make the run that one makes, hand it over to one and back, and survive a death."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from hornbook.checkpoint.folder import CheckpointStore
from hornbook.tracking.run import Run

RECIPE = """
[data]
tokens = ["{data}/train.npy"]
validation_tokens = ["{data}/validation.npy"]
[tokenizer]
vocab_size = 300
[model]

context_length = 16
d_model = 32
num_layers = 2
num_heads = 4
[optimizer]
lr = 3e-3
[schedule]
warmup_steps = 2
[training]
steps = {steps}
batch_size = 8
gradient_accumulation = 2
dtype = "float32"
threads = 1
[evaluation]
every = 5
sample_every = 0
[checkpoint]
every = 5
[logging]
every = 1
"""
TOLERANCE = 2e-6  # relative: float32 sums in another order, over 12 updates


@pytest.fixture
def recipe(tmp_path):
    tokens = np.random.default_rng(0).integers(0, 50, 6000).astype(np.uint16)
    tokens[1::2] = tokens[::2]  # something to learn
    np.save(tmp_path / "train.npy", tokens)
    np.save(tmp_path / "validation.npy", tokens[:500])

    def write(steps=12):
        path = tmp_path / "recipe.toml"
        path.write_text(RECIPE.format(data=tmp_path, steps=steps))
        return path

    return write


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def command(processes, *words):
    launcher = [sys.executable, "-m"]
    if processes > 1:
        launcher += ["torch.distributed.run", f"--nproc-per-node={processes}", f"--master-port={free_port()}", "-m"]
    return [*launcher, "hornbook", "train", *map(str, words)]


def environment(tmp_path):
    kept = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "MASTER_ADDR")}
    return kept | {"OMP_NUM_THREADS": "1", "HORNBOOK_CACHE": str(tmp_path / "cache")}


def train(tmp_path, processes, *words, code=0):
    done = subprocess.run(
        command(processes, *words), capture_output=True, text=True, cwd=tmp_path, env=environment(tmp_path), timeout=240
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def losses(run):
    return [record["train_loss"] for record in run.metrics() if "train_loss" in record]


def weights(run, step):
    from safetensors.torch import load_file

    return load_file(run.path / "checkpoints" / f"step-{step:08d}" / "model.safetensors")


def equal_weights(a, b):
    for name, tensor in a.items():
        torch.testing.assert_close(b[name], tensor, rtol=1e-4, atol=1e-6)


def test_two_processes_make_the_run_of_one(tmp_path, recipe):
    path = recipe()
    train(tmp_path, 1, path, "--run.directory", "one")
    train(tmp_path, 2, path, "--run.directory", "two")
    one, two = Run.open(tmp_path / "one"), Run.open(tmp_path / "two")
    assert (one.status, two.status) == ("done", "done")
    assert len(losses(one)) == 12
    np.testing.assert_allclose(losses(two), losses(one), rtol=TOLERANCE)
    equal_weights(weights(one, 12), weights(two, 12))


@pytest.mark.slow
def test_a_checkpoint_does_not_know_how_many_processes_wrote_it(tmp_path, recipe):
    path = recipe()
    train(tmp_path, 1, path, "--run.directory", "one")
    one = Run.open(tmp_path / "one")
    for first, second in ((2, 1), (1, 2)):
        name = f"from-{first}-to-{second}"
        interrupted = subprocess.Popen(
            command(first, path, "--run.directory", name, "--checkpoint.every", "1"),
            cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        wait_for_checkpoint(tmp_path / name, interrupted)
        interrupted.send_signal(signal.SIGTERM)
        interrupted.communicate(timeout=120)
        train(tmp_path, second, path, "--run.directory", name, "--resume")
        resumed = Run.open(tmp_path / name)
        assert resumed.status == "done"
        np.testing.assert_allclose(losses(resumed), losses(one), rtol=TOLERANCE)


def wait_for_checkpoint(folder, process):
    deadline = time.monotonic() + 120
    while not list(folder.glob("checkpoints/step-*/MANIFEST.json")):
        assert time.monotonic() < deadline, "no checkpoint came"
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def test_a_dead_process_ends_the_job_with_a_sentence_and_a_sound_checkpoint(tmp_path, recipe):
    path = recipe(steps=100_000)
    job = subprocess.Popen(
        command(2, path, "--run.directory", "run"),
        cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for_checkpoint(tmp_path / "run", job)
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(job.pid)], capture_output=True, text=True)
    children = [int(pid) for pid in listed.stdout.split()]
    followers = [pid for pid in children if b"\0RANK=1\0" in Path(f"/proc/{pid}/environ").read_bytes()]
    os.kill(followers[0], signal.SIGKILL)
    output, _ = job.communicate(timeout=120)
    assert job.returncode != 0
    run = Run.open(tmp_path / "run")
    # The leader notices by itself, or torchrun's own signal comes first; either way it says so and saves.
    assert run.status in ("failed", "stopped"), output
    if run.status == "failed":
        assert "does not answer any more" in output
    trained = [record["step"] for record in run.metrics() if "train_loss" in record][-1]
    newest = CheckpointStore(run.path / "checkpoints").load()
    assert trained - 1 <= newest.step <= trained + 1


def test_a_batch_that_cannot_be_shared_is_a_sentence(tmp_path, recipe):
    words = ("--training.batch-size", "7", "--training.gradient-accumulation", "1", "--run.directory", "three")
    done = train(tmp_path, 2, recipe(), *words, code=1)
    assert "does not divide into 1 parts for each of 2 processes" in done.stdout + done.stderr
    assert not (tmp_path / "three").exists()
