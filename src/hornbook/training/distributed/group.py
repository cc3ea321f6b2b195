"""The processes that share each batch, and what they send: `torchrun --nproc-per-node N -m hornbook train …`.

Process 0 is the main process: it prepares the data, writes the run, evaluates, saves, and sends the others (the
workers, training/worker.py) one command after another. Each computes its share of every batch, with a copy of the
weights or with rows of them (strategies.py), over gloo on CPUs and NCCL on GPUs; gradients and loss are means over all.
A checkpoint is whole, written by the main process, and does not know how many processes there were: it resumes with any
number. When a process dies, the run is saved at its last whole update, or stands at its last checkpoint where the
weights were sharded, and ends with a sentence. Left out: a number of processes that changes, evaluation by all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from enum import IntEnum
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from hornbook.checkpoint.tensors import flatten_optimizer
from hornbook.errors import ConfigError, HornbookError
from hornbook.models.transformer import TransformerLM
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.strategies import DDP, FSDP, Strategy, load_full_optimizer_state
from hornbook.training.distributed.watch import Watch

# Workers wait out the main process's evaluations; a process that dies is noticed at once.
TIMEOUT = timedelta(hours=12)
NETWORK_ERRORS = ("gloo", "nccl", "connection closed", "connection reset", "broken pipe", "socket")


class WorkerLostError(HornbookError):
    """A process of the group does not answer any more."""


class Command(IntEnum):
    """What the main process has the workers do next."""

    BUILD = 0
    LOAD_STATE = 1
    UPDATE = 2
    GATHER_WEIGHTS = 3
    GATHER_OPTIMIZER = 4
    CHECK_ALIVE = 5
    STOP = 6


def join() -> Group | None:
    """Join the processes that torchrun started; None where there is only this one."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "MASTER_ADDR" not in os.environ:
        return None
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    return Group()


class Group:
    """The processes of one training.

    Attributes:
        rank: number of this process.
        size: how many there are.
        is_main: this is process 0.
    """

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.is_main = self.rank == 0
        self._commands: Any = dist.new_group(backend="gloo", timeout=TIMEOUT)
        self.watch = Watch(self.rank)

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

    def model_device(self, config: TrainConfig) -> str:
        """Return where this process keeps a whole model: the recipe's device, or "meta" where it keeps none."""
        return config.training.device if self.is_main or config.training.distributed != "fsdp" else "meta"

    def make_strategy(self, model: TransformerLM, config: TrainConfig) -> Strategy:
        """Return the recipe's strategy for the training of `model`; a collective."""
        with detect_worker_loss():
            if config.training.distributed == "fsdp":
                return FSDP(model, config, torch.device(config.training.device))
            return DDP(model, config)

    def send_build(self, message: dict[str, Any]) -> None:
        """Main process: have the workers open the data and build the model; `message` is theirs to read (worker.py)."""
        self._send(Command.BUILD)
        self._send_json(message)

    def send_state(self, step: int, strategy: Strategy, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        """Main process: give the workers its weights and the optimizer's state."""
        self._send(Command.LOAD_STATE, step)
        self.exchange_state(strategy, optimizer, device)

    def send_update(self, position: int, it: float, total: float) -> None:
        """Main process: the next update is that of batch `position`, at `it` of `total` in the schedule."""
        self._send(Command.UPDATE, position, it, total)

    def gather_weights(self, strategy: Strategy) -> None:
        """Main process: bring its whole model up to date."""
        self._send(Command.GATHER_WEIGHTS)
        with detect_worker_loss():
            strategy.gather_weights()

    def gather_optimizer(
        self, strategy: Strategy, optimizer: torch.optim.Optimizer
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Main process: return the whole state of the optimizer."""
        self._send(Command.GATHER_OPTIMIZER)
        with detect_worker_loss():
            return strategy.gather_optimizer(optimizer)

    def check_alive(self) -> None:
        """Main process: raise WorkerLostError unless every process answers."""
        self._send(Command.CHECK_ALIVE)
        self.barrier()

    def barrier(self) -> None:
        """Wait until every process is here. Raises WorkerLostError where one does not come."""
        with detect_worker_loss():
            dist.barrier(group=self._commands)

    def fail(self, error: BaseException) -> None:
        """Leave with an error: the others end with it, and nothing is waited for."""
        self.watch.tell(error, 2 if isinstance(error, HornbookError | OSError) else 1)

    def close(self) -> None:
        """Leave; the main process first has the workers stop."""
        if self.is_main:
            self._send(Command.STOP)
            self.barrier()
        self.watch.close()
        with contextlib.suppress(RuntimeError):
            dist.destroy_process_group()

    def receive_command(self) -> tuple[Command, float, float, float]:
        """Worker: return what the main process sends next, with its three arguments."""
        command, *arguments = self._broadcast_numbers().tolist()
        first, second, third = arguments
        return Command(int(command)), first, second, third

    def receive_json(self) -> Any:
        """Worker: return the value that comes with a command."""
        length = torch.zeros(1, dtype=torch.int64)
        with detect_worker_loss():
            dist.broadcast(length, 0, group=self._commands)
            content = torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(content, 0, group=self._commands)
        return json.loads(content.numpy().tobytes())

    def _send(self, command: Command, *arguments: float) -> None:
        self._broadcast_numbers(command, *arguments)

    def _broadcast_numbers(self, *numbers: float) -> Tensor:
        message = torch.zeros(4, dtype=torch.float64)
        message[: len(numbers)] = torch.tensor(numbers, dtype=torch.float64)
        with detect_worker_loss():
            dist.broadcast(message, 0, group=self._commands)
        return message

    def _send_json(self, value: Any) -> None:
        content = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        with detect_worker_loss():
            dist.broadcast(torch.tensor([len(content)]), 0, group=self._commands)
            dist.broadcast(content, 0, group=self._commands)

    def exchange_state(self, strategy: Strategy, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        """Both sides of `send_state`: weights first, then the optimizer's tensors, described by JSON."""
        with detect_worker_loss():
            strategy.broadcast_weights()
        if self.is_main:
            tensors, rest = flatten_optimizer(optimizer)
            shapes = {name: [list(t.shape), str(t.dtype).removeprefix("torch.")] for name, t in tensors.items()}
            self._send_json([shapes, rest])
        else:
            shapes, rest = self.receive_json()
            tensors = {name: torch.empty(shape, dtype=getattr(torch, dtype)) for name, (shape, dtype) in shapes.items()}
        with detect_worker_loss():
            for name, tensor in tensors.items():
                there = tensor.to(device) if tensor.ndim else tensor.reshape(1).clone()
                dist.broadcast(there, 0)
                tensors[name] = there if tensor.ndim else there[0]
        load_full_optimizer_state(optimizer, tensors, rest)


@contextlib.contextmanager
def detect_worker_loss() -> Iterator[None]:
    """Turn a failed exchange between the processes into a WorkerLostError; other errors pass."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and not any(word in str(error).lower() for word in NETWORK_ERRORS):
            raise
        if Watch.current is not None and (told := Watch.current.error(wait=3.0)):
            raise WorkerLostError(told) from error
        raise WorkerLostError("a process of the group does not answer any more") from error
