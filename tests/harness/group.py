"""Processes that train together without torchrun, started in a moment: forks of a server that has imported it all.

A test may plant an error in one of them. What each writes is in a file; each ends as a process of torchrun's does.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from torch._C._distributed_c10d import TCPStore


@dataclass(frozen=True)
class Planted:
    """An error at a place of one process, the `after`-th time that it comes by."""

    place: str
    rank: int
    after: int = 1
    hangs: bool = False
    """Instead, it does nothing any more there."""


@dataclass
class Member:
    """One process of a group."""

    process: BaseProcess
    log: Path
    store: TCPStore

    def output(self) -> str:
        return self.log.read_text(errors="replace")


def start(folder: Path, size: int, *words: Any, planted: Planted | None = None, **variables: str) -> list[Member]:
    """Start `hornbook train WORDS…` in `size` processes that share the work; `folder` is where they are."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["hornbook.training.loop", "torch.distributed.fsdp", "tests.harness.group"])
    # The store is the test's, as it is torchrun's own process's: it outlives every member.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    port, members = str(store.port), []
    for rank in range(size):
        log = folder / f"{port}-{rank}.log"
        environment = {
            "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port, "TORCHELASTIC_USE_AGENT_STORE": "True", "OMP_NUM_THREADS": "1",
            "HORNBOOK_CACHE": str(folder / "cache"), **variables,
        }  # fmt: skip
        process = context.Process(target=_run, args=(environment, folder, log, list(map(str, words)), planted))
        process.start()
        members.append(Member(process, log, store))
    return members


def wait(members: list[Member], seconds: float) -> list[int]:
    """Return the exit codes; a process that does not end is killed and fails the test."""
    deadline = time.monotonic() + seconds
    for member in members:
        member.process.join(max(0.0, deadline - time.monotonic()))
    late = [number for number, member in enumerate(members) if member.process.is_alive()]
    for number in late:
        members[number].process.kill()
    assert not late, f"processes {late} have not ended:\n" + "\n".join(m.output() for m in members)
    return [member.process.exitcode or 0 for member in members]


def _run(environment: dict[str, str], folder: Path, log: Path, words: list[str], planted: Planted | None) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.update(environment)
    os.chdir(folder)
    if planted is not None and int(environment["RANK"]) == planted.rank:
        plant(planted)
    from hornbook.cli.main import main

    code = main(["train", *words])
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


def plant(planted: Planted) -> None:
    """Have the place raise."""
    from hornbook.checkpoint.sharded_store import ShardedStore
    from hornbook.checkpoint.store import CheckpointStore
    from hornbook.data.sampler import BatchSampler
    from hornbook.models.transformer import TransformerLM
    from hornbook.training.trainer import Trainer

    count = 0

    def come_by() -> None:
        nonlocal count
        count += 1
        if count >= planted.after:
            Path("planted").touch()
            if planted.hangs:
                time.sleep(3600)
            raise OSError(f"planted in {planted.place}")

    def before(owner: type, name: str, does_it_count: Callable[..., bool] = lambda *_: True) -> None:
        original = getattr(owner, name)

        def patched(self: Any, *arguments: Any, **settings: Any) -> Any:
            if does_it_count(self, *arguments):
                come_by()
            return original(self, *arguments, **settings)

        setattr(owner, name, patched)

    if planted.place == "construction":
        before(Trainer, "__init__")
    elif planted.place == "batch":
        before(BatchSampler, "batch")
    elif planted.place == "forward":
        before(TransformerLM, "hidden", lambda model, *_: model.training)
    elif planted.place == "evaluation":
        before(TransformerLM, "hidden", lambda model, *_: not model.training)
    elif planted.place == "save":
        before(CheckpointStore, "_write_tensors")
        before(ShardedStore, "_write_tensors")
    else:
        hidden = TransformerLM.hidden

        def patched(self: TransformerLM, *arguments: Any) -> Any:
            result = hidden(self, *arguments)
            if result.requires_grad:
                result.register_hook(lambda _: come_by())
            return result

        TransformerLM.hidden = patched  # type: ignore[method-assign]
