"""What the forward pass of this engine keeps for its backward pass, in bytes: the sum over the parts of the model.

Each part says what it keeps (nn/specs.py), on the plain and on the fused path; the sums are compared with what autograd
saves, byte for byte on the fused path on a CPU (tests/unit/test_accounting_memory.py).
"""

from __future__ import annotations

import dataclasses

from hornbook.accounting.formulas import Term, numbers_of, summed
from hornbook.accounting.parameters import BYTES
from hornbook.models.config import ModelConfig
from hornbook.nn.spec import Execution


def saved_activations(config: ModelConfig, batch_size: int, how: Execution) -> list[Term]:
    """Return what the forward pass of `batch_size` sequences at once keeps for the backward pass, in bytes."""
    # Fused norms after the sum pass the type of the products on, and our kernels read it as it is; otherwise a norm's
    # input is float32.
    layers = dataclasses.replace(how, narrow_stream=config.norm == "post" and how.fused_layers and how.own_kernels)
    numbers = numbers_of(config, batch_size) | {"e": BYTES[how.dtype]}
    return summed(config, numbers, lambda spec, in_layers: spec.saved_activations(layers if in_layers else how))
