"""The loss that training minimises: the model's own, in the recipe's dtype, compiled if the recipe says so.

The model decides how its loss is computed, by its fused implementations or by its plain parts (`training.fused`); the
dtype of the matrix products and compilation are applied around it, once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from hornbook.models.transformer import TransformerLM
from hornbook.training.compilation import compiled
from hornbook.training.config import TrainConfig

LossFunction = Callable[[Tensor, Tensor], Tensor]
"""Of inputs and targets, both (B, T): the mean nats per token."""


def make_loss(model: TransformerLM, config: TrainConfig, wrapped: LossFunction | None = None) -> LossFunction:
    """Return the loss of a model as the recipe wants it computed.

    Args:
        model: is set to its fused or plain implementations, as the recipe says.
        config: the recipe, every "auto" resolved.
        wrapped: computes the model's loss by way of something else, such as DistributedDataParallel.
    """
    compute = wrapped or model.loss
    model.use_fused(config.training.fused)
    device = next(model.parameters()).device
    bfloat16 = config.training.dtype == "bfloat16"

    def loss(inputs: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            return compute(inputs, targets)

    return compiled(loss, device) if config.training.compile is True else loss
