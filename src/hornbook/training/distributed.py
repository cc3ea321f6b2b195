"""Several processes share each batch: `torchrun --nproc-per-node N -m hornbook train …`.

Process 0 leads: it prepares the data, writes the run, evaluates, saves, and tells the others what to do next (`Group`).
The others follow (`follow`): each computes its share of every batch with its own copy of the weights; gradients and
loss are averaged over all (data parallelism, as DDP does, in buckets of 25 MB over gloo on CPUs and NCCL on GPUs), so
every copy makes the same update. A checkpoint is the leader's and does not know how many processes wrote it: it
resumes with any number. When a process dies, the leader saves the last whole update and ends with a sentence. Left
out: sharded weights (FSDP), overlap of the exchange with the backward pass, a number of processes that changes.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch import distributed as dist

from hornbook.checkpoint.folder import CheckpointStore
from hornbook.checkpoint.tensors import flatten_optimizer, restore_optimizer
from hornbook.data.prepare import Prepared
from hornbook.errors import ConfigError, HornbookError
from hornbook.tracking.run import Run
from hornbook.training.config import TrainConfig, resolve

if TYPE_CHECKING:
    from hornbook.training.trainer import Trainer

__all__ = ["Group", "WorkerLostError", "follow", "join"]

BUCKET_ELEMENTS = 25_000_000 // 4
PATIENCE = timedelta(hours=12)  # followers wait out the leader's evaluations; a process that dies is noticed at once
START, PUSH, UPDATE, STOP = range(4)


class WorkerLostError(HornbookError):
    """A process of the group does not answer any more."""


def join() -> Group | None:
    """Join the processes that torchrun started; None where there is only this one."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "MASTER_ADDR" not in os.environ:
        return None
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=PATIENCE)
    return Group()


class Group:
    """The processes of one training.

    Attributes:
        rank: number of this process.
        size: how many there are.
        leads: this is process 0.
    """

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.leads = self.rank == 0

    def check(self, config: TrainConfig) -> None:
        """Raise ConfigError where the batch cannot be shared equally, or the way of sharing is not there."""
        t = config.training
        if t.distributed == "fsdp":
            raise ConfigError(
                'training.distributed = "fsdp" is not there; "ddp" keeps a copy of the weights everywhere'
            )
        if t.batch_size % (t.gradient_accumulation * self.size):
            raise ConfigError(
                f"training.batch_size = {t.batch_size} does not divide into {t.gradient_accumulation} parts for each "
                f"of {self.size} processes; choose a multiple of {t.gradient_accumulation * self.size}"
            )

    def start(self, config: TrainConfig, prepared: Prepared) -> None:
        """Leader: let the others open the data and build the model."""
        self._tell(START)
        paths = {"train": [str(p.resolve()) for p in prepared.train]}
        paths["validation"] = [str(p.resolve()) for p in prepared.validation]
        run = str(config.run.path.resolve())
        self._send_json({"config": config.to_tree(), "run": run, "vocab": prepared.vocab_size, **paths})

    def push(self, trainer: Trainer) -> None:
        """Leader: give the others its weights and the optimizer's state."""
        self._tell(PUSH)
        self._exchange_state(trainer)

    def announce(self, position: int, it: float, total: float) -> None:
        """Leader: the next update is that of batch `position`, at `it` of `total` in the schedule."""
        self._tell(UPDATE, position, it, total)

    def reduce(self, parameters: Sequence[Tensor], loss: Tensor) -> Tensor:
        """Replace every gradient by its mean over the processes; return the mean loss."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat_loss = loss.detach().reshape(1).to(gradients[0].dtype)
        with _watched():
            for bucket in _buckets([*gradients, flat_loss]):
                flat = torch.cat([g.reshape(-1) for g in bucket])
                dist.all_reduce(flat)
                flat /= self.size
                for g, mean in zip(bucket, flat.split([g.numel() for g in bucket]), strict=True):
                    g.copy_(mean.view_as(g))
        return flat_loss[0]

    def close(self, code: int = 0) -> None:
        """Leader: send the others home with an exit code, and leave."""
        if self.leads:
            with contextlib.suppress(WorkerLostError):
                self._tell(STOP, code)
                dist.barrier()
        with contextlib.suppress(RuntimeError):
            dist.destroy_process_group()

    def _tell(self, *words: float) -> None:
        message = torch.zeros(4, dtype=torch.float64)
        message[: len(words)] = torch.tensor(words, dtype=torch.float64)
        with _watched():
            dist.broadcast(message, 0)

    def listen(self) -> list[float]:
        """Follower: return what the leader says next."""
        message = torch.zeros(4, dtype=torch.float64)
        with _watched():
            dist.broadcast(message, 0)
        return message.tolist()

    def _send_json(self, value: Any) -> None:
        content = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        with _watched():
            dist.broadcast(torch.tensor([len(content)]), 0)
            dist.broadcast(content, 0)

    def receive_json(self) -> Any:
        """Follower: return what `_send_json` was given."""
        length = torch.zeros(1, dtype=torch.int64)
        with _watched():
            dist.broadcast(length, 0)
            content = torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(content, 0)
        return json.loads(content.numpy().tobytes())

    def _exchange_state(self, trainer: Trainer) -> None:
        """Both sides of `push`: weights first, then the optimizer's tensors, described by JSON."""
        with _watched(), torch.no_grad():
            for parameter in trainer.model.parameters():
                dist.broadcast(parameter.data, 0)
        if self.leads:
            tensors, rest = flatten_optimizer(trainer.optimizer)
            shapes = {name: [list(t.shape), str(t.dtype).removeprefix("torch.")] for name, t in tensors.items()}
            self._send_json([shapes, rest])
        else:
            shapes, rest = self.receive_json()
            tensors = {name: torch.empty(shape, dtype=getattr(torch, dtype)) for name, (shape, dtype) in shapes.items()}
        with _watched():
            for name, tensor in tensors.items():
                there = tensor.to(trainer.device) if tensor.ndim else tensor.reshape(1).clone()
                dist.broadcast(there, 0)
                tensors[name] = there if tensor.ndim else there[0]
        if not self.leads:
            restore_optimizer(trainer.optimizer, tensors, rest, "the leader's state")


