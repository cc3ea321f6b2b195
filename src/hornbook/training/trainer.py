"""A model in training: the weights, the state beside them, and one update after another; loop.py says when.

What an update depends on beside the weights is in state.py, how it is computed in step.py. Under torchrun every process
has a trainer: the main process's decides and sends, the workers' (worker.py) follow it batch by batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import torch

from hornbook.checkpoint.store import Checkpoint
from hornbook.checkpoint.tensors import flatten_optimizer
from hornbook.data.prepare import Dataset
from hornbook.data.sampler import BatchSampler
from hornbook.data.token_data import TokenData
from hornbook.models.transformer import TransformerLM
from hornbook.optim.registry import make_optimizer
from hornbook.training.clock import RunClock
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.group import Group, detect_worker_loss
from hornbook.training.distributed.strategies import SingleProcess
from hornbook.training.divergence import BadBatch, Divergence
from hornbook.training.state import Counters, TrainingState
from hornbook.training.step import Batch, StepResult, TrainStep, Update

DATA_SHARE = 8
"""Training data of at most this part of a GPU's free memory is kept there."""
ROWS_SHOWN = 8
"""Windows of a bad batch that are kept as text too."""
STEPS_AHEAD = 2
"""Updates that the host may have asked a GPU for beyond the one that it computes."""


