"""What a run measures between updates: the validation loss, and a sample of what the model writes.

Both read the model and leave it as it was; the loop (loop.py) says when, and what becomes of the results. How much an
evaluation measures is decided once, from counts and never from a clock, so that a resumed run measures the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from hornbook.data.prepare import Dataset
from hornbook.data.token_data import TokenData
from hornbook.evaluation.loss import Evaluation, evaluate
from hornbook.generation.decode import generate
from hornbook.models.transformer import TransformerLM
from hornbook.training.config import TrainConfig
from hornbook.training.distributed.world import World

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer


TEMPERATURE, TOP_P = 0.8, 0.95
FORWARD_COST = {("cpu", "float32"): 0.45, ("cpu", "bfloat16"): 1.05, ("cuda", "bfloat16"): 2.0}
"""What a token of an evaluation costs, as a share of one in training, by device and dtype of the training: the forward
pass is a third of the products, but in float32. On a CPU the highest of five shapes measured (docs/log.md); on a GPU a
third of the ratio of the rates in the data sheets."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSizes:
    """How many validation tokens the evaluations of a run predict."""

    each: int
    """At the start and in between."""
    end: int
    """At the end."""
    times: int
    """Evaluations in the whole run, the last one included."""
    whole: int
    """Those of the whole set."""

    @property
    def total(self) -> int:
        """Tokens that all evaluations of the run predict together."""
        return self.each * (self.times - 1) + self.end

    def line(self) -> str:
        """Return the sizes for people."""
        if self.each == self.whole:
            return f"evaluation: all {self.whole:,} validation tokens, {self.times} times"
        end = "all of them at the end" if self.end == self.whole else "no more at the end"
        return (
            f"evaluation: {self.each:,} of the {self.whole:,} validation tokens each time, {self.times} times, {end} "
            "(--evaluation.full: all of them every time)"
        )


def plan_evaluations(config: TrainConfig, steps: int, targets: int) -> EvaluationSizes:
    """Return how much each evaluation measures.

    Args:
        config: the recipe, every "auto" resolved.
        steps: updates of the run, or what a time budget is expected to hold.
        targets: tokens of the validation set that can be predicted.
    """
    section, training = config.evaluation, config.training
    times = evaluation_times(section.every, steps)
    if section.full or section.max_tokens is not None:
        size = min(targets, section.max_tokens or targets)
        return EvaluationSizes(each=size, end=size, times=times, whole=targets)
    cost = FORWARD_COST.get((training.device.partition(":")[0], training.dtype), FORWARD_COST["cpu", "float32"])
    affordable = section.share * steps * config.tokens_per_step / cost
    if times * targets <= affordable:
        return EvaluationSizes(each=targets, end=targets, times=times, whole=targets)
    # The last one is the run's result: it is whole where that leaves at least as much for all others.
    end = targets if targets <= affordable / 2 else affordable / times
    T = section.context_length or config.model.context_length
    # At least one forward pass: less says nothing.
    windows = max(evaluation_batch(config), int((affordable - end) / (times - 1)) // T)
    each = min(targets, windows * T)
    return EvaluationSizes(each=each, end=targets if end == targets else each, times=times, whole=targets)


def evaluation_times(every: int, steps: int) -> int:
    """Return how many evaluations a run of `steps` updates makes: at its start, at its end and between."""
    return 2 + ((steps - 1) // every if every else 0)


def evaluation_batch(config: TrainConfig) -> int:
    """Return the windows of one forward pass of an evaluation."""
    return config.evaluation.batch_size or max(1, config.training.batch_size // config.training.gradient_accumulation)


class Evaluator:
    """Measures the model of one run.

    Args:
        config: the recipe.
        dataset: its data.
        world: the processes that evaluate together.
    """

    def __init__(self, config: TrainConfig, dataset: Dataset, world: World | None = None):
        self.config, self.world = config, world or World()
        self.tokenizer: Tokenizer | None = dataset.tokenizer
        self.data = TokenData.open(dataset.validation, config.model.vocab_size, verify=config.data.verify)

    def plan(self, steps: int) -> EvaluationSizes:
        """Return the sizes for a run of `steps` updates (`plan_evaluations`)."""
        return plan_evaluations(self.config, steps, self.data.num_targets)

    def evaluate(
        self,
        model: TransformerLM,
        sizes: EvaluationSizes,
        progress: Callable[[int, int], None],
        stop: Callable[[], bool],
        *,
        end: bool = False,
    ) -> Evaluation:
        """Return the model's loss on the validation set, or on a sample of it.

        Args:
            model: the whole model.
            sizes: how much is measured.
            progress: is called with the tokens done so far, and how many there will be.
            stop: is asked between batches.
            end: this is the last evaluation of the run.

        Raises:
            Interrupted: `stop` said so.
        """
        section = self.config.evaluation
        T = section.context_length or model.config.context_length
        sampled = section.max_tokens is None and sizes.each < self.data.num_targets
        return evaluate(
            model,
            self.data,
            evaluation_batch(self.config),
            T,
            max_tokens=section.max_tokens,
            sample=max(1, sizes.each // T) if sampled else None,
            and_rest=end and sizes.end > sizes.each,
            progress=lambda done: progress(done, sizes.end if end else sizes.each),
            stop=stop,
            processes=self.world,
        )

    def measure_some(self, model: TransformerLM) -> int:
        """Make one forward pass of an evaluation in each process, for its time; return the tokens that they predict."""
        section, batch = self.config.evaluation, evaluation_batch(self.config)
        windows = batch * self.world.size
        return evaluate(
            model, self.data, batch, section.context_length, sample=windows, processes=self.world
        ).num_tokens

    def sample(self, model: TransformerLM, tokenizer: Tokenizer, *, cache: bool = True) -> str | None:
        """Return what the model writes after the prompt, or from the start of a document; None without either."""
        section, separator = self.config.evaluation, self.config.tokenizer.separator
        end = tokenizer.special_token_ids.get(separator) if separator else None
        ids = tokenizer.encode(section.prompt) if section.prompt else ([end] if end is not None else [])
        if not ids:
            return None
        generator = torch.Generator().manual_seed(self.config.training.seed)
        new = generate(
            model, ids, section.sample_tokens, temperature=TEMPERATURE, top_p=TOP_P, stop_token=end,
            generator=generator, overflow="slide", cache=cache,
        )  # fmt: skip
        return tokenizer.decode(new.tolist())
