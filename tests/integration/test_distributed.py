"""Two processes under torchrun, with copies of the weights (ddp) or parts of them (fsdp), make the run that one makes,
hand it over to one and back, and survive a death."""

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

from hornbook.checkpoint.store import CheckpointStore
from hornbook.cli.main import main
from hornbook.errors import CheckpointError
from hornbook.tracking.run import Run
from tests.harness import group

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


def write_recipe(folder, steps=12):
    tokens = np.random.default_rng(0).integers(0, 50, 6000).astype(np.uint16)
    tokens[1::2] = tokens[::2]  # something to learn
    np.save(folder / "train.npy", tokens)
    np.save(folder / "validation.npy", tokens[:500])
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(data=folder, steps=steps))
    return path


@pytest.fixture
def recipe(tmp_path):
    return lambda steps=12: write_recipe(tmp_path, steps)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def torchrun(processes):
    return [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}",
            f"--master-port={free_port()}"]  # fmt: skip


def command(processes, *words):
    launcher = [sys.executable] if processes == 1 else torchrun(processes)
    return [*launcher, "-m", "hornbook", "train", *map(str, words)]


def environment(tmp_path):
    kept = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "MASTER_ADDR")}
    return kept | {"OMP_NUM_THREADS": "1", "HORNBOOK_CACHE": str(tmp_path / "cache")}


