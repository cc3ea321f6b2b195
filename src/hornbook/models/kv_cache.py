"""Keys and values of the tokens that a model has read, so that each new token is computed alone.

Two ways to take a step with them: `read`, through the model's own modules (any device, any switch), and `NativeStep`,
the whole model in one call of a CPU kernel with the weights in float32, bfloat16 or int8. Both equal the model without
a cache (tests/unit/test_kv_cache.py). Left out: caches longer than the context, paging, sharing between prompts.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hornbook.models.config import SIZES, unknown_field
from hornbook.models.narrow import narrowed
from hornbook.models.parts import parts_of
from hornbook.models.transformer import TransformerLM
from hornbook.nn import cpu_kernels
from hornbook.nn._kernels import DecodeLayer, DecodeShape, FeedForward, NormPlacement
from hornbook.nn.specs import FEED_FORWARDS

_KNOWN = {
    **dict.fromkeys(SIZES),
    **dict.fromkeys(("rope_theta", "norm_eps", "logit_softcap", "tie_embeddings", "qk_norm")),
    **dict.fromkeys(("dropout", "zero_init_output")),  # of no effect once a model generates
    **dict.fromkeys(("norm_kind", "ffn", "value_embeddings")),  # as far as their parts have a kernel
    "norm": NormPlacement.__members__,
    "position": ("rope", "none"),
}
"""What the kernel takes into account of a model's configuration (see `unknown_field`)."""


class KVCache:
    """Keys and values of up to `context_length` tokens for each row of a batch; rows may differ in length.

    Args:
        model: whose keys and values.
        batch_size: B, the number of rows.

    Attributes:
        lengths: how many tokens of each row are kept.
        keys: one (B, H, context, D) tensor per layer.
        values: likewise.
    """

    def __init__(self, model: TransformerLM, batch_size: int):
        c = model.config
        self.model = model
        self.lengths = [0] * batch_size
        weight = model.output_weight
        shape = (batch_size, c.num_heads, c.context_length, c.d_head)
        self.keys = [weight.new_zeros(shape) for _ in range(c.num_layers)]
        self.values = [weight.new_zeros(shape) for _ in range(c.num_layers)]

    def read(self, ids: Int[Tensor, "R T"], rows: list[int], lengths: list[int], *, anew: bool) -> Float[Tensor, "R V"]:
        """Read more tokens of some rows and return the logits that follow the last one of each.

        Args:
            ids: the new tokens, padded on the right.
            rows: which row of the cache each belongs to.
            lengths: how many tokens of `ids` count in each row.
            anew: forget what these rows held.
        """
        device = ids.device
        T = ids.shape[1]
        if anew:
            for row in rows:
                self.lengths[row] = 0
        starts = torch.tensor([self.lengths[row] for row in rows], device=device)
        positions = starts[:, None] + torch.arange(T, device=device)  # (R, T)
        index = None if rows == list(range(len(self.lengths))) else torch.tensor(rows, device=device)
        span = int(positions.max()) + 1
        mask = None
        if not anew and (T > 1 or len(set(starts.tolist())) > 1):
            mask = (torch.arange(span, device=device) <= positions[..., None])[:, None]  # (R, 1, T, span)
        views = [
            _LayerView(keys, values, index, positions, span, mask, anew)
            for keys, values in zip(self.keys, self.values, strict=True)
        ]
        with _fused(self.model, anew and cpu_kernels.usable(self.model.output_weight)):
            hidden = self.model.hidden(ids, positions, views)  # (R, T, C)
        for row, start, count in zip(rows, starts.tolist(), lengths, strict=True):
            self.lengths[row] = start + count
        last = torch.tensor([count - 1 for count in lengths], device=device)
        return self.model.logits(hidden[torch.arange(len(rows), device=device), last])


@contextmanager
def _fused(model: TransformerLM, wanted: bool) -> Iterator[None]:
    """Compute with the fused functions for a while, if `wanted`: a prompt is read in half the time."""
    before = model.ops.fused
    if wanted:
        model.use_fused()
    try:
        yield
    finally:
        model.ops.fused = before


class _LayerView:
    """One layer's part of the cache during one `read`: what `MultiHeadSelfAttention.forward` extends."""

    def __init__(
        self,
        keys: Tensor,
        values: Tensor,
        index: Tensor | None,
        positions: Int[Tensor, "R T"],
        span: int,
        mask: Bool[Tensor, "R 1 T S"] | None,
        anew: bool,
    ):
        self.keys, self.values, self.index = keys, values, index
        self.positions, self.span, self.mask, self.anew = positions, span, mask, anew

    def extend(
        self, k: Float[Tensor, "R H T D"], v: Float[Tensor, "R H T D"]
    ) -> tuple[Tensor, Tensor, Bool[Tensor, "R 1 T S"] | None]:
        if self.anew:
            rows = slice(None) if self.index is None else self.index
            self.keys[rows, :, : self.span], self.values[rows, :, : self.span] = k, v
            return k, v, None
        rows = torch.arange(len(k), device=k.device) if self.index is None else self.index
        # The two index tensors stand apart, so the indexed dimensions (R, T) come first: (R, T, H, D).
        self.keys[rows[:, None], :, self.positions] = k.transpose(1, 2).to(self.keys.dtype)
        self.values[rows[:, None], :, self.positions] = v.transpose(1, 2).to(self.values.dtype)
        keys = self.keys[:, :, : self.span] if self.index is None else self.keys[self.index, :, : self.span]
        values = self.values[:, :, : self.span] if self.index is None else self.values[self.index, :, : self.span]
        return keys, values, self.mask


class ReadPart(NamedTuple):
    """Tokens to read on in one row of a cache."""

    row: int
    ids: list[int]
    """At least one."""
    wanted: int
    """After how many of the last of them logits are wanted."""


