"""Many texts at once, each in a slot of one cache: what continuous batching (Yu et al. 2022, Orca) reads with.

A text's logits must not depend on its company. `NativeSlots` has that from the CPU kernel, whose sums for a token are
the same in every batch (models/kv_cache.py): whatever is read together goes through the weights once. `ModuleSlots` is
for all other models and devices, whose matrix products round differently from batch to batch: it reads one slot after
the other, a prompt in pieces of one size. Left out: on a GPU, products over several slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from hornbook.generation.decode import WeightType, check_weight_type, weight_type
from hornbook.models.kv_cache import KVCache, NativeStep, ReadPart
from hornbook.models.transformer import TransformerLM


class Slots(Protocol):
    """A fixed number of texts that are read on side by side."""

    piece: int | None
    """Tokens in each part of a prompt but the last; None: any number."""

    def read(self, parts: Sequence[ReadPart]) -> list[Float[Tensor, "N V"]]:
        """Read on in some slots; return the logits wanted of each (`NativeStep.read`)."""
        ...

    def forget(self, slot: int) -> None:
        """Empty a slot."""
        ...


def open_slots(model: TransformerLM, count: int, dtype: WeightType = "float32") -> Slots:
    """Return `count` empty slots for texts of a model; dtype as in `generate`. Raises ConfigError."""
    check_weight_type(model, dtype)
    cache = KVCache(model, count)
    if NativeStep.obstacle(model, 1) is None:
        return NativeSlots(cache, weight_type(model, dtype))
    return ModuleSlots(cache)


class NativeSlots:
    """Slots read by the CPU kernel, all in one call."""

    piece: int | None = None

    def __init__(self, cache: KVCache, dtype: torch.dtype):
        self._cache, self._step = cache, NativeStep(cache, dtype)

    def read(self, parts: Sequence[ReadPart]) -> list[Float[Tensor, "N V"]]:
        return self._step.read(parts)

    def forget(self, slot: int) -> None:
        self._cache.lengths[slot] = 0


class ModuleSlots:
    """Slots read by the model's own modules, one after the other."""

    piece: int | None = 256

    def __init__(self, cache: KVCache):
        self._cache = cache

    @torch.no_grad()
    def read(self, parts: Sequence[ReadPart]) -> list[Float[Tensor, "N V"]]:
        return [self._read(part) for part in parts]

    def _read(self, part: ReadPart) -> Float[Tensor, "N V"]:
        # `KVCache.read` gives the logits after the last token: where those after each are wanted, each is the last.
        steps = [part.ids] if part.wanted <= 1 else [[token] for token in part.ids]
        logits = []
        for ids in steps:
            anew = self._cache.lengths[part.row] == 0
            tensor = torch.tensor([ids], device=self._cache.keys[0].device)
            logits.append(self._cache.read(tensor, [part.row], [len(ids)], anew=anew).float().cpu())
        return torch.cat(logits)[len(logits) - part.wanted :]

    def forget(self, slot: int) -> None:
        self._cache.lengths[slot] = 0
