"""A model in training: the weights, the state beside them, and one update after another; loop.py says when.

What an update depends on beside the weights is in state.py, how it is computed in step.py. Under torchrun every process
has a trainer, and all do the same (distributed/world.py).
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from hornbook.checkpoint.store import Checkpoint
from hornbook.checkpoint.tensors import flatten_optimizer
from hornbook.data.prepare import Dataset
from hornbook.data.sampler import BatchSampler
from hornbook.data.token_data import TokenData
from hornbook.models.transformer import TransformerLM
from hornbook.optim.registry import make_optimizer
from hornbook.optim.shards import to_local
from hornbook.training.clock import RunClock
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.world import World
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
        world: the processes that share the work; None: this one alone.

    Attributes:
        model: what is trained; where weights are sharded, to be read by all processes at once.
    """

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        *,
        initial_weights: Callable[[TransformerLM], None] | None = None,
        clock: RunClock | None = None,
        world: World | None = None,
    ):
        self.config, self.dataset, self.world = config, dataset, world or World()
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
        shapes_only = self.world.size > 1 and t.distributed == "fsdp"
        self.model = TransformerLM(config.model, device="meta" if shapes_only else self.device)
        self.model.activation_checkpointing = t.activation_checkpointing
        if config.data.document_mask:
            self.model.document_separator = dataset.separator_id
        self._inflight: deque[torch.cuda.Event] = deque()
        self._initial_weights = initial_weights
        self.strategy = self.world.make_strategy(self.model, config)
        self.initialise()

    def initialise(self) -> None:
        """Draw the first weights and start at step 0."""
        torch.manual_seed(self.config.training.seed)
        self.strategy.initialise()
        if self._initial_weights is not None:
            self._initial_weights(self.model)
        self.model.train()
        optimizer = make_optimizer(self.config.optimizer, self.model.named_parameters())
        data = {"digest": self.dataset.digest, "train_tokens": len(self.data)}
        self.state = TrainingState(self.config, optimizer, self.device, self.clock, data)
        self.update = TrainStep(self.strategy, optimizer, self.config)
        self._begin_together()

    @property
    def counters(self) -> Counters:
        """How far the run is: updates, batches, the best evaluation."""
        return self.state.counters

    @property
    def finished(self) -> bool:
        """Whether all updates are made: the steps of the recipe, or those that its minutes hold."""
        return self.state.budget.finished(self.counters.step)

    def train_step(self) -> StepResult:
        """Make the next update. Nothing waits for the device: its loss and gradient norm are still there."""
        c, budget, before = self.counters, self.state.budget, self.clock.seconds
        while c.position in c.skipped:
            c.position += 1
        it, total = budget.schedule_position(c.step + 1, before, self.clock.closing_seconds)
        if budget.seconds is not None:  # by the main process's clock
            it, total, budget.share = self.world.agree(it, total, budget.share)
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

        def noted(read: Callable[[], Batch]) -> Callable[[], Batch]:
            def read_it() -> Batch:
                self.world.tick(f"the begin of batch {position:,}")
                batch = read()
                first = self.counters.step == 0  # which may be compiled
                self.world.tick(f"the read of its part of batch {position:,}", slow=first)
                return batch

            return read_it

        with self.world.exchanges():
            return self.update([noted(read) for read in self.micro_batches(position)], it, total)

    @contextlib.contextmanager
    def reading(self) -> Iterator[TransformerLM]:
        """Give the model for forward passes alone; where weights are sharded, all processes make the same ones."""
        with self.world.exchanges(), self.strategy.reading():
            yield self.model

    def micro_batches(self, position: int) -> list[Callable[[], Batch]]:
        """Return this process's parts of batch `position`, for gradient accumulation; each is read when called."""
        count = self.config.training.gradient_accumulation
        size = self.config.training.batch_size // (count * self.world.size)

        def part(i: int) -> Callable[[], Batch]:
            return lambda: self.sampler.batch(position, self.device, slice(i * size, (i + 1) * size))

        return [part(self.world.rank * count + i) for i in range(count)]

    def check_divergence(self, weights: bool = False) -> Divergence | None:
        """Return what the guard has noticed, or None; this waits for the device.

        Args:
            weights: also check every weight, as before a save: one that no batch has used yet shows in no loss.
        """
        guard = self.state.guard
        divergence = guard.check()
        if divergence is None and weights and guard.section.action != "off":
            finite = torch.stack([torch.isfinite(to_local(p)).all() for p in self.model.parameters()])
            if self.world.total(not bool(finite.all()))[0]:
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
        """Return everything that the run continues from; where weights are sharded, this process's rows."""
        tensors, rest = flatten_optimizer(self.state.optimizer)
        return self.state.to_checkpoint(self.model.state_dict(), (tensors, rest))

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters by the names of a checkpoint: the model's, and numbers for the optimizer's state."""
        groups = self.state.optimizer.param_groups
        numbered = enumerate(p for group in groups for p in group["params"])
        return {**dict(self.model.named_parameters()), **{str(number): p for number, p in numbered}}

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put back what `to_checkpoint` returned. Raises CheckpointError as `TrainingState.restore`."""
        self.state.restore(checkpoint, self.model)
        self._begin_together()

    def _begin_together(self) -> None:
        with self.world.exchanges():
            self.strategy.synchronise()
        self.world.seed_dropout(self.config.training.seed, self.counters.step)
