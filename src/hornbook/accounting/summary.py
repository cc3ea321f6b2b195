"""`hb.account`: everything that can be said about a model's cost before it is trained, in one object."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.accounting.cost_spec import CostSpec, load_spec
from hornbook.accounting.flops import Flops, count_flops
from hornbook.accounting.formulas import Term
from hornbook.accounting.memory import Memory, StepSettings
from hornbook.accounting.parameters import Parameters, count_parameters
from hornbook.accounting.training_time import Device, Time, device_named, training_time
from hornbook.errors import ConfigError
from hornbook.models.config import ModelConfig

HANDOUT_STEPS = 400_000


@dataclass(frozen=True, kw_only=True)
class Account:
    """The cost of a model and of its training."""

    spec: CostSpec
    """The model and its training, with what was asked about in place of the recipe's."""
    device: Device
    """The device by whose data sheet time and the largest batch are computed."""
    mfu: float
    """The share of its peak that is assumed."""
    parameters: Parameters
    """Exact counts by component."""
    flops: Flops
    """Exact counts by component, of one batch."""
    memory: Memory
    """The textbook's and the measured model."""
    time: Time
    """Of `steps` steps on the device, and on this machine where a probe's rate was given."""

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values; counts are exact integers."""
        spec, flops, time = self.spec, self.flops, self.time
        return {
            "name": spec.name,
            "model": dataclasses.asdict(spec.model),
            "batch_size": spec.batch_size,
            "dtype": spec.dtype,
            "device": self.device.name,
            "mfu": self.mfu,
            "parameters": {
                "total": self.parameters.total,
                "non_embedding": self.parameters.non_embedding,
                "bytes": self.parameters.bytes("float32"),
                "components": _values(self.parameters.terms),
            },
            "flops": {
                "forward": {
                    "matmul": flops.forward("matmul"),
                    "elementwise": flops.forward("elementwise"),
                    "components": _values(flops.forward_terms),
                    "elementwise_components": _values(flops.elementwise_terms),
                    "share": {t.name: t.value / flops.forward() for t in flops.forward_terms},
                },
                "training_step": {
                    "matmul": flops.training_step("matmul"),
                    "elementwise": flops.training_step("elementwise"),
                },
                "training_per_token": flops.training_per_token,
                "optimizer_step": flops.optimizer_term.value,
            },
            "memory": self.memory.to_dict(spec.batch_size, self.device.memory_bytes),
            "time": {
                "steps": time.steps,
                "tokens": time.tokens,
                "flops_per_second": time.rate,
                "days": time.days,
                "days_6nd": time.days_6nd,
                "matmul_flops": time.matmul_flops,
                "six_nd_flops": time.six_nd_flops,
                "tokens_per_second_measured": time.tokens_per_second,
                "seconds_measured": time.measured_seconds,
            },
        }


def account(
    config: ModelConfig | CostSpec | str | Path,
    *,
    batch_size: int | None = None,
    context_length: int | None = None,
    dtype: str | None = None,
    device: str = "a100",
    steps: int | None = None,
    mfu: float = 0.5,
    optimizer: str | None = None,
    tokens_per_second: float | None = None,
) -> Account:
    """Return what a model and its training cost.

    Args:
        config: a `ModelConfig`, the name of a preset such as "gpt2-xl", or the path of a recipe.
        batch_size: sequences in a step; None takes the recipe's, or 1.
        context_length: tokens in a sequence; None takes the model's own. A longer one asks about a longer model.
        dtype: "float32", or "bfloat16" for mixed precision (float32 weights); None takes the recipe's, or float32.
        device: a name of `hornbook.accounting.training_time.DEVICES`.
        steps: optimizer steps; None takes the recipe's, or the handout's 400,000.
        mfu: the share of the device's peak that is sustained.
        optimizer: a name of optim/registry.py; None takes the recipe's, or adamw.
        tokens_per_second: what a probe measured on this machine.

    Raises:
        ConfigError: a name or number that cannot be used.

    Example:
        >>> hb.account("gpt2-xl", batch_size=1024).time.days_6nd
        6354.40...
    """
    spec = _spec_of(config, context_length, {"batch_size": batch_size, "dtype": dtype, "optimizer": optimizer})
    where = device_named(device)
    usable = [name for name in where.peak if name in ("float32", "bfloat16")]
    if spec.dtype not in usable:
        raise ConfigError(f"dtype = {spec.dtype!r} has no known peak on {device}; choose {' or '.join(usable)}")
    checkpointing = spec.activation_checkpointing
    how = StepSettings(
        optimizer=spec.optimizer,
        dtype=spec.dtype,
        gradient_accumulation=spec.gradient_accumulation,
        activation_checkpointing=checkpointing,
        document_mask=spec.document_mask,
    )
    flops = count_flops(spec.model, spec.batch_size, optimizer=spec.optimizer, activation_checkpointing=checkpointing)
    parameters = count_parameters(spec.model)
    time = training_time(
        flops,
        parameters.total,
        steps=steps or spec.steps or HANDOUT_STEPS,
        peak=where.peak[spec.dtype],
        mfu=mfu,
        tokens_per_second=tokens_per_second,
    )
    memory = Memory(config=spec.model, settings=how)
    return Account(spec=spec, device=where, mfu=mfu, parameters=parameters, flops=flops, memory=memory, time=time)


def _spec_of(
    config: ModelConfig | CostSpec | str | Path, context_length: int | None, given: dict[str, Any]
) -> CostSpec:
    """Return what is asked about: the recipe's values, or those given in place of them."""
    if isinstance(config, ModelConfig):
        spec = CostSpec(name="model", model=config)
    else:
        spec = config if isinstance(config, CostSpec) else load_spec(config)
    spec = dataclasses.replace(spec, **{key: value for key, value in given.items() if value is not None})
    if context_length is not None:
        spec = dataclasses.replace(spec, model=dataclasses.replace(spec.model, context_length=context_length))
    if spec.batch_size < 1:
        raise ConfigError(f"batch_size = {spec.batch_size} must be at least 1")
    return spec


def _values(terms: list[Term]) -> dict[str, int]:
    return {t.name: t.value for t in terms}
