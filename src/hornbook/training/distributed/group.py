"""Several processes share each batch: `torchrun --nproc-per-node N -m hornbook train …`.

Process 0 leads: it prepares the data, writes the run, evaluates, saves, and tells the others what to do next (`Group`).
The others follow (`follow`): each computes its share of every batch, with a copy of the weights or with a part of them
(sharing.py), over gloo on CPUs and NCCL on GPUs; gradients and loss are means over all. A checkpoint is whole, the
leader's, and does not know how many processes wrote it: it resumes with any number. When a process dies, the run is
saved at its last whole update, or stands at its last checkpoint where the weights were spread, and ends with a
sentence. Left out: a number of processes that changes, evaluation by all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch import distributed as dist

from hornbook.checkpoint.folder import CheckpointStore
from hornbook.checkpoint.tensors import flatten_optimizer
from hornbook.data.prepare import Prepared
from hornbook.errors import ConfigError, HornbookError
from hornbook.models.transformer import TransformerLM
from hornbook.tracking.run import Run
from hornbook.training.config import TrainConfig, resolve
from hornbook.training.distributed.strategies import Replicas, Shards, Sharing, spread

if TYPE_CHECKING:
    from hornbook.training.trainer import Trainer

__all__ = ["Group", "WorkerLostError", "follow", "join"]

PATIENCE = timedelta(hours=12)  # followers wait out the leader's evaluations; a process that dies is noticed at once
NETWORK = ("gloo", "nccl", "connection closed", "connection reset", "broken pipe", "socket")
START, PUSH, UPDATE, COLLECT, COLLECT_OPTIMIZER, ROLL_CALL, STOP = range(7)


class WorkerLostError(HornbookError):
    """A process of the group does not answer any more."""


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
        leads: this is process 0.
    """

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.leads = self.rank == 0
        self._orders: Any = dist.new_group(backend="gloo", timeout=PATIENCE)

    def check(self, config: TrainConfig) -> None:
        """Raise ConfigError where the batch cannot be shared equally, or weights cannot be spread."""
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

    def place(self, config: TrainConfig) -> str:
        """Return where this process keeps a whole model: the recipe's device, or "meta" where it keeps none."""
        return config.training.device if self.leads or config.training.distributed != "fsdp" else "meta"

    def share(self, model: TransformerLM, config: TrainConfig) -> Sharing:
        """Return the recipe's way of sharing the training of `model`; all processes must call it together."""
        with watched():
            if config.training.distributed == "fsdp":
                return Shards(model, config, torch.device(config.training.device))
            return Replicas(model, config)

    def start(self, config: TrainConfig, prepared: Prepared) -> None:
        """Leader: let the others open the data and build the model."""
        self._tell(START)
        paths = {"train": [str(p.resolve()) for p in prepared.train]}
        paths["validation"] = [str(p.resolve()) for p in prepared.validation]
        run = str(config.run.path.resolve())
        self._send_json({"config": config.to_dict(), "run": run, "vocab": prepared.vocab_size, **paths})

    def push(self, trainer: Trainer) -> None:
        """Leader: give the others its weights and the optimizer's state."""
        self._tell(PUSH, trainer.progress.step)
        self._exchange_state(trainer)

    def announce(self, position: int, it: float, total: float) -> None:
        """Leader: the next update is that of batch `position`, at `it` of `total` in the schedule."""
        self._tell(UPDATE, position, it, total)

    def collect(self, sharing: Sharing) -> None:
        """Leader: bring its whole model up to date."""
        self._tell(COLLECT)
        with watched():
            sharing.collect()

    def collect_optimizer(
        self, sharing: Sharing, optimizer: torch.optim.Optimizer
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Leader: return the whole state of the optimizer."""
        self._tell(COLLECT_OPTIMIZER)
        with watched():
            return sharing.collect_optimizer(optimizer)

    def roll_call(self) -> None:
        """Leader: raise WorkerLostError unless every process answers."""
        self._tell(ROLL_CALL)
        self.gather_round()

    def gather_round(self) -> None:
        """Wait until every process is here."""
        with watched():
            dist.barrier(group=self._orders)

    def close(self, code: int = 0) -> None:
        """Leader: send the others home with an exit code, and leave."""
        if self.leads:
            with contextlib.suppress(WorkerLostError):
                self._tell(STOP, code)
                self.gather_round()
        with contextlib.suppress(RuntimeError):
            dist.destroy_process_group()

    def _tell(self, *words: float) -> None:
        message = torch.zeros(4, dtype=torch.float64)
        message[: len(words)] = torch.tensor(words, dtype=torch.float64)
        with watched():
            dist.broadcast(message, 0, group=self._orders)

    def listen(self) -> list[float]:
        """Follower: return what the leader says next."""
        message = torch.zeros(4, dtype=torch.float64)
        with watched():
            dist.broadcast(message, 0, group=self._orders)
        return message.tolist()

    def _send_json(self, value: Any) -> None:
        content = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        with watched():
            dist.broadcast(torch.tensor([len(content)]), 0, group=self._orders)
            dist.broadcast(content, 0, group=self._orders)

    def receive_json(self) -> Any:
        """Follower: return what `_send_json` was given."""
        length = torch.zeros(1, dtype=torch.int64)
        with watched():
            dist.broadcast(length, 0, group=self._orders)
            content = torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(content, 0, group=self._orders)
        return json.loads(content.numpy().tobytes())

    def _exchange_state(self, trainer: Trainer) -> None:
        """Both sides of `push`: weights first, then the optimizer's tensors, described by JSON."""
        assert trainer.sharing is not None
        with watched():
            trainer.sharing.share()
        if self.leads:
            tensors, rest = flatten_optimizer(trainer.optimizer)
            shapes = {name: [list(t.shape), str(t.dtype).removeprefix("torch.")] for name, t in tensors.items()}
            self._send_json([shapes, rest])
        else:
            shapes, rest = self.receive_json()
            tensors = {name: torch.empty(shape, dtype=getattr(torch, dtype)) for name, (shape, dtype) in shapes.items()}
        with watched():
            for name, tensor in tensors.items():
                there = tensor.to(trainer.device) if tensor.ndim else tensor.reshape(1).clone()
                dist.broadcast(there, 0)
                tensors[name] = there if tensor.ndim else there[0]
        spread(trainer.optimizer, tensors, rest)


def follow(group: Group) -> Run:
    """Do the leader's bidding until it says stop; return the run.

    Raises:
        WorkerLostError: the leader is gone.
        SystemExit: the leader ended with an error.
    """
    for number in (signal.SIGTERM, signal.SIGINT):  # the leader hears them too, saves, and says stop
        signal.signal(number, signal.SIG_IGN)
    try:
        return _follow(group)
    except WorkerLostError as lost:
        raise WorkerLostError(
            f"{lost}; the run stands at its last checkpoint: start torchrun again with --resume"
        ) from lost


def _follow(group: Group) -> Run:
    trainer: Trainer | None = None
    folder = ""
    while True:
        order, first, it, total = group.listen()
        if order == START:
            told = group.receive_json()
            folder = told["run"]
            trainer = _trainer(group, told)
        elif order == STOP:
            group.gather_round()
            group.close()
            if first or not folder:
                raise SystemExit(int(first) or 2)
            return Run.open(folder)
        elif order == ROLL_CALL:
            group.gather_round()
        elif trainer is None or trainer.sharing is None:
            raise AssertionError(f"order {order} came before there was anything to train")
        elif order == PUSH:
            group._exchange_state(trainer)
            # Dropout differs from process to process, and is not drawn again after a resume.
            torch.manual_seed(trainer.config.training.seed + 1_000_003 * group.rank + 7_919 * int(first))
        elif order == UPDATE:
            trainer.update_at(int(first), it, total)
        elif order == COLLECT:
            with watched():
                trainer.sharing.collect()
        elif order == COLLECT_OPTIMIZER:
            with watched():
                trainer.sharing.collect_optimizer(trainer.optimizer)


def _trainer(group: Group, told: dict[str, Any]) -> Trainer:
    """Follower: open the data and build the model as the leader says."""
    from hornbook.training.launch.setup import set_machine
    from hornbook.training.trainer import Trainer

    config = resolve(told["config"])
    if torch.device(config.training.device).type == "cuda":
        config = config.with_training(device=f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
    set_machine(config)
    files = (tuple(map(Path, told[kind])) for kind in ("train", "validation"))
    prepared = Prepared(*files, tokenizer=None, vocab_size=told["vocab"], validation_text=None, digest="")
    return Trainer(config, prepared, CheckpointStore(Path(told["run"]) / "checkpoints"), group=group)


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Turn a failed exchange between the processes into a WorkerLostError; other errors pass."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and not any(word in str(error).lower() for word in NETWORK):
            raise
        reason = str(error).splitlines()[0]
        raise WorkerLostError(f"a process of the group does not answer any more ({reason[:120]})") from error
