"""Weights in fewer bits, for generation on a CPU: bfloat16, or int8 with one float32 scale for each row of a matrix.

int8: w ≈ scale · n with whole n in −127…127 and scale = max |w| / 127 of the row; rounded to the nearest, ties to even.
The embedding table, the gains of the norms and value embeddings stay float32. Left out: groups within a row, scales
found by calibration (docs/log.md has what groups would gain).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from hornbook.errors import CheckpointError
from hornbook.models.transformer import TransformerLM
from hornbook.nn.linear import Linear

_made = WeakTensorKeyDictionary()
"""Weight → its state when copies were made, and the copies by type: a model that generates again need not wait."""


def round_rows(weight: Float[Tensor, "F C"]) -> tuple[Int[Tensor, "F C"], Float[Tensor, "F"]]:
    """Return a matrix as int8 and the scale of each row. Raises CheckpointError for weights infinite or NaN."""
    scales = weight.abs().amax(1) / 127
    if not bool(scales.isfinite().all()):
        raise CheckpointError(
            "some of the model's weights are infinite or NaN, which int8 cannot hold: its training diverged or they "
            "are damaged; take an earlier checkpoint"
        )
    divisors = torch.where(scales > 0, scales, 1)[:, None]  # a row of zeros stays one
    return (weight / divisors).round().clamp(-127, 127).to(torch.int8), scales


def narrowed(weight: Float[Tensor, "F C"], dtype: torch.dtype) -> Tensor:
    """Return a weight as the decoding kernel reads it: itself, in bfloat16, or int8 (rows, then their scales' bytes).

    A copy is kept as long as the weight lives, and made anew once it has changed (through `.data`, none of this would
    be noticed). Raises CheckpointError as `round_rows`.
    """
    if dtype == torch.float32:
        return weight
    state = (weight.data_ptr(), 0 if weight.is_inference() else weight._version)
    made_of, copies = _made.get(weight) or (None, {})
    if made_of != state:
        copies = {}
        _made[weight] = (state, copies)
    if dtype not in copies:
        plain = weight.detach()
        if dtype == torch.int8:
            numbers, scales = round_rows(plain)
            copies[dtype] = torch.cat((numbers.flatten(), scales.view(torch.int8)))
        else:
            copies[dtype] = plain.to(dtype)
    return copies[dtype]


@torch.no_grad()
def round_weights_(model: TransformerLM, dtype: torch.dtype) -> None:
    """Round the matrices of a model to what generation with `dtype` computes with, in place; they stay float32."""
    if model.lm_head is None:  # the table is not rounded, only its copy that makes logits
        table = model.token_embeddings.weight
        model.lm_head = Linear(model.config.d_model, model.config.vocab_size, table.device, table.dtype)
        model.lm_head.weight.copy_(table)
    for part in model.modules():
        if isinstance(part, Linear):
            if dtype == torch.int8:
                numbers, scales = round_rows(part.weight)
                part.weight.copy_(numbers * scales[:, None])
            else:
                part.weight.copy_(part.weight.to(dtype))
