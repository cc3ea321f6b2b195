"""Memory of a training step by two models, named: the textbook's, and the measured one of this engine.

The textbook's (textbook.py) is pencil and paper. The measured one starts from what this engine's own operators keep
for the backward pass (each part says it, nn/specs.py; compared with what autograd saves, byte for byte, fused and
on a CPU, in tests/unit/test_accounting_memory.py) and adds what was measured around them: the process itself, the
loss's workspace, the copy that a background checkpoint is written from. How near it comes to the peak resident memory
of real trainings: docs/accounting.md (benchmarks/check_accounting.py).

The peak is reached at one of two moments: when the loss is done and everything kept is still there, or at the optimizer
step, when only parameters, gradients and moments are. In between one falls as the other rises.
Left out: fragmentation by other processes, memory that other libraries hold, swap.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from hornbook.accounting.formulas import Term, numbers_of, summed, term, total
from hornbook.accounting.optimizer import optimizer_state
from hornbook.accounting.parameters import BYTES, FLOAT32, count_parameters
from hornbook.accounting.textbook import TextbookMemory, textbook_memory
from hornbook.errors import ConfigError
from hornbook.models.config import ModelConfig
from hornbook.nn.spec import Execution
from hornbook.nn.specs import loss_chunk_elements

PROCESS_BYTES = 350_000_000
"""Resident memory of Python, torch and hornbook around a training of next to nothing."""
HEAP_SLACK = 1.18
"""The C library's heap keeps holes between what is alive: resident bytes per live byte, fitted (docs/accounting.md)."""
HEAP_GRADIENTS = 0.7
"""Share of the gradients that does not fit into what the backward pass gives back to the heap, fitted likewise."""


@dataclass(frozen=True, kw_only=True)
class StepSettings(Execution):
    """How a training step is computed, as far as that decides what memory it takes."""

    optimizer: str = "adamw"
    """A name of optim/registry.py."""
    gradient_accumulation: int = 1
    """Parts that a step's batch is computed in."""
    activation_checkpointing: bool = False
    """Only each layer's input is kept, one layer at a time is recomputed."""
    background_checkpoint: bool = False
    """Checkpoints are written from a copy while training goes on."""
    process: int = PROCESS_BYTES
    """Resident memory of the process before the model; 0 for an accelerator."""


@dataclass(frozen=True, kw_only=True)
class EngineMemory:
    """Bytes of a training step of this engine, part by part."""

    settings: StepSettings
    """How the step is computed."""
    numbers: dict[str, int]
    """The values of the formulas' names."""
    parameters: int
    """Weights, float32."""
    gradients: int
    """One per weight."""
    optimizer_state: int
    """What it keeps between updates, float32."""
    activation_terms: list[Term]
    """What is kept for the backward pass, in bytes."""
    workspace: int
    """The largest temporary: a chunk of logits, or the gradients inside one layer."""

    @property
    def activations(self) -> int:
        """Bytes kept for the backward pass, all parts of the model together."""
        return total(self.activation_terms)

    @property
    def checkpoint_copy(self) -> int:
        """The copy of weights and optimizer state that a background checkpoint is written from."""
        return self.parameters + self.optimizer_state if self.settings.background_checkpoint else 0

    @property
    def peak(self) -> int:
        """Peak resident memory in bytes: the process and the weights, and the larger of backward pass and update."""
        how = self.settings
        standing = how.process + self.parameters + self.optimizer_state + self.checkpoint_copy
        kept, gradients = self.activations + self.workspace, 0
        # The C library's heap (on a CPU) cannot give back every hole at once; recomputing runs have it give freed
        # blocks back (training/launch/memory_check.py).
        if how.own_kernels and not how.activation_checkpointing:
            kept, gradients = round(HEAP_SLACK * kept), round(HEAP_GRADIENTS * self.gradients)
        if how.gradient_accumulation > 1:
            gradients += self.gradients  # those of the earlier parts, beside the ones being made
        return standing + max(kept + gradients, self.gradients)

    def by_kind(self) -> dict[str, int]:
        """Return the kept bytes by kind of layer."""
        kinds: dict[str, int] = {}
        for t in self.activation_terms:
            kinds[t.group] = kinds.get(t.group, 0) + t.value
        return kinds


def saved_activations(config: ModelConfig, batch_size: int, how: Execution) -> list[Term]:
    """Return what the forward pass of `batch_size` sequences at once keeps for the backward pass, in bytes."""
    # Fused norms after the sum pass the type of the products on, and our kernels read it as it is; otherwise a norm's
    # input is float32.
    layers = dataclasses.replace(how, narrow_stream=config.norm == "post" and how.fused_layers and how.own_kernels)
    numbers = numbers_of(config, batch_size) | {"e": BYTES[how.dtype]}
    return summed(config, numbers, lambda spec, in_layers: spec.saved_activations(layers if in_layers else how))


