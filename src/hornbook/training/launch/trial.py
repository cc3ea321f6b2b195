"""How long an update of a recipe takes on this machine, from a few updates on random tokens; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from hornbook.config import merge, to_dict
from hornbook.models.transformer import TransformerLM
from hornbook.nn.cpu_kernels import keep_freed_memory
from hornbook.optim.registry import make_optimizer
from hornbook.training.config import TrainConfig, resolve
from hornbook.training.distributed.strategies import SingleProcess
from hornbook.training.launch.device import StepTime, measure_step, resolve_auto
from hornbook.training.launch.story_ladder import StoryRung
from hornbook.training.step import TrainStep


def time_updates(config: TrainConfig, seconds: float) -> StepTime:
    """Return what an update takes.

    Args:
        config: the recipe, every "auto" resolved.
        seconds: how long to measure (`measure_step`).
    """
    device, training = torch.device(config.training.device), config.training
    keep_freed_memory()
    model = TransformerLM(config.model, device=device)
    model.activation_checkpointing = training.activation_checkpointing
    optimizer = make_optimizer(config.optimizer, model.named_parameters())
    step = TrainStep(SingleProcess(model, config), optimizer, config)
    size = training.batch_size // training.gradient_accumulation
    ids = torch.randint(0, config.model.vocab_size, (size, config.model.context_length), device=device)
    micro_batches = [lambda: (ids, ids)] * training.gradient_accumulation
    return measure_step(lambda: step(micro_batches, 1, 10), device, seconds, compiles=training.compile is True)


def rung_timer(changes: Mapping[str, Any] | None = None) -> Callable[[StoryRung], float]:
    """Return what times an update of a rung of the storyworld ladder here, each only once.

    Args:
        changes: keys of a recipe that are laid over the rung's.
    """
    known: dict[StoryRung, float] = {}
    machine: dict[str, Any] = {}

    def time_of(rung: StoryRung) -> float:
        if rung not in known:
            training = {"batch_size": rung.batch_size, **machine}
            sections = {"model": to_dict(rung.model), "training": training}
            config = resolve_auto(resolve(merge(sections, changes or {})))
            chosen = config.training
            machine.update(device=chosen.device, dtype=chosen.dtype, threads=chosen.threads)
            known[rung] = time_updates(config, 0.3).typical
        return known[rung]

    return time_of
