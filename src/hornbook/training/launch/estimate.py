"""What is about to happen, printed before the first step and kept with the run as `plan.json`: size, amount of data,
expected time."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from hornbook.accounting.flops import training_flops_per_token
from hornbook.fileio import atomic_write, canonical_json, read_json_object
from hornbook.format import counted, duration, quantity
from hornbook.tracking.console import Console
from hornbook.training.evaluator import EvaluationSizes, Evaluator, evaluation_times
from hornbook.training.launch.device import measure_step, peak_flops, timed
from hornbook.training.trainer import Trainer

FILE = "plan.json"


@dataclass(frozen=True)
class Estimate:
    """What is about to happen."""

    parameters: int
    """Numbers that are trained."""
    train_tokens: int
    """Tokens of the training set."""
    validation_tokens: int
    """Tokens of the validation set."""
    tokens_per_step: int
    """Tokens of one update."""
    steps: int | None
    """Updates; None under a time budget."""
    epochs: float | list[float] | None
    """How many times the tokens of the training set, or of each source of a mixture, are seen."""
    seconds_per_step: float
    """From a probe of whole updates."""
    expected_seconds: float
    """Of all steps, evaluations and samples (checkpoints come on top), or the time budget."""
    flops_per_token: int
    """Matrix products of training, per token."""
    peak_flops: float
    """Measured rate of a large matrix product in the run's dtype, FLOP/s."""
    device: str
    """Where."""
    dtype: str
    """Of the matrix products."""
    threads: int
    """CPU threads."""
    memory_bytes: int | None = None
    """Peak memory that the accounting expects; None where the device does not say what it has."""
    aside_seconds: float = 0.0
    """Of the evaluations and samples, from a probe of one forward pass and one sample."""
    evaluation: EvaluationSizes | None = None
    """How much the evaluations measure; None in plans of earlier versions."""
    compile_seconds: float | None = None
    """What compiling took this time, before the run's clock started; None where nothing is compiled."""

    def lines(self) -> list[str]:
        """Return the estimate for people."""
        reading = f"{quantity(self.train_tokens)} tokens to train on, {quantity(self.validation_tokens)} to validate on"
        rate = self.tokens_per_step / self.seconds_per_step if self.seconds_per_step else 0.0
        if self.steps is None:
            amount = f"as many steps of {self.tokens_per_step:,} tokens as fit into {duration(self.expected_seconds)}"
        else:
            seen = "" if self.epochs is None else f" ({_times(self.epochs)})"
            total = quantity(self.steps * self.tokens_per_step)
            amount = f"{counted(self.steps, 'step')} of {self.tokens_per_step:,} tokens = {total} tokens{seen}"
        compiled = "not compiled"
        if self.compile_seconds is not None:
            compiled = f"compiled in {duration(self.compile_seconds)} (which no time of the run counts)"
        how = f"{self.device}, {self.dtype}, {compiled}, {counted(self.threads, 'thread')}"
        aside = ""
        if self.aside_seconds and self.steps:
            aside = f" ({duration(self.aside_seconds)} of it for evaluations and samples)"
        memory = (
            "" if self.memory_bytes is None else f", about {quantity(self.memory_bytes, 'B')} of memory at the peak"
        )
        return [
            f"model: {quantity(self.parameters)} parameters{memory} · data: {reading}",
            f"plan: {amount}",
            *([self.evaluation.line()] if self.evaluation else []),
            f"expected: {duration(self.expected_seconds)}{aside} at {quantity(rate)} tokens/s on {how}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain values, with a version."""
        return {"version": 1} | asdict(self)

    def save(self, folder: Path) -> None:
        """Keep the estimate with its run. Raises OSError."""
        atomic_write(folder / FILE, canonical_json(self.to_dict()))

    @classmethod
    def load(cls, folder: Path) -> Estimate | None:
        """Return the estimate kept with a run, or None where there is none that can be read."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            values = read_json_object(folder / FILE)
            if values["version"] == 1:
                return cls.from_dict(values)
        return None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Estimate:
        """Return the estimate that `to_dict` gave. Raises TypeError for anything else."""
        plain: dict[str, Any] = {key: value for key, value in values.items() if key != "version"}
        if plain.get("evaluation") is not None:
            plain["evaluation"] = EvaluationSizes(**plain["evaluation"])
        return cls(**plain)


def estimate_run(
    trainer: Trainer, evaluator: Evaluator, folder: Path, *, memory_bytes: int | None, console: Console
) -> Estimate:
    """Return the estimate kept with a run, or a new one from a measured step, which is then kept.

    A compiled step is compiled here, before the run's clock starts, by a first update. Leaves the random states as they
    were; weights and optimizer are to be set up anew after it. All processes measure together, and have the main
    process's estimate.
    """
    world = trainer.world
    known = world.share(lambda: (kept := _kept(trainer, folder)) and kept.to_dict())
    estimate = _measured(trainer, evaluator, known and Estimate.from_dict(known), memory_bytes, console)
    if known is None and world.is_main:
        estimate.save(folder)
    return Estimate.from_dict(world.share(estimate.to_dict))


def _measured(
    trainer: Trainer, evaluator: Evaluator, kept: Estimate | None, memory_bytes: int | None, console: Console
) -> Estimate:
    c, world = trainer.config, trainer.world
    compiles = c.training.compile is True
    if kept is not None and not compiles:
        return dataclasses.replace(kept, compile_seconds=None)  # it may have been, before this resume
    with console.stage("compiling the step" if compiles else "measuring a step"), torch.random.fork_rng(devices=[]):
        if kept is not None:
            first, seconds = timed(lambda: _update(trainer), trainer.device), kept.seconds_per_step
        else:
            calls = None if world.size == 1 else 3
            first, seconds = measure_step(lambda: _update(trainer), trainer.device, compiles=compiles, calls=calls)
        trainer.state.optimizer.zero_grad(set_to_none=True)
        compile_seconds = max(0.0, first - seconds) if compiles else None
        if kept is not None:
            return dataclasses.replace(kept, compile_seconds=compile_seconds)
        peak = world.size * peak_flops(trainer.device, c.training.dtype) if world.is_main else 1.0
    steps = None if c.training.max_minutes is not None else c.training.steps
    budget = 60.0 * (c.training.max_minutes or 0.0)
    sizes = evaluator.plan(steps or max(1, int(budget / seconds)))
    with console.stage("measuring an evaluation"):
        aside = _aside_seconds(trainer, evaluator, sizes, steps or max(1, int(budget / seconds)))
    return Estimate(
        parameters=sum(p.numel() for p in trainer.model.parameters()),
        train_tokens=len(trainer.data),
        validation_tokens=len(evaluator.data),
        tokens_per_step=c.tokens_per_step,
        steps=steps,
        epochs=None if steps is None else _epochs(trainer, steps),
        seconds_per_step=seconds,
        expected_seconds=budget if steps is None else steps * seconds + aside,
        aside_seconds=aside,
        flops_per_token=training_flops_per_token(c.model),
        peak_flops=peak,
        device=c.training.device,
        dtype=c.training.dtype,
        threads=torch.get_num_threads(),
        memory_bytes=memory_bytes,
        evaluation=sizes,
        compile_seconds=compile_seconds,
    )


def _kept(trainer: Trainer, folder: Path) -> Estimate | None:
    """Return the estimate kept with a run, for the plan that it has now; evaluations stay the size that they had."""
    kept, t, section = Estimate.load(folder), trainer.config.training, trainer.config.evaluation
    if kept is None or kept.steps is None:
        return kept and dataclasses.replace(kept, expected_seconds=60.0 * (t.max_minutes or 0.0))
    if kept.steps == t.steps:
        return kept
    sizes, aside = kept.evaluation, kept.aside_seconds * t.steps / kept.steps
    kept = dataclasses.replace(
        kept,
        steps=t.steps,
        epochs=_epochs(trainer, t.steps),
        aside_seconds=aside,
        expected_seconds=t.steps * kept.seconds_per_step + aside,
        evaluation=sizes and dataclasses.replace(sizes, times=evaluation_times(section.every, t.steps)),
    )
    kept.save(folder)
    return kept


def _epochs(trainer: Trainer, steps: int) -> float | list[float]:
    epochs = trainer.sampler.epochs(steps)
    return epochs[0] if len(epochs) == 1 else epochs


def _aside_seconds(trainer: Trainer, evaluator: Evaluator, sizes: EvaluationSizes, steps: int) -> float:
    """Return the seconds that the evaluations and samples of a run of `steps` updates will take."""
    device, every = trainer.device, trainer.config.evaluation.sample_every
    sharded = trainer.strategy.sharded
    with trainer.reading() as model:
        timed(lambda: evaluator.measure_some(model), device)  # the first one is slow
        tokens = evaluator.measure_some(model)
        seconds = sizes.total / tokens * min(timed(lambda: evaluator.measure_some(model), device) for _ in range(3))
        if every and evaluator.tokenizer is not None and (sharded or trainer.world.is_main):
            tokenizer = evaluator.tokenizer
            sample = timed(lambda: evaluator.sample(model, tokenizer, cache=not sharded), device)
            seconds += -(-steps // every) * sample
    return seconds


def _update(trainer: Trainer) -> None:
    trainer.update_at(0, 1, max(1, trainer.config.training.steps))


def _times(epochs: float | list[float]) -> str:
    if isinstance(epochs, list):
        return f"the sources {', '.join(f'{times:.2g}' for times in epochs)} times"
    return f"the training set {epochs:.2g} times"
