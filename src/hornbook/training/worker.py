"""A process beside the main one: builds the same model, then carries out command after command until it is stopped.

The other side of what training/distributed/group.py sends. A worker writes nothing and decides nothing: which batch,
which learning rate, when to gather and when to end come from the main process.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import torch

from hornbook.data.prepare import Dataset
from hornbook.tracking.run import Run
from hornbook.training.config import resolve
from hornbook.training.distributed.group import Command, Group, WorkerLostError, detect_worker_loss
from hornbook.training.launch.device import set_machine
from hornbook.training.signals import WATCHED
from hornbook.training.trainer import Trainer

RANK_SEEDS, STEP_SEEDS = 1_000_003, 7_919


def work(group: Group) -> Run:
    """Carry out the main process's commands until it sends stop; return the run.

    Raises:
        WorkerLostError: the main process, or another one, is gone.
    """
    for number in WATCHED:  # the main process gets them too, saves, and sends stop
        signal.signal(number, signal.SIG_IGN)
    try:
        return _carry_out_commands(group)
    except WorkerLostError as lost:
        raise WorkerLostError(
            f"{lost}; the run stands at its last checkpoint: start torchrun again with --resume"
        ) from lost


def _carry_out_commands(group: Group) -> Run:
    trainer: Trainer | None = None
    folder = ""
    while True:
        command, first, it, total = group.receive_command()
        if command == Command.BUILD:
            message = group.receive_json()
            folder = message["run"]
            trainer = _build(group, message)
        elif command == Command.STOP:
            group.barrier()
            group.close()
            return Run.open(folder)
        elif command == Command.CHECK_ALIVE:
            group.barrier()
        elif trainer is None:
            raise AssertionError(f"{command.name} came before there was anything to train")
        elif command == Command.LOAD_STATE:
            group.exchange_state(trainer.strategy, trainer.state.optimizer, trainer.device)
            # Dropout differs from process to process, and is not drawn again after a resume.
            seed = trainer.config.training.seed
            torch.manual_seed(seed + RANK_SEEDS * group.rank + STEP_SEEDS * int(first))
        elif command == Command.UPDATE:
            trainer.update_at(int(first), it, total)
        else:
            with detect_worker_loss():
                if command == Command.GATHER_WEIGHTS:
                    trainer.strategy.gather_weights()
                else:
                    trainer.strategy.gather_optimizer(trainer.state.optimizer)


def _build(group: Group, message: dict[str, Any]) -> Trainer:
    """Open the training data and build the model of the main process."""
    config = resolve(message["config"])
    if torch.device(config.training.device).type == "cuda":
        config = config.with_training(device=f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
    set_machine(config)
    dataset = Dataset(
        tuple(map(Path, message["train"])), (), tokenizer=None, vocab_size=message["vocab_size"], validation_text=None,
        digest="", separator_id=message["separator_id"],
    )  # fmt: skip
    return Trainer(config, dataset, group=group)
