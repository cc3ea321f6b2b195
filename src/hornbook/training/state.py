"""Everything but the weights that the next update depends on, and its way into a checkpoint and back.

`to_checkpoint` writes all of it down and `restore` puts all of it back, which is what makes a resumed run equal to an
uninterrupted one, bit for bit. The keys are those of `state.json` (docs/formats/checkpoint.md).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from hornbook.checkpoint.store import Checkpoint
from hornbook.checkpoint.tensors import LARGEST, load_module, restore_optimizer
from hornbook.config import build, convert
from hornbook.errors import CheckpointError
from hornbook.models.transformer import TransformerLM
from hornbook.training.clock import RunClock
from hornbook.training.config import TrainConfig
from hornbook.training.divergence import Guard
from hornbook.training.progress import Budget


@dataclass
class Counters:
    """How far a run is."""

    step: int = 0
    """Updates done."""
    position: int = 0
    """Number of the next batch; runs ahead of `step` by the batches that were left out."""
    skipped: list[int] = field(default_factory=list)
    """Batches that are left out, because training diverged on them."""
    rewinds: int = 0
    """How often training went back to a checkpoint."""
    best_val_loss: float | None = None
    """Lowest validation loss so far."""
    best_step: int | None = None
    """Where it was reached."""
    evaluated: bool = False
    """The evaluation due at `step` is done."""
    sampled: bool = False
    """The samples due at `step` are written."""

    def record_evaluation(self, loss: float) -> None:
        """Note that the evaluation at `step` is done, and whether it is the best so far."""
        self.evaluated = True
        if loss == loss and (self.best_val_loss is None or loss < self.best_val_loss):
            self.best_val_loss, self.best_step = loss, self.step


class TrainingState:
    """What an update changes beside the weights; fresh at step 0.

    Args:
        config: the recipe.
        optimizer: over the parameters that are trained.
        device: where they are.
        clock: of the run.
        data: says which data the run is trained on: its digest and size.
    """

    def __init__(
        self,
        config: TrainConfig,
        optimizer: torch.optim.Optimizer,
        device: torch.device,
        clock: RunClock,
        data: Mapping[str, Any],
    ):
        self.optimizer, self.device, self.clock, self.data = optimizer, device, clock, data
        self.guard = Guard(config.guard, device, config.model.vocab_size)
        self.budget = Budget(config)
        self.counters = Counters()
        self.batch_of_step: dict[int, int] = {}
        """The batches of the steps since the guard was last checked."""

    def to_checkpoint(
        self, weights: Mapping[str, Tensor], optimizer: tuple[Mapping[str, Tensor], Mapping[str, Any]]
    ) -> Checkpoint:
        """Return everything that the run continues from.

        Args:
            weights: the whole model's.
            optimizer: the whole optimizer's state, as `flatten_optimizer` gives it.
        """
        tensors, rest = optimizer
        values = {
            "progress": asdict(self.counters) | {"seconds": self.clock.seconds},
            "guard": self.guard.state(),
            "budget": self.budget.state() | {"closing": dict(self.clock.closing)},
            "random": random_states(self.device),
            "optimizer": rest,
            "data": dict(self.data),
        }
        return Checkpoint(self.counters.step, weights, tensors, values)

    def restore(self, checkpoint: Checkpoint, model: TransformerLM) -> None:
        """Put back what `to_checkpoint` returned, and the weights into `model`.

        Raises:
            CheckpointError: it is of another model, optimizer or data set, or its state is not complete.
        """
        source, values = f"the checkpoint of step {checkpoint.step}", checkpoint.state
        try:
            if values["data"]["digest"] != self.data["digest"]:
                raise CheckpointError(
                    f"{source} was trained on other data: the text or the tokenizer has changed since; put back what "
                    "it was, or start a new run from these weights with --model.init-from"
                )
            load_module(model, checkpoint.model, source)
            groups = self.optimizer.state_dict()["param_groups"]
            _check_optimizer_settings(values["optimizer"]["param_groups"], groups, source)
            restore_optimizer(self.optimizer, checkpoint.optimizer, values["optimizer"], source)
            self.guard.load(values["guard"])
            self.budget.load(values["budget"])
            closing = {str(key): float(value) for key, value in values["budget"]["closing"].items()}
            self.counters, seconds = _counters(values["progress"])
            restore_random_states(values["random"], self.device)
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            if isinstance(error, CheckpointError):
                raise
            what = f"the key {error}" if isinstance(error, KeyError) else "usable numbers"
            raise CheckpointError(f"{source} has a state.json that lacks {what}; it is damaged") from None
        if self.counters.step != checkpoint.step:
            raise CheckpointError(f"{source} has a state.json of step {self.counters.step}; it is damaged")
        self.batch_of_step.clear()
        self.clock.start(seconds, closing)


def _check_optimizer_settings(stored: Any, own: list[dict[str, Any]], source: str) -> None:
    """Raise CheckpointError where the optimizer's settings, but for the learning rate of the moment, are not the
    recipe's."""

    def settings(groups: Any) -> Any:
        return json.loads(json.dumps([{key: v for key, v in group.items() if key != "lr"} for group in groups]))

    if settings(stored) != settings(own):
        raise CheckpointError(
            f"{source} was written with other settings of the optimizer than the recipe's; it is damaged"
        )


def _counters(values: Mapping[str, Any]) -> tuple[Counters, float]:
    """Return the counters and the seconds of `state.json`, checked."""
    counters = build(Counters, {key: value for key, value in values.items() if key != "seconds"}, "progress")
    seconds = convert(values["seconds"], float, "progress.seconds")
    counts = (counters.step, counters.position, counters.rewinds, *counters.skipped)
    if not (counters.step <= counters.position and seconds >= 0 and all(0 <= n < LARGEST for n in counts)):
        raise ValueError("its counters")
    return counters, seconds


def random_states(device: torch.device) -> dict[str, Any]:
    """Return the state of every generator that an update may draw from (dropout), as text for JSON."""
    states = {"torch": _encode(torch.get_rng_state())}
    if device.type == "cuda":
        states["cuda"] = _encode(torch.cuda.get_rng_state(device))
    if device.type == "mps":
        states["mps"] = _encode(torch.mps.get_rng_state())
    return states


def restore_random_states(states: dict[str, Any], device: torch.device) -> None:
    """Put back what `random_states` returned. Raises ValueError where it cannot be read."""
    torch.set_rng_state(_decode(states["torch"]))
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(_decode(states["cuda"]), device)
    if device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(_decode(states["mps"]))


def _encode(state: Tensor) -> str:
    return base64.b64encode(state.numpy().tobytes()).decode()


def _decode(text: str) -> Tensor:
    return torch.frombuffer(bytearray(base64.b64decode(text, validate=True)), dtype=torch.uint8)
