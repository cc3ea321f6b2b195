"""The state of a training run and the things that can be done with it; loop.py says when.

Everything that the next update depends on is here: weights, optimizer, place in the data, random states, guard, budget
and the counters of `Progress`. `checkpoint()` writes all of it down and `restore()` puts all of it back, which is what
makes a resumed run equal to an uninterrupted one, bit for bit. Under torchrun every process has a trainer; the
leader's is the one that counts (distributed.py).
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from hornbook.checkpoint.background import Saver
from hornbook.checkpoint.folder import Checkpoint, CheckpointStore
from hornbook.checkpoint.tensors import LARGEST, flatten_optimizer, load_module, restore_optimizer
from hornbook.config import build
from hornbook.data.prepare import Dataset
from hornbook.data.sampler import BatchSampler
from hornbook.data.token_data import TokenData
from hornbook.errors import CheckpointError
from hornbook.evaluation.loss import Evaluation, evaluate
from hornbook.models.transformer import TransformerLM
from hornbook.optim.registry import make_optimizer
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.group import Group, detect_worker_loss
from hornbook.training.distributed.strategies import SingleProcess
from hornbook.training.divergence import Guard, Trouble
from hornbook.training.progress import Budget
from hornbook.training.step import (
    TrainStep,
    random_states,
    restore_random_states,
)

__all__ = ["Progress", "Trainer"]

DATA_SHARE = 8
"""Training data of at most this part of a GPU's free memory is kept there."""
STEPS_AHEAD = 2
"""Updates that the host may have asked a GPU for beyond the one that it computes."""


@dataclass
class Progress:
    """The counters of a run."""

    step: int = 0
    """Updates done."""
    position: int = 0
    """Number of the next batch; runs ahead of `step` by the batches that were left out."""
    skipped: list[int] = field(default_factory=list)
    """Batches that are left out, because training diverged on them."""
    rewinds: int = 0
    """How often training went back to a checkpoint."""
    seconds: float = 0.0
    """Time spent before this process, evaluation included."""
    best_val_loss: float | None = None
    """Lowest validation loss so far."""
    best_step: int | None = None
    """Where it was reached."""
    evaluated: bool = False
    """The evaluation due at `step` is done."""
    sampled: bool = False
    """The samples due at `step` are written."""


