"""The Transformer block and language model (handout §3.1, §3.6), with the switches of its ablations.

    ids (..., T) → token_embeddings → L × TransformerBlock → ln_final → lm_head → logits (..., T, V)

State-dict names are part of the contract (docs/model.md). `loss` is what training calls: mean nats per token, by the
plain functions or the fused implementations, which compute the same. Left out: dropout on attention weights, biases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hornbook.errors import ConfigError, HornbookError
from hornbook.models.config import SIZES, ModelConfig, unknown_field
from hornbook.nn import fused
from hornbook.nn.attention import AttentionCache, MultiHeadSelfAttention
from hornbook.nn.dropout import Dropout
from hornbook.nn.linear import Embedding, Linear
from hornbook.nn.ops import Ops
from hornbook.nn.plain import DeviceLike, check_ids, cross_entropy, document_mask
from hornbook.nn.rope import RotaryPositionalEmbedding
from hornbook.nn.specs import FEED_FORWARDS, NORMS, layer_class

_FUSED_KNOWS = {
    **dict.fromkeys(SIZES),
    **dict.fromkeys(("rope_theta", "norm_eps", "logit_softcap", "dropout", "value_embeddings")),
    **dict.fromkeys(("norm_kind", "ffn")),  # their layers compute by `Ops`
    **dict.fromkeys(("tie_embeddings", "qk_norm", "zero_init_output")),
    "norm": ("pre", "post", "none"),
    "position": ("rope", "none"),
}
"""What the fused implementations take into account of a model's configuration (see `unknown_field`)."""


class TransformerBlock(nn.Module):
    """Attention and feed-forward, each inside a residual connection.

    norm = "pre": x + f(ln(x)); "post": ln(x + f(x)) (handout §7.3); "none": x + f(x).

    Args:
        d_model: C, width of the residual stream.
        num_heads: H.
        d_ff: F; None: the default of the chosen network.
        rope: rotary embedding, shared between blocks; None: no positions.
        norm: "pre", "post" or "none".
        ffn: a name in `FEED_FORWARDS`.
        device: where the weights live.
        dtype: of the weights; None: torch's default.
        norm_kind: a name in `NORMS`.
        norm_eps: ε of every norm.
        dropout: probability on each sub-layer's output while training.
        qk_norm: see `MultiHeadSelfAttention`.
        value_gate: see `MultiHeadSelfAttention`.
        ops: plain or fused (nn/ops.py); None: plain.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_ff: int | None,
        *,
        rope: RotaryPositionalEmbedding | None = None,
        norm: str = "pre",
        ffn: str = "swiglu",
        device: DeviceLike = None,
        dtype: torch.dtype | None = None,
        norm_kind: str = "rmsnorm",
        norm_eps: float = 1e-5,
        dropout: float = 0.0,
        qk_norm: bool = False,
        value_gate: bool = False,
        ops: Ops | None = None,
    ):
        super().__init__()
        if norm not in ("pre", "post", "none"):
            raise ConfigError(f"norm = {norm!r} is not one of 'pre', 'post', 'none'")
        for key, kind, kinds in (("ffn", ffn, FEED_FORWARDS), ("norm_kind", norm_kind, NORMS)):
            if kind not in kinds:
                raise ConfigError(f"{key} = {kind!r} is not one of {', '.join(map(repr, kinds))}")
        self.norm, ops = norm, ops or Ops()
        self.attn = MultiHeadSelfAttention(
            d_model, num_heads, rope=rope, device=device, dtype=dtype, qk_norm=qk_norm, norm_eps=norm_eps,
            value_gate=value_gate, ops=ops,
        )  # fmt: skip
        self.ffn = layer_class(FEED_FORWARDS[ffn])(d_model, d_ff, device, dtype, ops=ops)
        self.ln1, self.ln2 = (
            _norm(norm_kind if norm != "none" else None, d_model, norm_eps, device, dtype, ops) for _ in range(2)
        )
        self.dropout = Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "... T C"],
        token_positions: Int[Tensor, "... T"] | None = None,
        extra_values: Float[Tensor, "... T C"] | None = None,
        cache: AttentionCache | None = None,
        mask: Bool[Tensor, "... 1 T T"] | None = None,
    ) -> Float[Tensor, "... T C"]:
        """Return the block's output; arguments as `MultiHeadSelfAttention.forward`."""
        if self.norm == "post":
            x = self.ln1(x + self.dropout(self.attn(x, token_positions, extra_values, cache, mask)))
            return self.ln2(x + self.dropout(self.ffn(x)))
        x = x + self.dropout(self.attn(self.ln1(x), token_positions, extra_values, cache, mask))
        return x + self.dropout(self.ffn(self.ln2(x)))


def _norm(
    kind: str | None, d_model: int, eps: float, device: DeviceLike, dtype: torch.dtype | None, ops: Ops
) -> nn.Module:
    if kind is None:
        return nn.Identity()
    return layer_class(NORMS[kind])(d_model, eps, device, dtype, ops=ops)