def engine_memory(config: ModelConfig, batch_size: int, how: StepSettings) -> EngineMemory:
    """Return what a training step takes. Raises ConfigError: an unknown dtype or optimizer."""
    if how.dtype not in ("float32", "bfloat16"):
        raise ConfigError(f"dtype = {how.dtype!r} is not one the engine trains in; choose float32 or bfloat16")
    part = -(-batch_size // how.gradient_accumulation)
    parameters = count_parameters(config).total
    n = numbers_of(config, part) | {"e": BYTES[how.dtype], "N": parameters}
    terms = saved_activations(config, part, how)
    layer = n["B"] * n["T"] * (2 * n["C"] * FLOAT32 + 3 * n["F"] * n["e"])
    if how.activation_checkpointing:
        # A layer that is recomputed stands beside what its gradient needs, not beside the loss.
        layer += sum(t.value for t in terms if t.in_layers) // config.num_layers
        terms = [t for t in terms if not t.in_layers]
        terms.append(term("layer inputs", "residual stream", "L·B·T·C·4", n))
    return EngineMemory(
        settings=how,
        numbers=n,
        parameters=FLOAT32 * parameters,
        gradients=FLOAT32 * parameters,
        optimizer_state=FLOAT32 * optimizer_state(config, how.optimizer).value,
        activation_terms=terms,
        workspace=max(_loss_workspace(n, how), layer),
    )


def _loss_workspace(n: dict[str, int], how: Execution) -> int:
    """Return the bytes of the loss's temporaries."""
    logits = n["B"] * n["T"] * n["V"]
    if not how.chunked_loss:
        return 3 * logits * FLOAT32
    # A chunk of logits; in half precision also the output table in it and a second chunk's part of its gradient.
    # Without our kernels the chunk is there four times over at most: in float32, as probabilities, and narrow again.
    most = loss_chunk_elements("cpu" if how.own_kernels else "accelerator")
    tables = how.mixed * (1 + (logits > most))
    each = n["e"] if how.own_kernels else 2 * n["e"] + FLOAT32 * (1 + how.mixed)
    return min(logits, most) * each + tables * n["V"] * n["C"] * n["e"]


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Memory of a training step, by both models."""

    config: ModelConfig
    """The model."""
    settings: StepSettings = field(default_factory=StepSettings)
    """How the step is computed, for the measured model."""

    @property
    def textbook(self) -> TextbookMemory:
        """The handout's list in float32, a · batch + b."""
        return textbook_memory(self.config)

    def measured(self, batch_size: int, **changes: Any) -> EngineMemory:
        """Return the measured model's account of a batch of `batch_size`, with other settings where some are given."""
        return engine_memory(self.config, batch_size, dataclasses.replace(self.settings, **changes))

    def largest_batch(self, memory_bytes: int, **changes: Any) -> int:
        """Return the largest batch whose peak fits into `memory_bytes`; 0 if not even one sequence does."""
        if self.measured(1, **changes).peak > memory_bytes:
            return 0
        low, high = 1, 2
        while self.measured(high, **changes).peak <= memory_bytes:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.measured(middle, **changes).peak <= memory_bytes else (low, middle)
        return low

    def to_dict(self, batch_size: int, memory_bytes: int) -> dict[str, Any]:
        """Return it as plain values, for a batch and for a device's memory."""
        book, engine = self.textbook, self.measured(batch_size)
        return {
            "device_memory_bytes": memory_bytes,
            "textbook": {
                "bytes_per_sequence": book.per_sequence,
                "fixed_bytes": book.fixed,
                "peak_bytes": book.peak(batch_size),
                "largest_batch": book.largest_batch(memory_bytes),
                "parameters": book.parameters.total,
                "elements_per_sequence": {t.name: t.value for t in book.activation_terms},
                "elements_per_sequence_total": total(book.activation_terms),
            },
            "measured": {
                "peak_bytes": engine.peak,
                "process": engine.settings.process,
                "parameters": engine.parameters,
                "gradients": engine.gradients,
                "optimizer_state": engine.optimizer_state,
                "checkpoint_copy": engine.checkpoint_copy,
                "saved_activations": engine.by_kind(),
                "workspace": engine.workspace,
                "largest_batch": self.largest_batch(memory_bytes),
            },
        }
