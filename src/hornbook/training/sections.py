"""The sections of a recipe that belong to training: how it is run, optimised, measured, saved, guarded and logged.

[data] and [tokenizer] are described in data/sections.py, [model] in models/config.py; config.py puts them together. The
docstring under a field is its line in `hornbook train --help` and in docs/reference/config.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hornbook.config.bounds import MANY, Bound, check_bounds
from hornbook.errors import ConfigError
from hornbook.optim.registry import OptimizerName

_RATE = Bound(0, 1, "0.9 is usual", below=True)
_COUNT, _FROM_ONE = Bound(0, MANY), Bound(1, MANY)
OPTIMIZER_BOUNDS = {
    "lr": Bound(0, 1e6, "0.001 is usual"),
    "betas": _RATE,
    "eps": Bound(0, 1, "1e-8 is usual"),
    "weight_decay": Bound(0, 1e6, "0.1 is usual"),
    "muon_lr": Bound(0, 1e6, "0.02 is usual"),
    "momentum": _RATE,
    "momentum_warmup_steps": _COUNT,
}
SCHEDULE_BOUNDS = {"warmup_steps": _COUNT, "min_lr": Bound(0, 1e6, "a tenth of lr is usual"), "decay_steps": _COUNT}
TRAINING_BOUNDS = {
    "steps": _FROM_ONE,
    "batch_size": Bound(1, 2**31 - 1),
    "gradient_accumulation": Bound(1, 2**31 - 1),
    "clip_norm": Bound(0, 1e30, "1 is usual, 0 turns clipping off"),
    "seed": Bound(0, 2**63 - 1),
    "threads": Bound(1, 65_536, '"auto" takes all cores'),
    "max_minutes": Bound(0, 1e7, above=True),
}
EVALUATION_BOUNDS = {
    "every": _COUNT,
    "batch_size": Bound(0, 2**31 - 1),
    "context_length": Bound(1, 2**31 - 1),
    "share": Bound(0, 1e6, "0.1 is a tenth of the training", above=True),
    "max_tokens": _FROM_ONE,
    "sample_every": _COUNT,
    "sample_tokens": Bound(1, 2**31 - 1),
}
CHECKPOINT_BOUNDS = {"every": _COUNT, "keep_last": _FROM_ONE}
GUARD_BOUNDS = {
    "max_rewinds": _COUNT,
    "spike": Bound(0, 1e30, "10 is usual"),
    "warmup_steps": _COUNT,
    "check_every": _FROM_ONE,
}
LOGGING_BOUNDS = {"every": _FROM_ONE}


@dataclass(frozen=True, kw_only=True)
class RunSection:
    """The name of the run and what people say about it."""

    name: str = "run"
    """The run's folder is `runs/<name>`."""
    directory: str | None = None
    """A folder to use instead of `runs/<name>`."""
    tags: tuple[str, ...] = ()
    """Words to find the run by: `hornbook runs --tag …`."""
    note: str = ""
    """A sentence about why this run was made."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^\s/\\.][^/\\\x00-\x1f\x7f-\x9f\u2028\u2029]*", self.name):
            raise ConfigError(f"run.name = {self.name!r} cannot be a folder's name; use letters, digits and hyphens")

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return Path(self.directory) if self.directory else Path("runs") / self.name


@dataclass(frozen=True, kw_only=True)
class OptimizerSection:
    """How gradients become steps."""

    name: OptimizerName = "adamw"
    """"muon" trains the hidden matrices with Muon and everything else with AdamW."""
    lr: float = 1e-3
    """Peak learning rate (of AdamW's part under "muon")."""
    betas: tuple[float, float] = (0.9, 0.95)
    """β₁, β₂ of AdamW and Lion."""
    eps: float = 1e-8
    """AdamW's ε."""
    weight_decay: float = 0.1
    """Decoupled weight decay λ."""
    decay: Literal["all", "matrices"] = "all"
    """Which parameters decay: all of them, or all but norm gains and embeddings."""
    muon_lr: float = 0.02
    """Peak learning rate of Muon's part."""
    momentum: float = 0.95
    """Muon's momentum."""
    momentum_warmup_steps: int = 0
    """Muon: raise the momentum from 0.85 over so many updates."""
    normuon: bool = False
    """Muon: NorMuon's per-neuron second moment."""
    cautious: bool = False
    """Muon: decay only weights that the step shrinks."""

    def __post_init__(self) -> None:
        check_bounds("optimizer", self, OPTIMIZER_BOUNDS)


@dataclass(frozen=True, kw_only=True)
class ScheduleSection:
    """The learning rate over the run."""

    name: Literal["cosine", "linear", "wsd", "constant"] = "cosine"
    """Shape of the decline after the warm-up."""
    warmup_steps: int = 100
    """Updates of linear warm-up."""
    min_lr: float | None = None
    """Learning rate of the last update; None: a tenth of the peak."""
    decay_steps: int | None = None
    """"wsd": updates of the final decline; None: a fifth of the run."""

    def __post_init__(self) -> None:
        check_bounds("schedule", self, SCHEDULE_BOUNDS)


@dataclass(frozen=True, kw_only=True)
class TrainingSection:
    """How long, how much at a time, on what."""

    steps: int = 5000
    """Updates of the weights; not used where `max_minutes` is given."""
    batch_size: int = 32
    """Windows of `context_length` tokens in one update, over all processes."""
    gradient_accumulation: int = 1
    """Parts that a batch is computed in, to save memory; the result is the same."""
    clip_norm: float = 1.0
    """Largest l2 norm of the gradient; 0 turns clipping off."""
    seed: int = 0
    """Decides weights, data order and dropout."""
    device: str = "auto"
    """"cpu", "cuda", "cuda:1", "mps"; "auto": the fastest there is."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Type of the matrix products (weights stay float32); "auto": bfloat16 where a probe shows that it pays."""
    fused: bool = True
    """Use the fused implementations of the model's parts: the same function, computed in another order."""
    compile: bool | Literal["auto"] = "auto"
    """Compile the step; "auto": where the run is long enough to earn it back."""
    deterministic: bool = False
    """Only operations whose result does not vary from call to call; on CUDA bit-identical resume needs it."""
    threads: int | Literal["auto"] = "auto"
    """CPU threads of one process; "auto": what the process is allowed."""
    max_minutes: float | None = None
    """Wall-clock budget; the schedule then follows the clock and is fully decayed at its end."""
    activation_checkpointing: bool = False
    """Keep only each block's input and compute the rest again: less memory, about a third more time."""
    distributed: Literal["auto", "ddp", "fsdp"] = "auto"
    """Under torchrun: with "ddp" ("auto" takes it) every process holds a copy of the weights, with "fsdp" its rows."""

    def __post_init__(self) -> None:
        check_bounds("training", self, TRAINING_BOUNDS)
        if self.batch_size % self.gradient_accumulation:
            raise ConfigError(
                f"training.batch_size = {self.batch_size} does not divide into gradient_accumulation = "
                f"{self.gradient_accumulation} equal parts; choose a divisor of the batch size"
            )


@dataclass(frozen=True, kw_only=True)
class EvaluationSection:
    """When the model is measured on the validation set, and what it is asked to write."""

    every: int = 500
    """Steps between evaluations; 0: only at the end. The start and the end are always evaluated."""
    batch_size: int = 0
    """Windows per forward pass; 0: the training batch. It changes the time taken, not the result."""
    context_length: int | None = None
    """Window of the evaluation; None: the model's."""
    share: float = 0.1
    """All evaluations together cost at most this share of the training, by the accounts: each measures an even sample
    of the validation windows, the same for every run on this data; the last one measures all where that fits."""
    full: bool = False
    """Measure the whole validation set every time, whatever it costs."""
    max_tokens: int | None = None
    """Measure the first so many validation tokens every time, instead of a share."""
    prompt: str = ""
    """What samples continue; empty: they start a document."""
    sample_every: int = 500
    """Steps between samples; 0: none."""
    sample_tokens: int = 128
    """Length of a sample at most."""

    def __post_init__(self) -> None:
        check_bounds("evaluation", self, EVALUATION_BOUNDS)
        if self.full and self.max_tokens is not None:
            raise ConfigError(
                f"evaluation.full and evaluation.max_tokens = {self.max_tokens} contradict each other; leave one out "
                "(--evaluation.full false, or --evaluation.max-tokens none)"
            )


@dataclass(frozen=True, kw_only=True)
class CheckpointSection:
    """When the state is saved, and how much of the past is kept."""

    every: int = 500
    """Steps between checkpoints; 0: only at the end, on signals, and at the best evaluation."""
    keep_last: int = 2
    """Checkpoints that stay; the best one stays besides."""
    background: bool = True
    """Write in a thread from a copy in memory, so that training waits only for the copy."""

    def __post_init__(self) -> None:
        check_bounds("checkpoint", self, CHECKPOINT_BOUNDS)


@dataclass(frozen=True, kw_only=True)
class GuardSection:
    """What happens when training diverges: a loss or gradient that is not finite, or a spike of the loss."""

    action: Literal["stop", "rewind", "off"] = "stop"
    """"stop": record the run as diverged; "rewind": back to the last good checkpoint, without the offending batch."""
    max_rewinds: int = 3
    """Rewinds in one run before it stops after all."""
    spike: float = 10.0
    """A loss so many standard deviations above its recent mean is a spike, and so, from the first update on, is one of
    ten times ln(vocabulary), or of ten times the first loss where that is higher; 0: only non-finite values count."""
    warmup_steps: int = 100
    """Updates before losses are compared with their recent mean."""
    check_every: int = 20
    """Updates between checks of the guard (it is kept on the device; a check waits for the device)."""

    def __post_init__(self) -> None:
        check_bounds("guard", self, GUARD_BOUNDS)


@dataclass(frozen=True, kw_only=True)
class LoggingSection:
    """What is recorded, and where else it goes."""

    every: int = 10
    """Steps between records in metrics.jsonl."""
    norms: bool = False
    """Also record the norms of weights, gradients and activations of every layer (norms.jsonl)."""
    sinks: tuple[Literal["wandb", "tensorboard", "trackio"], ...] = ()
    """Other places for the records; none of them can stop or slow a run."""
    profile: bool = False
    """Trace a few steps: `profile/trace.json` and the ten most expensive operations."""

    def __post_init__(self) -> None:
        check_bounds("logging", self, LOGGING_BOUNDS)