def train(tmp_path, processes, *words, code=0):
    done = subprocess.run(
        command(processes, *words), capture_output=True, text=True, cwd=tmp_path, env=environment(tmp_path), timeout=240
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "destroy_process_group" not in done.stderr  # torch's complaint about a group that was left behind
    return done


def losses(run, key="train_loss"):
    return [record[key] for record in run.metrics() if key in record]


def weights(run, step, part="model"):
    return getattr(CheckpointStore(run.path / "checkpoints").load(step), part)


def equal_weights(a, b):
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        torch.testing.assert_close(b[name], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("arguments", [(), pytest.param(("compiled",), marks=pytest.mark.slow)], ids=str)
def test_every_strategy_equals_one_process(tmp_path, arguments):
    """Losses, norms, weights and optimizer states, to 1e-9 in float64; what it goes through is in the harness."""
    script = Path(__file__).parents[1] / "harness" / "strategies.py"
    done = subprocess.run(
        [*torchrun(2), str(script), *arguments], capture_output=True, text=True, env=environment(tmp_path), timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal:") == (2 if arguments else 32)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """The run of one process."""
    tmp_path = tmp_path_factory.mktemp("one")
    train(tmp_path, 1, write_recipe(tmp_path), "--run.directory", "one")
    return Run.open(tmp_path / "one")


@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_two_processes_make_the_run_of_one(tmp_path, recipe, one, way):
    train(tmp_path, 2, recipe(), "--run.directory", "two", "--training.distributed", way)
    two = Run.open(tmp_path / "two")
    assert (one.status, two.status) == ("done", "done")
    assert len(losses(one)) == 12
    np.testing.assert_allclose(losses(two), losses(one), rtol=TOLERANCE)
    np.testing.assert_allclose(losses(two, "val_loss"), losses(one, "val_loss"), rtol=TOLERANCE)
    equal_weights(weights(one, 12), weights(two, 12))
    equal_weights(weights(one, 12, "optimizer"), weights(two, 12, "optimizer"))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ddp", "fsdp"])
@pytest.mark.parametrize(("first", "second"), [(2, 1), (1, 2), (2, 2)])
def test_a_checkpoint_does_not_know_how_many_processes_wrote_it(tmp_path, recipe, one, way, first, second):
    words = (recipe(), "--run.directory", "run", "--training.distributed", way)
    interrupted = subprocess.Popen(
        command(first, *words, "--checkpoint.every", "1"),
        cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for_checkpoint(tmp_path / "run", interrupted)
    interrupted.send_signal(signal.SIGTERM)
    interrupted.communicate(timeout=120)
    train(tmp_path, second, *words, "--resume")
    resumed = Run.open(tmp_path / "run")
    assert resumed.status == "done"
    np.testing.assert_allclose(losses(resumed), losses(one), rtol=TOLERANCE)
    equal_weights(weights(one, 12, "optimizer"), weights(resumed, 12, "optimizer"))


@pytest.mark.slow
def test_processes_begin_with_their_rows_of_another_run(tmp_path, recipe, one):
    words = (recipe(), "--model.init-from", one.path, "--training.steps", 1, "--training.device", "cpu")
    for size in (1, 2):
        members = group.start(tmp_path, size, *words, "--run.directory", size, "--training.distributed", "fsdp")
        assert group.wait(members, 120) == [0] * size, members[0].output()
    equal_weights(weights(Run.open(tmp_path / "1"), 1), weights(Run.open(tmp_path / "2"), 1))


@pytest.mark.slow
def test_a_sharded_checkpoint_is_resharded_and_consolidated(tmp_path, recipe):
    """Two processes write shards, one goes on from them with whole files, three with their rows of those."""
    words = (
        recipe(), "--training.distributed", "fsdp", "--training.batch-size", "12", "--schedule.name", "constant",
        "--optimizer.name", "muon", "--optimizer.normuon", "true", "--model.d-model", "30", "--model.num-heads", "3",
        "--model.d-ff", "31", "--training.device", "cpu", "--checkpoint.every", "4", "--evaluation.full", "true",
    )  # fmt: skip
    for size, steps, more in ((2, 4, ()), (1, 8, ("--resume",)), (3, 12, ("--resume",))):
        members = group.start(tmp_path, size, *words, "--run.directory", "run", "--training.steps", steps, *more)
        assert group.wait(members, 120) == [0] * size, members[0].output()
        newest = tmp_path / "run" / "checkpoints" / f"step-{steps:08d}"
        files = sorted(path.name for path in newest.glob("**/*.safetensors"))
        assert len(files) == 2 * size
    members = group.start(tmp_path, 1, *words, "--run.directory", "alone")
    assert group.wait(members, 120) == [0]
    run, alone = Run.open(tmp_path / "run"), Run.open(tmp_path / "alone")
    np.testing.assert_allclose(losses(run), losses(alone), rtol=1e-5)
    np.testing.assert_allclose(losses(run, "val_loss")[-1], losses(alone, "val_loss")[-1], rtol=1e-5)
    # The shards are read as whole by whoever wants the model, and put into whole files on demand.
    store = CheckpointStore(run.path / "checkpoints")
    before = store.load(12)
    shard = next(store.path(12).glob("**/*.safetensors"))
    sound = shard.read_bytes()
    shard.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="SHA-256"):
        store.load(12)
    shard.write_bytes(sound)
    assert main(["checkpoint", "consolidate", str(run.path)]) == 0
    assert sorted(path.name for path in store.path(12).glob("**/*.safetensors")) == [
        "model.safetensors",
        "optimizer.safetensors",
    ]
    after = store.load(12)
    assert after.state == before.state
    for part in ("model", "optimizer"):
        equal_weights(getattr(before, part), getattr(after, part))
        equal_weights(weights(alone, 12, part), weights(run, 12, part))


def wait_for_checkpoint(folder, process, step=1):
    deadline = time.monotonic() + 120
    while not any(s >= step for s in CheckpointStore(folder / "checkpoints").steps()):
        assert time.monotonic() < deadline, "no checkpoint came"
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def worker_of(job):
    """The process beside the main one that a torchrun has started."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(job.pid)], capture_output=True, text=True)
    children = [int(pid) for pid in listed.stdout.split()]
    return next(pid for pid in children if b"\0RANK=1\0" in Path(f"/proc/{pid}/environ").read_bytes())


@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_a_dead_process_ends_the_job_with_a_sentence_and_a_sound_checkpoint(tmp_path, recipe, way):
    path = recipe(steps=100_000)
    job = subprocess.Popen(
        command(2, path, "--run.directory", "run", "--training.distributed", way),
        cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for_checkpoint(tmp_path / "run", job)
    os.kill(worker_of(job), signal.SIGKILL)
    output, _ = job.communicate(timeout=120)
    assert job.returncode != 0
    # Whether the main process notices by itself or torchrun's signal to stop comes first, this is its error.
    run = Run.open(tmp_path / "run")
    newest = CheckpointStore(run.path / "checkpoints").load()
    fate = (
        f"the run is saved at its last whole update, step {newest.step:,}"
        if way == "ddp"
        else f"the weights that it held are gone with it, the run stands at its checkpoint of step {newest.step:,}"
    )
    said = [line for line in output.splitlines() if "does not answer any more" in line and fate in line]
    assert said, output
    assert said[0].startswith("hornbook: a process of the group")
    assert said[0].endswith("start torchrun again with --resume")
    assert run.status == "failed"
    trained = [record["step"] for record in run.metrics() if "train_loss" in record][-1]
    assert trained - (1 if way == "ddp" else 6) <= newest.step <= trained + 1
    # The other way round goes on from there.
    words = ("--run.directory", "run", "--training.distributed", way, "--checkpoint.every", "1")
    if way == "fsdp":
        resumed = subprocess.Popen(
            command(1, path, *words, "--resume"),
            cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        wait_for_checkpoint(tmp_path / "run", resumed, newest.step + 1)
        resumed.send_signal(signal.SIGTERM)
        resumed.communicate(timeout=120)
        assert Run.open(tmp_path / "run").status == "stopped"


# The place, the process, and how often it comes by first (the plan's trial runs come before the training).
ERRORS = [
    ("construction", 1, 1, "ddp"), ("batch", 0, 30, "ddp"), ("forward", 1, 30, "ddp"), ("backward", 0, 30, "fsdp"),
    ("evaluation", 1, 12, "fsdp"), ("save", 0, 2, "ddp"),
]  # fmt: skip
MORE_ERRORS = [
    ("construction", 0, 1, "fsdp"), ("batch", 1, 30, "fsdp"), ("forward", 0, 30, "fsdp"), ("backward", 1, 30, "ddp"),
    ("evaluation", 0, 12, "fsdp"), ("save", 0, 2, "fsdp"), ("evaluation", 1, 12, "ddp"), ("save", 1, 2, "fsdp"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "rank", "after", "way"), [*ERRORS, *(pytest.param(*e, marks=pytest.mark.slow) for e in MORE_ERRORS)]
)
def test_an_error_in_any_process_ends_the_job_with_its_sentence(tmp_path, recipe, place, rank, after, way):
    words = (recipe(steps=100_000), "--run.directory", "run", "--training.distributed", way)
    members = group.start(tmp_path, 2, *words, planted=group.Planted(place, rank, after))
    codes = group.wait(members, 60)
    assert (tmp_path / "planted").exists(), members[rank].output()
    assert time.time() - (tmp_path / "planted").stat().st_mtime < 20
    assert 0 not in codes
    sentence = f"planted in {place}"
    assert sentence in members[rank].output()
    assert f"process {rank} ended with an error: " in members[1 - rank].output()
    assert sentence in members[1 - rank].output()
    run = Run.open(tmp_path / "run")
    assert run.status == "failed"
    assert sentence in run.status_record()["reason"]


@pytest.mark.parametrize(
    ("place", "rank", "way"),
    [
        ("batch", 1, "fsdp"),
        *(pytest.param(*c, marks=pytest.mark.slow) for c in (("batch", 0, "ddp"), ("save", 0, "ddp"))),
    ],
)
def test_a_process_that_hangs_is_named_and_ends_the_job(tmp_path, recipe, place, rank, way):
    words = (recipe(steps=100_000), "--run.directory", "run", "--training.distributed", way)
    planted = group.Planted(place, rank, 30 if place == "batch" else 2, hangs=True)
    members = group.start(tmp_path, 2, *words, planted=planted, HORNBOOK_PATIENCE="4" if place == "batch" else "1")
    codes = group.wait(members, 60)
    assert time.time() - (tmp_path / "planted").stat().st_mtime < 45
    assert 0 not in codes
    after = "the begin of batch" if place == "batch" else "the begin of a checkpoint"
    for member in members:
        assert f"process {rank} hangs: for " in member.output()
        assert f"seconds nothing has come after {after}" in member.output()
    assert f"process {rank} hangs" in Run.open(tmp_path / "run").status_record()["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_torchrun_starts_again_after_a_killed_worker_and_ends_as_one_process_does(tmp_path, recipe, one, way):
    words = ("train", recipe(), "--run.directory", "run", "--training.distributed", way, "--checkpoint.every", "1")
    job = subprocess.Popen(
        [*torchrun(2), "--max-restarts=2", "-m", "hornbook", *map(str, words)],
        cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for_checkpoint(tmp_path / "run", job)
    os.kill(worker_of(job), signal.SIGKILL)
    output, _ = job.communicate(timeout=180)
    assert job.returncode == 0, output
    run = Run.open(tmp_path / "run")
    assert run.status == "done"
    assert "continuing" in (run.path / "log.txt").read_text()
    np.testing.assert_allclose(losses(run), losses(one), rtol=TOLERANCE)
    equal_weights(weights(one, 12), weights(run, 12))


def test_a_batch_that_cannot_be_shared_is_a_sentence(tmp_path, recipe):
    words = ("--training.batch-size", "7", "--training.gradient-accumulation", "1", "--run.directory", "three")
    done = train(tmp_path, 2, recipe(), *words, code=1)
    assert "does not divide into 1 parts for each of 2 processes" in done.stdout + done.stderr
    assert not (tmp_path / "three").exists()


def test_norms_of_spread_weights_are_a_sentence(tmp_path, recipe):
    words = ("--log-norms", "--training.distributed", "fsdp", "--run.directory", "three")
    done = train(tmp_path, 2, recipe(), *words, code=1)
    assert 'training.distributed = "fsdp" never holds; use "ddp"' in done.stdout + done.stderr