class Trainer:
    """One run in the making.

    Args:
        config: the recipe, every "auto" resolved.
        prepared: its data.
        store: its checkpoints.
        start: puts the first weights into the fresh model (`model.init_from`); None leaves them as drawn.
        clock: seconds, for the time budget and the records.
        group: the processes that share the work; None: this one alone.
    """

    def __init__(
        self,
        config: TrainConfig,
        prepared: Dataset,
        store: CheckpointStore,
        *,
        start: Callable[[TransformerLM], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        group: Group | None = None,
    ):
        self.config, self.prepared, self.clock, self.group = config, prepared, clock, group
        self.device = torch.device(config.training.device)
        self.train_data = TokenData.open(prepared.train, config.model.vocab_size, verify=config.data.verify)
        self.validation_data = TokenData.open(prepared.validation, config.model.vocab_size, verify=config.data.verify)
        t, m = config.training, config.model
        if self.device.type == "cuda":
            self.train_data.copy_to(self.device, torch.cuda.mem_get_info(self.device)[0] // DATA_SHARE)
        self.sampler = BatchSampler(self.train_data, t.batch_size, m.context_length, t.seed, config.data.order)
        self._model = TransformerLM(m, device=self.device if group is None else group.model_device(config))
        self._model.activation_checkpointing = t.activation_checkpointing
        self._asked: deque[torch.cuda.Event] = deque()
        self._behind = False  # the leader's whole model lacks updates of the rows that are trained
        alone = group is None
        self.strategy = SingleProcess(self._model, config) if alone else group.make_strategy(self._model, config)
        self.saver = Saver(store, config.checkpoint.background)
        self.outside = 0.0
        """Seconds that evaluations, samples and checkpoints took in this process."""
        self._start = start
        self._began = clock()
        self.initialise()

    def initialise(self) -> None:
        """Draw the first weights and start at step 0."""
        torch.manual_seed(self.config.training.seed)
        self._model.reset_parameters()
        if self._start is not None:
            self._start(self._model)
        self._model.train()
        self.optimizer = make_optimizer(self.config.optimizer, self.strategy.trained.named_parameters())
        self.update = TrainStep(self.strategy, self.optimizer, self.config)
        self.guard = Guard(self.config.guard, self.device, self.config.model.vocab_size)
        self.budget = Budget(self.config)
        self.progress = Progress()
        self._recent: dict[int, int] = {}  # step → its batch, since the guard last looked
        self._send_state()

    def _send_state(self) -> None:
        if self.group is not None and self.group.is_main:
            self.group.send_state(self.progress.step, self.strategy, self.optimizer, self.device)
        self._behind = False

    @property
    def model(self) -> TransformerLM:
        """The whole model as it is now. Where weights are spread the leader gathers it: only between updates."""
        if self._behind and self.group is not None:
            self.group.gather_weights(self.strategy)
            self._behind = False
        return self._model

    @property
    def seconds(self) -> float:
        """Time spent on the run in all its processes."""
        return self.progress.seconds + self.clock() - self._began

    @property
    def finished(self) -> bool:
        """All updates are made."""
        return self.budget.finished(self.progress.step)

    def begin(self) -> None:
        """Start the clock of this process: preparation is not part of the run."""
        self._began = self.clock()

    def advance(self) -> tuple[Tensor, Tensor]:
        """Make the next update; return its loss and gradient norm, still on the device."""
        p = self.progress
        while p.position in p.skipped:
            p.position += 1
        it, total = self.budget.plan(p.step + 1, self.seconds)
        began = self.clock()
        loss, norm = self.update_at(p.position, it, total)
        self.guard.update(p.step + 1, loss, norm)
        p.step += 1
        self._recent[p.step] = p.position
        p.position += 1
        p.evaluated = p.sampled = False
        self._keep_pace()
        self.budget.measure_step(self.clock() - began)
        return loss, norm

    def _keep_pace(self) -> None:
        """Wait for an update that was asked of a GPU some time ago: it always has the next one, and the clock, a
        signal and the time budget speak of what is done and not of what is asked for."""
        if self.device.type == "cuda":
            self._asked.append(torch.cuda.Event())
            self._asked[-1].record()
            if len(self._asked) > STEPS_AHEAD:
                self._asked.popleft().synchronize()

    def update_at(self, position: int, it: float, total: float) -> tuple[Tensor, Tensor]:
        """Make the update of batch `position` at place `it` of `total` in the schedule, in all processes."""
        if self.group is None:
            return self.update(self.parts(position), it, total)
        if self.group.is_main:
            self.group.send_update(position, it, total)
            self._behind = not self.strategy.main_is_complete
        with detect_worker_loss():
            return self.update(self.parts(position), it, total)

    def parts(self, position: int) -> list[Callable[[], tuple[Tensor, Tensor]]]:
        """Return the parts of batch `position` for gradient accumulation, each read when it is called.

        Of several processes, each gets its own share.
        """
        count = self.config.training.gradient_accumulation
        rank, processes = (0, 1) if self.group is None else (self.group.rank, self.group.size)
        size = self.config.training.batch_size // (count * processes)

        def part(i: int) -> Callable[[], tuple[Tensor, Tensor]]:
            return lambda: self.sampler.batch(position, self.device, slice(i * size, (i + 1) * size))

        return [part(rank * count + i) for i in range(count)]

    def evaluate(self, progress: Callable[[int], None], stop: Callable[[], bool]) -> Evaluation:
        """Measure the model on the validation set and note whether it is the best so far."""
        section = self.config.evaluation
        began = self.clock()
        result = evaluate(
            self.model,
            self.validation_data,
            section.batch_size or max(1, self.config.training.batch_size // self.config.training.gradient_accumulation),
            section.context_length,
            max_tokens=section.max_tokens,
            progress=progress,
            stop=stop,
        )
        p = self.progress
        p.evaluated = True
        if result.loss == result.loss and (p.best_val_loss is None or result.loss < p.best_val_loss):
            p.best_val_loss, p.best_step = result.loss, p.step
        self.took("evaluation", began)
        return result

    def took(self, what: str, began: float) -> None:
        """Note that something beside the updates took from `began` until now."""
        seconds = self.clock() - began
        self.outside += seconds
        if what in ("evaluation", "samples", "checkpoint"):
            self.budget.closing[what] = seconds

    def look(self, weights: bool = False) -> Trouble | None:
        """Return what the guard has noticed, or None; this waits for the device.

        Args:
            weights: also look at every weight, as before a save: one that no batch has used yet shows in no loss.
        """
        trouble = self.guard.look()
        if trouble is None and weights and self.guard.section.action != "off":
            finite = torch.stack([torch.isfinite(p).all() for p in self.model.parameters()])
            if not bool(finite.all()):
                trouble = Trouble(self.progress.step, "weight", float("nan"))
        if trouble is None:
            self._recent.clear()
        return trouble

    def batch_of(self, step: int) -> int:
        """Return the number of the batch of a step since the last fine `look`."""
        return self._recent[step]

    def rewind(self, trouble: Trouble) -> int:
        """Go back to the last checkpoint (or the start) and leave the offending batch out; return the step."""
        skipped = [*self.progress.skipped, self.batch_of(trouble.step)]
        rewinds, seconds = self.progress.rewinds + 1, self.seconds
        self.saver.wait()
        if self.saver.store.steps():
            self.restore(self.saver.store.load())
        else:
            self.initialise()
        self.progress.skipped, self.progress.rewinds, self.progress.seconds = skipped, rewinds, seconds
        self._began = self.clock()
        self._recent.clear()
        return self.progress.step

    def save(self) -> None:
        """Write a checkpoint of this moment. Raises CheckpointError if it, or the one before, cannot be written."""
        p, began = self.progress, self.clock()
        if self.saver.last_saved != p.step:
            self.saver.save(self.checkpoint(), p.best_val_loss if p.best_step == p.step else None)
        self.took("checkpoint", began)
        # At the end the whole of it is waited for, not only the copy.
        self.budget.closing["checkpoint"] = max(self.saver.seconds, self.budget.closing["checkpoint"])

    def salvage(self) -> str:
        """Save what there is when a process of the group is gone; return in words what became of the run."""
        if not self.strategy.main_is_complete:
            self.saver.wait()
            steps = self.saver.store.steps()
            stands = f"the run stands at its checkpoint of step {steps[-1]:,}" if steps else "no checkpoint was written"
            return f"the weights that it held are gone with it, {stands}"
        self.save()
        return f"the run is saved at its last whole update, step {self.progress.step:,}"

    def checkpoint(self) -> Checkpoint:
        """Return everything that the run continues from."""
        if self.group is None or self.strategy.main_is_complete:
            tensors, rest = flatten_optimizer(self.optimizer)
        else:
            tensors, rest = self.group.gather_optimizer(self.strategy, self.optimizer)
        state = {
            "progress": asdict(self.progress) | {"seconds": self.seconds},
            "guard": self.guard.state(),
            "budget": self.budget.state(),
            "random": random_states(self.device),
            "optimizer": rest,
            "data": {"digest": self.prepared.digest, "train_tokens": len(self.train_data)},
        }
        return Checkpoint(self.progress.step, self.model.state_dict(), tensors, state)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put back what `checkpoint` returned.

        Raises:
            CheckpointError: it is of another model, optimizer or data set, or its state is not complete.
        """
        source = f"the checkpoint of step {checkpoint.step}"
        state = checkpoint.state
        try:
            if state["data"]["digest"] != self.prepared.digest:
                raise CheckpointError(
                    f"{source} was trained on other data: the text or the tokenizer has changed since; put back what "
                    "it was, or start a new run from these weights with --model.init-from"
                )
            load_module(self._model, checkpoint.model, source)
            _check_settings(state["optimizer"]["param_groups"], self.optimizer.state_dict()["param_groups"], source)
            restore_optimizer(self.optimizer, checkpoint.optimizer, state["optimizer"], source)
            self.guard.load(state["guard"])
            self.budget.load(state["budget"])
            self.progress = _progress(state["progress"])
            restore_random_states(state["random"], self.device)
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"{source} has a state.json that lacks or garbles {error}; it is damaged") from None
        if self.progress.step != checkpoint.step:
            raise CheckpointError(f"{source} has a state.json of step {self.progress.step}; it is damaged")
        self.saver.last_saved = checkpoint.step
        self._send_state()
        self._recent.clear()
        self._began = self.clock()


def _check_settings(stored: Any, own: list[dict[str, Any]], source: str) -> None:
    """Raise CheckpointError where the optimizer's settings, but for the learning rate of the moment, are not the
    recipe's."""

    def settings(groups: Any) -> Any:
        return json.loads(json.dumps([{key: v for key, v in group.items() if key != "lr"} for group in groups]))

    if settings(stored) != settings(own):
        raise CheckpointError(
            f"{source} was written with other settings of the optimizer than the recipe's; it is damaged"
        )


def _progress(values: Mapping[str, Any]) -> Progress:
    progress = build(Progress, values, "progress")
    counts = (progress.step, progress.position, progress.rewinds, *progress.skipped)
    if not (progress.step <= progress.position and progress.seconds >= 0 and all(0 <= n < LARGEST for n in counts)):
        raise ValueError("its counters")
    return progress