def follow(group: Group) -> Run:
    """Do the leader's bidding until it says stop; return the run.

    Raises:
        WorkerLostError: the leader is gone.
        SystemExit: the leader ended with an error.
    """
    from hornbook.training.setup import set_machine
    from hornbook.training.trainer import Trainer

    for number in (signal.SIGTERM, signal.SIGINT):  # the leader hears them too, saves, and says stop
        signal.signal(number, signal.SIG_IGN)
    trainer: Trainer | None = None
    folder = ""
    while True:
        order, first, it, total = group.listen()
        if order == START:
            told = group.receive_json()
            config, folder = resolve(told["config"]), told["run"]
            if torch.device(config.training.device).type == "cuda":
                config = config.with_training(device=f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
            set_machine(config)
            files = (tuple(map(Path, told[kind])) for kind in ("train", "validation"))
            prepared = Prepared(*files, tokenizer=None, vocab_size=told["vocab"], validation_text=None, digest="")
            trainer = Trainer(config, prepared, CheckpointStore(Path(folder) / "checkpoints"), group=group)
        elif order == PUSH and trainer is not None:
            group._exchange_state(trainer)
            # Dropout differs from process to process.
            torch.manual_seed(trainer.config.training.seed + 1_000_003 * group.rank)
        elif order == UPDATE and trainer is not None:
            trainer.update_at(int(first), it, total)
        elif order == STOP:
            with _watched():
                dist.barrier()
            group.close()
            if first or not folder:
                raise SystemExit(int(first) or 2)
            return Run.open(folder)


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """Turn a failed exchange into a sentence."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise WorkerLostError(
            f"a process of the group does not answer any more ({reason[:120]}); the run is saved at its last whole "
            "update: start torchrun again with --resume"
        ) from error


def _buckets(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Cut a list into runs of about 25 MB, each of one dtype and device."""
    bucket: list[Tensor] = []
    for tensor in tensors:
        full = sum(t.numel() for t in bucket) + tensor.numel() > BUCKET_ELEMENTS
        if bucket and (full or tensor.dtype != bucket[0].dtype or tensor.device != bucket[0].device):
            yield bucket
            bucket = []
        bucket.append(tensor)
    yield bucket
