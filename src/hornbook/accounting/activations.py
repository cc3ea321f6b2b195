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


def saved_activations(
    config: ModelConfig,
    batch_size: int,
    context_length: int | None = None,
    *,
    dtype: str = "float32",
    fused_attention: bool = True,
    chunked_loss: bool = True,
    fused_layers: bool = True,
    own_kernels: bool = True,
) -> list[Term]:
    """Return what the forward pass keeps for the backward pass, in bytes, term by term.

    Args:
        config: the model.
        batch_size: sequences computed at once.
        context_length: tokens in each; None takes the model's own.
        dtype: "float32", or "bfloat16" for mixed precision (the residual stream stays float32).
        fused_attention: the T × T scores are not kept.
        chunked_loss: the logits are not kept.
        fused_layers: norm and feed-forward are fused.
        own_kernels: fused means hornbook's CPU kernels; False: torch's operators, as on a GPU, which keep the rotated
            queries and keys and SiLU's result besides.
    """
    n = numbers_of(config, batch_size, context_length) | {"e": BYTES[dtype]}
    how = Execution(
        mixed=dtype != "float32",
        fused_layers=fused_layers,
        fused_attention=fused_attention,
        chunked_loss=chunked_loss,
        own_kernels=own_kernels,
    )
    # Fused norms after the sum pass the type of the products on, and our kernels read it as it is; otherwise a norm's
    # input is float32.
    layers = dataclasses.replace(how, narrow_stream=config.norm == "post" and fused_layers and own_kernels)
    return summed(config, n, lambda spec, in_layers: spec.saved_activations(layers if in_layers else how))
