"""Memory of a training step by two models, named: the textbook's, and the measured one of this engine.

The textbook's (textbook.py) is pencil and paper. The measured one starts from what this engine's own operators keep
for the backward pass (activations.py, compared with what autograd saves) and adds what was measured around them: the
process itself, the loss's workspace, the copy that a background checkpoint is written from. How near it comes to the
peak resident memory of real trainings: docs/accounting.md (benchmarks/check_accounting.py).

The peak is reached at one of two moments: when the loss is done and everything kept is still there, or at the optimizer
step, when only parameters, gradients and moments are. In between one falls as the other rises.
Left out: fragmentation by other processes, memory that other libraries hold, swap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hornbook.accounting.activations import saved_activations
from hornbook.accounting.formulas import Term, numbers_of, term, total
from hornbook.accounting.optimizer import optimizer_state
from hornbook.accounting.parameters import BYTES, count_parameters
from hornbook.accounting.textbook import TextbookMemory, textbook_memory
from hornbook.errors import ConfigError
from hornbook.models.config import ModelConfig
from hornbook.nn.specs import loss_chunk_elements

FLOAT32 = 4
PROCESS_BYTES = 350_000_000
"""Resident memory of Python, torch and hornbook around a training of next to nothing."""
HEAP_SLACK = 1.18
"""The C library's heap keeps holes between what is alive: resident bytes per live byte, fitted (docs/accounting.md)."""
HEAP_GRADIENTS = 0.7
"""Share of the gradients that does not fit into what the backward pass gives back to the heap, fitted likewise."""


@dataclass(frozen=True, kw_only=True)
class EngineMemory:
    """Bytes of a training step of this engine, part by part."""

    numbers: dict[str, int]
    """The values of the formulas' names."""
    parameters: int
    """Weights, float32."""
    gradients: int
    """One per weight."""
    optimizer_state: int
    """What it keeps between updates, float32."""
    checkpoint_copy: int
    """The copy of weights and optimizer state that a background checkpoint is written from."""
    activation_terms: list[Term] = field(default_factory=list)
    """What is kept for the backward pass, in bytes."""
    workspace: int
    """The largest temporary: a chunk of logits, or the gradients inside one layer."""
    accumulates: bool
    """Gradients of earlier parts of the batch are there while a part is computed."""
    process: int = 0
    """Resident memory of the process itself."""
    heap: bool = False
    """Memory comes from the C library's heap (a CPU), which cannot give back every hole at once."""

    @property
    def activations(self) -> int:
        """Everything kept for the backward pass."""
        return total(self.activation_terms)

    @property
    def peak(self) -> int:
        """Peak resident memory."""
        standing = self.process + self.parameters + self.optimizer_state + self.checkpoint_copy
        kept, gradients = self.activations + self.workspace, 0
        if self.heap:
            kept, gradients = round(HEAP_SLACK * kept), round(HEAP_GRADIENTS * self.gradients)
        if self.accumulates:
            gradients += self.gradients  # those of the earlier parts, beside the ones being made
        return standing + max(kept + gradients, self.gradients)

    def by_kind(self) -> dict[str, int]:
        """Return the kept bytes by kind of layer."""
        kinds: dict[str, int] = {}
        for t in self.activation_terms:
            kinds[t.group] = kinds.get(t.group, 0) + t.value
        return kinds