class NativeStep:
    """New tokens in the rows of a small batch, by a CPU kernel that goes through the whole model.

    Args:
        cache: filled by `KVCache.read`; goes on being filled here.
        dtype: of the weights: float32 uses the model's own, bfloat16 and int8 copies (models/narrow.py).
    """

    LARGEST_BATCH = 8
    """Beyond it, matrix products over the whole batch are faster."""

    @staticmethod
    def obstacle(model: TransformerLM, batch_size: int) -> str | None:
        """Return why the kernel cannot generate with this model here, as the end of a sentence; None where it can."""
        weights = list(model.parameters())
        if batch_size > NativeStep.LARGEST_BATCH:
            return f"writes at most {NativeStep.LARGEST_BATCH} texts at once, not {batch_size}"
        if field := unknown_field(model.config, _KNOWN):
            return f"does not know {field} = {getattr(model.config, field)!r}"
        if unknown := [part.name for part in parts_of(model.config) if not part.spec.kernel]:
            return f"does not know this model's {', '.join(unknown)}"
        if not cpu_kernels.usable(*weights):
            return "runs on a CPU"
        if not all(w.dtype == torch.float32 and w.is_contiguous() for w in weights):
            return "takes a model in float32"
        return None

    def __init__(self, cache: KVCache, dtype: torch.dtype):
        model, c = cache.model, cache.model.config
        self.cache = cache
        self._kept: list[Tensor] = []  # the kernel holds addresses only

        def address(weight: Any, *shape: int) -> int:
            if weight is None:
                return 0
            cpu_kernels.address_of(weight.detach(), torch.float32, *shape)
            self._kept.append(narrowed(weight, dtype) if len(shape) > 1 else weight)
            return self._kept[-1].data_ptr()

        def weight_of(part: Any, *shape: int) -> int:
            return address(getattr(part, "weight", None), *shape)

        C, D, F, B = c.d_model, c.d_head, c.resolved_d_ff, len(cache.lengths)
        kept = B, c.num_heads, c.context_length, D
        self._layers = []
        for block, keys, values in zip(model.blocks, cache.keys, cache.values, strict=True):
            a, f = block.attn, block.ffn
            layer = DecodeLayer(
                q=weight_of(a.q_proj, C, C), k=weight_of(a.k_proj, C, C), v=weight_of(a.v_proj, C, C),
                o=weight_of(a.output_proj, C, C), w1=weight_of(f.w1, F, C), w2=weight_of(f.w2, C, F),
                w3=weight_of(getattr(f, "w3", None), F, C), ln1=weight_of(block.ln1, C), ln2=weight_of(block.ln2, C),
                query_gain=weight_of(a.q_norm, D), key_gain=weight_of(a.k_norm, D),
                keys=cpu_kernels.address_of(keys, torch.float32, *kept),
                values=cpu_kernels.address_of(values, torch.float32, *kept),
            )  # fmt: skip
            self._layers.append(layer)
        self._table = model.token_embeddings.weight.detach()
        rope = model.blocks[0].attn.rope
        sizes = {"d_model": C, "heads": c.num_heads, "d_ff": F, "vocabulary": c.vocab_size, "context": c.context_length}
        turns = (c.context_length, D // 2)
        self._shape_of = functools.partial(
            DecodeShape, **sizes, norm=NormPlacement[c.norm], ffn=FeedForward[str(FEED_FORWARDS[c.ffn].kernel)],
            eps=c.norm_eps, softcap=c.logit_softcap, dtype=cpu_kernels.WEIGHT_TYPES[dtype],
            cosine=0 if rope is None else cpu_kernels.address_of(rope.cos, torch.float32, *turns),
            sine=0 if rope is None else cpu_kernels.address_of(rope.sin, torch.float32, *turns),
        )  # fmt: skip
        self._decode = functools.partial(
            cpu_kernels.decode, layers=self._layers, table=self._table, final_gain=weight_of(model.ln_final, C),
            head=address(model.output_weight, c.vocab_size, C), kept=B,
        )  # fmt: skip

    def __call__(self, ids: list[int]) -> Float[Tensor, "B V"]:
        """Return the logits that follow one new token in every row."""
        logits = torch.empty(len(ids), len(self._table))
        self._decode(
            self._shape_of(batch=len(ids)), ids=torch.tensor(ids), positions=torch.tensor(self.cache.lengths),
            logits=logits,
        )  # fmt: skip
        self.cache.lengths = [length + 1 for length in self.cache.lengths]
        return logits

    def read(self, parts: Sequence[ReadPart]) -> list[Float[Tensor, "N V"]]:
        """Read on in some rows, as many tokens in each as are given, and return the logits wanted of each.

        The logits of a token are the same bits whatever else is read in the same call, and however a text is cut into
        calls (tests/unit/test_kv_cache.py). Each row comes once.
        """
        ids, positions, sequences, wanted = [], [], [], []
        for part in parts:
            start = self.cache.lengths[part.row]
            wanted += range(len(ids) + len(part.ids) - part.wanted, len(ids) + len(part.ids))
            ids += part.ids
            positions += range(start, start + len(part.ids))
            sequences += [part.row] * len(part.ids)
        logits = torch.empty(len(wanted), len(self._table))
        self._decode(
            self._shape_of(batch=len(ids)), ids=torch.tensor(ids), positions=torch.tensor(positions), logits=logits,
            sequences=torch.tensor(sequences), wanted=torch.tensor(wanted, dtype=torch.int64),
        )  # fmt: skip
        for part in parts:
            self.cache.lengths[part.row] += len(part.ids)
        return list(logits.split([part.wanted for part in parts]))