class Trainer:
    """Trains one model.

    Args:
        config: the recipe, every "auto" resolved.
        dataset: its data.
        initial_weights: puts the first weights into the fresh model (`model.init_from`); None leaves them as drawn.
        clock: of the run; None: one that starts now.
        group: the processes that share the work; None: this one alone.
    """

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        *,
        initial_weights: Callable[[TransformerLM], None] | None = None,
        clock: RunClock | None = None,
        group: Group | None = None,
    ):
        self.config, self.dataset, self.group = config, dataset, group
        self.clock = clock or RunClock()
        self.device = torch.device(config.training.device)
        self.data = TokenData.open(dataset.train, config.model.vocab_size, verify=config.data.verify)
        if self.device.type == "cuda":
            self.data.copy_to(self.device, torch.cuda.mem_get_info(self.device)[0] // DATA_SHARE)
        t = config.training
        self.sampler = BatchSampler(
            self.data,
            t.batch_size,
            config.model.context_length,
            t.seed,
            config.data.order,
            dataset.separator_id,
            [source.weight for source in config.data.mixture],
        )
        # Where weights are sharded, the main process's whole model lacks the updates since it was last gathered.
        self._model = TransformerLM(config.model, device=self.device if group is None else group.model_device(config))
        self._model.activation_checkpointing = t.activation_checkpointing
        if config.data.document_mask:
            self._model.document_separator = dataset.separator_id
        self._stale = False
        self._inflight: deque[torch.cuda.Event] = deque()
        self._initial_weights = initial_weights
        make_strategy = SingleProcess if group is None else group.make_strategy
        self.strategy = make_strategy(self._model, config)
        self.initialise()

    def initialise(self) -> None:
        """Draw the first weights and start at step 0."""
        torch.manual_seed(self.config.training.seed)
        self._model.reset_parameters()
        if self._initial_weights is not None:
            self._initial_weights(self._model)
        self._model.train()
        optimizer = make_optimizer(self.config.optimizer, self.strategy.trained.named_parameters())
        data = {"digest": self.dataset.digest, "train_tokens": len(self.data)}
        self.state = TrainingState(self.config, optimizer, self.device, self.clock, data)
        self.update = TrainStep(self.strategy, optimizer, self.config)
        self._send_state()

    @property
    def counters(self) -> Counters:
        """How far the run is: updates, batches, the best evaluation."""
        return self.state.counters

    @property
    def finished(self) -> bool:
        """Whether all updates are made: the steps of the recipe, or those that its minutes hold."""
        return self.state.budget.finished(self.counters.step)

    def gather_model(self) -> TransformerLM:
        """Return the whole model as it is now; where weights are sharded this is a collective, between updates only."""
        if self._stale and self.group is not None:
            self.group.gather_weights(self.strategy)
            self._stale = False
        return self._model

    def train_step(self) -> StepResult:
        """Make the next update. Nothing waits for the device: its loss and gradient norm are still there."""
        c, budget, before = self.counters, self.state.budget, self.clock.seconds
        while c.position in c.skipped:
            c.position += 1
        it, total = budget.schedule_position(c.step + 1, before, self.clock.closing_seconds)
        loss, grad_norm, lr = self.update_at(c.position, it, total)
        c.step += 1
        self.state.guard.update(c.step, loss, grad_norm)
        self.state.batch_of_step[c.step] = c.position
        c.position += 1
        c.evaluated = c.sampled = False
        self._limit_run_ahead()
        seconds = self.clock.seconds - before
        budget.measure_step(seconds)
        return StepResult(c.step, loss, grad_norm, lr, c.step * self.config.tokens_per_step, seconds)

    def _limit_run_ahead(self) -> None:
        """Wait for an update that was asked of a GPU some time ago: it always has the next one, and the clock, a
        signal and the time budget speak of what is done and not of what is asked for."""
        if self.device.type == "cuda":
            self._inflight.append(torch.cuda.Event())
            self._inflight[-1].record()
            if len(self._inflight) > STEPS_AHEAD:
                self._inflight.popleft().synchronize()

    def update_at(self, position: int, it: float, total: float) -> Update:
        """Make the update of batch `position` at place `it` of `total` in the schedule, in all processes."""
        if self.group is None:
            return self.update(self.micro_batches(position), it, total)
        if self.group.is_main:
            self.group.send_update(position, it, total)
            self._stale = not self.strategy.main_is_complete
        with detect_worker_loss():
            return self.update(self.micro_batches(position), it, total)

    def micro_batches(self, position: int) -> list[Callable[[], Batch]]:
        """Return this process's parts of batch `position`, for gradient accumulation; each is read when called."""
        count = self.config.training.gradient_accumulation
        rank, processes = (0, 1) if self.group is None else (self.group.rank, self.group.size)
        size = self.config.training.batch_size // (count * processes)

        def part(i: int) -> Callable[[], Batch]:
            return lambda: self.sampler.batch(position, self.device, slice(i * size, (i + 1) * size))

        return [part(rank * count + i) for i in range(count)]

    def check_divergence(self, weights: bool = False) -> Divergence | None:
        """Return what the guard has noticed, or None; this waits for the device.

        Args:
            weights: also check every weight, as before a save: one that no batch has used yet shows in no loss.
        """
        guard = self.state.guard
        divergence = guard.check()
        if divergence is None and weights and guard.section.action != "off":
            finite = torch.stack([torch.isfinite(p).all() for p in self.gather_model().parameters()])
            if not bool(finite.all()):
                divergence = Divergence(self.counters.step, "weight", float("nan"))
        if divergence is None:
            self.state.batch_of_step.clear()
        return divergence

    def bad_batch(self, divergence: Divergence) -> BadBatch:
        """Return the batch that training diverged on."""
        position = self.state.batch_of_step[divergence.step]
        file, start = self.sampler.starts(position)
        inputs, targets = self.sampler.batch(position)
        decode = None if self.dataset.tokenizer is None else self.dataset.tokenizer.decode
        text = [decode(row.tolist()) for row in inputs[:ROWS_SHOWN]] if decode else None
        return BadBatch(position, self.dataset.train, file.tolist(), start.tolist(), inputs, targets, text)

    def to_checkpoint(self) -> Checkpoint:
        """Return everything that the run continues from; where weights are sharded this is a collective."""
        optimizer = self.state.optimizer
        if self.group is None or self.strategy.main_is_complete:
            whole = flatten_optimizer(optimizer)
        else:
            whole = self.group.gather_optimizer(self.strategy, optimizer)
        return self.state.to_checkpoint(self.gather_model().state_dict(), whole)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put back what `to_checkpoint` returned. Raises CheckpointError as `TrainingState.restore`."""
        self.state.restore(checkpoint, self._model)
        self._send_state()

    def _send_state(self) -> None:
        if self.group is not None and self.group.is_main:
            self.group.send_state(self.counters.step, self.strategy, self.state.optimizer, self.device)
        self._stale = False