class TransformerLM(nn.Module):
    """A decoder-only language model.

    Args:
        config: its shape.
        device: where the weights live; "meta" builds the shapes alone.
        dtype: of the weights; None: torch's default.

    Attributes:
        config: as given.
        activation_checkpointing: keep only each block's input while training and compute the rest again in the backward
            pass; the result is the same, memory shrinks, time grows by about a third.
        document_separator: the id that begins a document; no position attends across it. None: a window is one text,
            which it always is with a cache (generation reads its prompt as one).
        ops: the functions that all layers compute with; `use_fused` switches them.
    """

    def __init__(self, config: ModelConfig, device: DeviceLike = None, dtype: torch.dtype | None = None):
        super().__init__()
        c = config
        self.config = c
        self.activation_checkpointing = False
        self.document_separator: int | None = None
        self.ops = Ops()
        rope = (
            RotaryPositionalEmbedding(c.rope_theta, c.d_head, c.context_length, device)
            if c.position == "rope"
            else None
        )
        self.token_embeddings = Embedding(c.vocab_size, c.d_model, device, dtype, ops=self.ops)
        self.dropout = Dropout(c.dropout)
        self.layers = nn.ModuleList(
            TransformerBlock(
                c.d_model, c.num_heads, c.d_ff, rope=rope, norm=c.norm, ffn=c.ffn, device=device, dtype=dtype,
                norm_kind=c.norm_kind, norm_eps=c.norm_eps, dropout=c.dropout, qk_norm=c.qk_norm,
                value_gate=i >= c.num_layers - c.value_embeddings, ops=self.ops,
            )
            for i in range(c.num_layers)
        )  # fmt: skip
        self.value_embeddings = nn.ModuleList(
            Embedding(c.vocab_size, c.d_model, device, dtype, ops=self.ops) for _ in range(c.value_embeddings)
        )
        norm_kind = c.norm_kind if c.norm != "none" else None
        self.ln_final = _norm(norm_kind, c.d_model, c.norm_eps, device, dtype, self.ops)
        self.lm_head = None if c.tie_embeddings else Linear(c.d_model, c.vocab_size, device, dtype)
        if c.tie_embeddings:
            self.token_embeddings.std = 1 / math.sqrt(c.d_model)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights anew, from `generator` or torch's global one, in the order of the modules."""
        for module in self.modules():
            reset = getattr(module, "reset_parameters", None)  # of a norm of any kind, too
            if reset is not None and module is not self:
                reset(generator)
            if isinstance(module, MultiHeadSelfAttention) and module.value_gate is not None:
                module.value_gate.zero_()
        if self.config.zero_init_output:
            for block in self.blocks:
                block.attn.output_proj.weight.zero_()
                block.ffn.w2.weight.zero_()

    def use_fused(self, enabled: bool = True) -> TransformerLM:
        """Choose the fused implementations (or the plain ones again) throughout; returns the model itself.

        A model whose configuration has a field that they do not know stays plain.
        """
        self.ops.fused = enabled and unknown_field(self.config, _FUSED_KNOWS) is None
        return self

    @property
    def blocks(self) -> list[TransformerBlock]:
        """The layers, with their type."""
        return [block for block in self.layers if isinstance(block, TransformerBlock)]

    @property
    def output_weight(self) -> Float[Tensor, "V C"]:
        """The matrix that turns hidden states into logits; the embedding table itself where the two are tied."""
        return self.token_embeddings.weight if self.lm_head is None else self.lm_head.weight

    def forward(
        self, ids: Int[Tensor, "... T"], token_positions: Int[Tensor, "... T"] | None = None
    ) -> Float[Tensor, "... T V"]:
        """Return the logits of the next token at every position.

        Args:
            ids: token ids, int64.
            token_positions: positions for the rotation; None: 0…T−1.

        Raises:
            ValueError: more than `context_length` tokens.
            DataError: an id outside the vocabulary (looked for in eager code on the CPU).
        """
        return self.logits(self.hidden(ids, token_positions))

    def hidden(
        self,
        ids: Int[Tensor, "... T"],
        token_positions: Int[Tensor, "... T"] | None = None,
        caches: Sequence[AttentionCache] | None = None,
    ) -> Float[Tensor, "... T C"]:
        """Return the states after `ln_final`, from which `logits` reads.

        `caches`, one per layer, hold earlier tokens (models/kv_cache.py); the rest, and the errors, as `forward`.
        """
        if ids.shape[-1] > self.config.context_length:
            raise HornbookError(
                f"{ids.shape[-1]} tokens do not fit into the model's context of {self.config.context_length}; "
                "cut the sequence or train with a longer context_length"
            )
        check_ids(ids, self.config.vocab_size)
        separator = self.document_separator if caches is None else None
        mask = None if separator is None else document_mask(ids, separator)
        x = self.dropout(self.token_embeddings(ids))
        first_with_values = len(self.layers) - len(self.value_embeddings)
        for i, block in enumerate(self.layers):
            extra = self.value_embeddings[i - first_with_values](ids) if i >= first_with_values else None
            if self.activation_checkpointing and self.training:
                x = checkpoint(block, x, token_positions, extra, None, mask, use_reentrant=False)
            else:
                x = block(x, token_positions, extra, None if caches is None else caches[i], mask)
        return self.ln_final(x)

    def logits(self, hidden: Float[Tensor, "... T C"]) -> Float[Tensor, "... T V"]:
        """Return the logits of hidden states, capped where the configuration has a softcap."""
        logits = hidden @ self.output_weight.T
        cap = self.config.logit_softcap
        return cap * (logits / cap).tanh() if cap else logits

    def loss(self, ids: Int[Tensor, "... T"], targets: Int[Tensor, "... T"]) -> Float[Tensor, ""]:
        """Return the mean cross-entropy of `targets` in nats per token: what training minimises.

        Args:
            ids: inputs, int64.
            targets: the token that follows each input, of the same shape.

        Raises:
            ValueError, DataError: as `forward` and `cross_entropy`.
        """
        if not self.ops.fused:
            return cross_entropy(self(ids), targets)
        if ids.shape != targets.shape or ids.numel() == 0:
            raise ValueError(
                f"ids {tuple(ids.shape)} and targets {tuple(targets.shape)} must be of one shape, not empty"
            )
        return fused.head_loss(self.hidden(ids), self.output_weight, targets, self.config.logit_softcap)