def engine_memory(
    config: ModelConfig,
    batch_size: int = 1,
    context_length: int | None = None,
    *,
    dtype: str = "float32",
    optimizer: str = "adamw",
    gradient_accumulation: int = 1,
    activation_checkpointing: bool = False,
    fused_attention: bool = True,
    chunked_loss: bool = True,
    background_checkpoint: bool = False,
    own_kernels: bool = True,
    process: int = PROCESS_BYTES,
) -> EngineMemory:
    """Return what a training step of this engine takes.

    Args:
        config: the model.
        batch_size: sequences in a step.
        context_length: tokens in each; None takes the model's own.
        dtype: "float32", or "bfloat16" for mixed precision (float32 weights).
        optimizer: a name of optim/registry.py.
        gradient_accumulation: parts that a step's batch is computed in.
        activation_checkpointing: only each layer's input is kept, one layer at a time is recomputed.
        fused_attention: the fused implementation, which never holds the scores.
        chunked_loss: the fused implementation, which never holds all logits.
        background_checkpoint: checkpoints are written from a copy while training goes on.
        own_kernels: as `saved_activations`; False for an accelerator.
        process: resident memory of the process before the model; 0 for an accelerator.

    Raises:
        ConfigError: an unknown dtype or optimizer.
    """
    if dtype not in ("float32", "bfloat16"):
        raise ConfigError(f"dtype = {dtype!r} is not one the engine trains in; choose float32 or bfloat16")
    part = -(-batch_size // gradient_accumulation)
    p = count_parameters(config)
    terms = saved_activations(
        config,
        part,
        context_length,
        dtype=dtype,
        fused_attention=fused_attention,
        chunked_loss=chunked_loss,
        own_kernels=own_kernels,
    )
    n = numbers_of(config, part, context_length) | {"e": BYTES[dtype], "N": p.total}
    layer_kept = sum(t.value for t in terms if t.in_layers) // config.num_layers
    if activation_checkpointing:
        terms = [t for t in terms if not t.in_layers]
        terms.append(term("layer inputs", "residual stream", "L·B·T·C·4", n))
    logits = n["B"] * n["T"] * n["V"]
    if chunked_loss:
        # A chunk of logits, the output table in the products' type, and a second chunk's part of its gradient. Without
        # our kernels the chunk is there four times over at most: in float32, as probabilities, and narrow again.
        most = loss_chunk_elements("cpu" if own_kernels else "accelerator")
        tables = (n["e"] != FLOAT32) + (logits > most)
        each = n["e"] if own_kernels else 2 * n["e"] + FLOAT32 * (1 + (n["e"] != FLOAT32))
        chunk = min(logits, most) * each + tables * n["V"] * n["C"] * n["e"]
    else:
        chunk = 3 * logits * FLOAT32
    layer = n["B"] * n["T"] * (2 * n["C"] * FLOAT32 + 3 * n["F"] * n["e"])
    state = FLOAT32 * optimizer_state(config, optimizer).value
    return EngineMemory(
        numbers=n,
        parameters=FLOAT32 * p.total,
        gradients=FLOAT32 * p.total,
        optimizer_state=state,
        checkpoint_copy=FLOAT32 * p.total + state if background_checkpoint else 0,
        activation_terms=terms,
        # A layer that is recomputed stands beside what its gradient needs, not beside the loss.
        workspace=max(chunk, layer + (layer_kept if activation_checkpointing else 0)),
        accumulates=gradient_accumulation > 1,
        process=process,
        heap=own_kernels
        and not activation_checkpointing,  # recomputing runs give freed blocks back (training/launch/memory_check.py)
    )


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Memory of a training step, by both models."""

    textbook: TextbookMemory
    """The handout's list in float32, a · batch + b."""
    config: ModelConfig
    """The model."""
    options: dict[str, Any]
    """What `engine_memory` was asked about."""

    def measured(self, batch_size: int, **changes: Any) -> EngineMemory:
        """Return the measured model's account of a batch of `batch_size`."""
        return engine_memory(self.config, batch_size, **(self.options | changes))

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
                "process": engine.process,
                "parameters": engine.parameters,
                "gradients": engine.gradients,
                "optimizer_state": engine.optimizer_state,
                "checkpoint_copy": engine.checkpoint_copy,
                "kept_for_backward": engine.by_kind(),
                "workspace": engine.workspace,
                "largest_batch": self.largest_batch(memory_bytes),
            },
        }


def account_memory(
    config: ModelConfig,
    *,
    optimizer: str = "adamw",
    dtype: str = "float32",
    gradient_accumulation: int = 1,
    activation_checkpointing: bool = False,
    process: int = PROCESS_BYTES,
) -> Memory:
    """Return the memory account of a model; arguments as `engine_memory`."""
    options = {
        "optimizer": optimizer,
        "dtype": dtype,
        "gradient_accumulation": gradient_accumulation,
        "activation_checkpointing": activation_checkpointing,
        "process": process,
    }
    return Memory(textbook=textbook_memory(config), config=config, options=options)
