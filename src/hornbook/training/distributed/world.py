"""The processes of one training: one alone, or those that torchrun started.

All of them run the same program, the loop of loop.py. What they must agree on is a function of the recipe, the
checkpoint and the numbers that all have (losses are means over all), but for a signal, which any of them may get, and
the main process's clock: these are exchanged once a turn (`World.total`). The main process, number 0, prepares the data
and writes the run. Exchanges go over gloo on CPUs and NCCL on GPUs. When a process dies or fails, all end (watch.py).
Left out: a number of processes that changes while they run.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import torch
from torch import distributed as dist
from torch._C._distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from hornbook.errors import ConfigError, HornbookError
from hornbook.models.transformer import TransformerLM
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.strategies import DDP, FSDP, SingleProcess, Strategy
from hornbook.training.distributed.watch import Watch

NETWORK_ERRORS = ("gloo", "nccl", "connection closed", "connection reset", "broken pipe", "socket")
RANK_SEEDS, STEP_SEEDS = 1_000_003, 7_919


class WorkerLostError(HornbookError):
    """A process of the group does not answer any more."""


class World:
    """A process that trains alone: what it would exchange comes back as it is.

    Attributes:
        rank: number of this process.
        size: how many there are.
        is_main: this is process 0.
    """

    rank, size, is_main = 0, 1, True

    def check_recipe(self, config: TrainConfig) -> None:
        """Raise ConfigError for a recipe that these processes cannot share."""

    def make_strategy(self, model: TransformerLM, config: TrainConfig) -> Strategy:
        """Return the recipe's strategy for the training of `model`; a collective."""
        return SingleProcess(model, config)

    def total(self, *numbers: float) -> list[float]:
        """Return the sum of each number over all processes; a collective."""
        return list(numbers)

    def agree(self, *numbers: float) -> list[float]:
        """Return the main process's numbers; a collective."""
        return self.total(*(number if self.is_main else 0.0 for number in numbers))

    def share(self, make: Callable[[], Any]) -> Any:
        """Return what `make` gives in the main process, values for JSON; the others wait for it as long as it takes."""
        return make()

    def exchanges(self) -> contextlib.AbstractContextManager[None]:
        """Return the context of exchanges by others' code. Raises WorkerLostError where one fails."""
        return contextlib.nullcontext()

    def seed_dropout(self, seed: int, step: int) -> None:
        """Have dropout differ from process to process; it is not drawn again after a resume."""
        if self.rank:
            torch.manual_seed(seed + RANK_SEEDS * self.rank + STEP_SEEDS * step)

    def tick(self, place: str, slow: bool = False) -> None:
        """Note what this process does next, in all alike: the one that stays behind in it hangs (watch.py)."""

    def on_leave(self, call: Callable[[str], None]) -> None:
        """Have `call` take the sentence where this process is ended because of an error in another one."""

    def fail(self, error: BaseException) -> None:
        """Leave with an error: the others end with it, and nothing is waited for."""

    def close(self) -> None:
        """Leave together."""


class Group(World):
    """Several processes, which torchrun started."""

    def __init__(self, key: str) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.is_main = self.rank == 0
        self._numbers: Any = dist.new_group(backend="gloo")
        self._watch = Watch(self.rank, self.size, key)
        self._shared = 0

    def check_recipe(self, config: TrainConfig) -> None:
        """Raise ConfigError where the batch cannot be divided equally, or weights cannot be sharded."""
        t = config.training
        if t.distributed == "fsdp" and config.logging.norms:
            raise ConfigError(
                'logging.norms looks at whole gradients, which training.distributed = "fsdp" never holds; use "ddp"'
            )
        if t.batch_size % (t.gradient_accumulation * self.size):
            raise ConfigError(
                f"training.batch_size = {t.batch_size} does not divide into {t.gradient_accumulation} parts for each "
                f"of {self.size} processes; choose a multiple of {t.gradient_accumulation * self.size}"
            )

    def make_strategy(self, model: TransformerLM, config: TrainConfig) -> Strategy:
        """Return the recipe's strategy for the training of `model`; a collective."""
        with self.exchanges():
            return FSDP(model, config) if config.training.distributed == "fsdp" else DDP(model, config)

    def total(self, *numbers: float) -> list[float]:
        """Return the sum of each number over all processes; a collective."""
        sums = torch.tensor(numbers, dtype=torch.float64)
        with self.exchanges():
            dist.all_reduce(sums, group=self._numbers)
        return sums.tolist()

    def share(self, make: Callable[[], Any]) -> Any:
        """Return what `make` gives in the main process, by the store, where nothing runs out of patience."""
        self._shared += 1
        if self.is_main:
            value = make()
            self._watch.put(f"shared {self._shared}", json.dumps(value))
            return value
        while (text := self._watch.look_up(f"shared {self._shared}")) is None:
            if told := self._watch.error():
                raise WorkerLostError(told)
            time.sleep(0.05)
        return json.loads(text)

    @contextlib.contextmanager
    def exchanges(self) -> Iterator[None]:
        """Turn a failed exchange between the processes into a WorkerLostError; other errors pass."""
        try:
            yield
        except RuntimeError as error:
            if not isinstance(error, dist.DistError) and not any(word in str(error).lower() for word in NETWORK_ERRORS):
                raise
            if told := self._watch.error(wait=3.0):
                raise WorkerLostError(told) from error
            raise WorkerLostError("a process of the group does not answer any more") from error

    def tick(self, place: str, slow: bool = False) -> None:
        """Note what this process does next, in all alike: the one that stays behind in it hangs (watch.py)."""
        self._watch.tick(place, slow)

    def on_leave(self, call: Callable[[str], None]) -> None:
        """Have `call` take the sentence where this process is ended because of an error in another one."""
        self._watch.on_leave = call

    def fail(self, error: BaseException) -> None:
        """Leave with an error: the others end with it, and nothing is waited for."""
        self._watch.tell(error, 2 if isinstance(error, HornbookError | OSError) else 1)

    def close(self) -> None:
        """Leave together."""
        self.total(0.0)
        self._watch.close()
        with contextlib.suppress(RuntimeError):
            dist.destroy_process_group()


def join() -> World:
    """Join the processes that torchrun started, if it did."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "MASTER_ADDR" not in os.environ:
        return World()
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    store, rank, size = next(rendezvous("env://"))
    key = _meet(store, rank, size)
    backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
    dist.init_process_group(backend, store=PrefixStore(key, store), rank=rank, world_size=size)
    return Group(key)


def _meet(store: Store, rank: int, size: int) -> str:
    """Return a name that the processes alive now share and no earlier ones had.

    torchrun starts a group again at the same store, where the addresses of the dead are still found; the count of
    restarts may differ between its machines.
    """
    own = secrets.token_hex(8)
    if rank == 0:
        store.set("hornbook", own)
        store.set(f"{own}/all", ",".join(store.get(f"{own}/{other}").decode() for other in range(1, size)))
        return own
    while True:  # until the main process of this start has come, who then knows this one
        main = store.get("hornbook").decode()
        store.set(f"{main}/{rank}", own)
        with contextlib.suppress(dist.DistError):
            store.wait([f"{main}/all"], timedelta(seconds=0.5))
            if own in store.get(f"{main}/all").decode().split(","):
                return main
            time.sleep(0.05)


def was_restarted() -> bool:
    """Return whether torchrun has started this process in the place of one that died (`--max-restarts`)."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0
