"""Two processes of which any are killed at any moment, fifty times, end with the bits of a run that nothing befell."""

import os
import random
import time

import pytest
import torch

from hornbook.checkpoint.store import CheckpointStore
from tests.harness import group
from tests.integration.test_distributed import write_recipe

KILLS = int(os.environ.get("KILLS", "50"))


@pytest.mark.slow
@pytest.mark.hours
@pytest.mark.parametrize("way", ["fsdp", "ddp"])
def test_fifty_kills_over_two_processes_lose_nothing(tmp_path, way):
    recipe = write_recipe(tmp_path, steps=100_000)
    words = (
        recipe, "--training.distributed", way, "--schedule.name", "constant", "--checkpoint.every", "1",
        "--evaluation.every", "0", "--training.device", "cpu",
    )  # fmt: skip
    store = CheckpointStore(tmp_path / "run" / "checkpoints")
    rng, counts, newest = random.Random(0), {(0,): 0, (1,): 0, (0, 1): 0}, 0
    for _ in range(KILLS):
        members = group.start(tmp_path, 2, *words, "--run.directory", "run", "--resume")
        wait_for_step(store, newest + 1, members)
        time.sleep(rng.random() * 0.5)
        victims = rng.choice(list(counts))
        for rank in victims:
            members[rank].process.kill()
        codes = group.wait(members, 60)
        assert 0 not in codes
        counts[victims] += 1
        # Nothing that was there is lost, and whatever stands under a checkpoint's name is whole.
        before, newest = newest, store.newest_sound() or 0
        assert newest == store.steps()[-1] > before
    members = group.start(tmp_path, 2, *words, "--run.directory", "run", "--resume")
    wait_for_step(store, newest + 1, members)
    members[1].process.terminate()
    group.wait(members, 60)
    broken = store.load()
    print(f"{way}: killed {counts}, {broken.step} updates")
    members = group.start(tmp_path, 2, *words, "--run.directory", "whole", "--training.steps", broken.step)
    assert group.wait(members, 600) == [0, 0], members[0].output()
    whole = CheckpointStore(tmp_path / "whole" / "checkpoints").load()
    assert whole.step == broken.step
    for part in ("model", "optimizer"):
        ours, theirs = getattr(broken, part), getattr(whole, part)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def wait_for_step(store, step, members):
    deadline = time.monotonic() + 60
    while max(store.steps(), default=0) < step:
        assert time.monotonic() < deadline, "no checkpoint came"
        assert all(member.process.is_alive() for member in members), "\n".join(m.output() for m in members)
        time.sleep(0.02)
