"""What the forward pass of this engine keeps for its backward pass, tensor by tensor, on the plain and the fast path.

Read off the operators of nn/ and compared with what autograd saves, byte for byte on the fast path on a CPU
(tests/unit/test_accounting_memory.py). The residual stream is float32 under mixed precision too; `e` is the size of the
type that matrix products run in. Left out: dropout masks, QK norm, logit softcap and value embeddings, which the other
recipes of this size do not use.
"""

from __future__ import annotations

from hornbook.accounting.formulas import Term, numbers_of, term
from hornbook.accounting.parameters import BYTES
from hornbook.models.config import ModelConfig

__all__ = ["kept_for_backward"]

FLOAT32 = 4


def kept_for_backward(
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
        fused_layers: norm and feed-forward by their fast twins.
        own_kernels: the twins run on hornbook's CPU kernels; False: on torch's operators, as on a GPU, which keep the
            rotated queries and keys and SiLU's result besides.
    """
    n = numbers_of(config, batch_size, context_length) | {"e": BYTES[dtype], "W": 3 if config.ffn == "swiglu" else 2}
    return [
        *_norm_terms(config, n, fused_layers, chunked_loss),
        *_attention_terms(config, n, fused_attention, own_kernels),
        *_feed_forward_terms(config, n, fused_layers, own_kernels),
        *_weight_terms(config, n, fused_attention, fused_layers, chunked_loss),
        *_loss_terms(n, chunked_loss),
    ]


def _norm_terms(config: ModelConfig, n: dict[str, int], fused: bool, chunked_loss: bool) -> list[Term]:
    """The residual stream is kept where a norm reads it; the norm's result where a product reads it."""
    mixed = n["e"] != FLOAT32
    # Under autocast the plain path casts anew for each product that reads a norm's output: q, k, v; w1, w3.
    casts = (5 if config.ffn == "swiglu" else 4) if mixed and not fused else 2
    outputs = f"L·{casts}·B·T·C·e"
    head = [] if chunked_loss else [term("head's input", "final norm", "B·T·C·e", n)]
    if config.norm == "none":
        return [term("sub-layer inputs", "norm", outputs, n), *head]
    # Norms after the sum pass their own type on; otherwise the stream stays float32.
    stream = "L·2·B·T·C·e" if config.norm == "post" and fused else "L·2·B·T·C·4"
    terms = [
        term("residual stream", "residual stream", stream, n),
        term("norm outputs", "norm", f"{outputs} + L·2·B·T·4", n),
        term("ln_final", "final norm", "B·T·C·4 + B·T·4", n),
        *head,
    ]
    if not fused:
        terms.append(term("normalised, before the gain", "norm", "L·2·B·T·C·4", n))
        terms.append(term("ln_final, before the gain", "final norm", "B·T·C·4", n))
    return terms


def _attention_terms(config: ModelConfig, n: dict[str, int], fused: bool, own_kernels: bool) -> list[Term]:
    terms = [
        term("q, k, v", "attention", "L·3·B·T·C·e", n),
        term("heads' outputs", "attention", "L·B·T·C·e", n),
    ]
    if fused:
        if not own_kernels and config.position == "rope":
            terms.append(term("rotated q, k", "attention", "L·2·B·T·C·e", n))
        terms.append(term("log-sums of the scores", "attention", "L·B·H·T·4", n))
    else:  # exponentials in float32, weights in the type of the product
        terms.append(term("exponentials of the scores", "attention scores", "L·B·H·T·T·4", n))
        terms.append(term("attention weights", "attention scores", "L·B·H·T·T·e", n))
    return terms


def _feed_forward_terms(config: ModelConfig, n: dict[str, int], fused: bool, own_kernels: bool) -> list[Term]:
    if config.ffn == "swiglu":
        kept = (3 if own_kernels else 4) if fused else 5  # gate, up, product; then SiLU's result; then the sigmoid
        count = f"L·{kept}·B·T·F·e"
    else:
        count = "L·3·B·T·F·e"
    return [term("inner states", "feed-forward", count, n)]


def _weight_terms(
    config: ModelConfig, n: dict[str, int], fused_attention: bool, fused_layers: bool, chunked_loss: bool
) -> list[Term]:
    """Copies of the weights that products read: casts under mixed precision, q|k|v and w1|w3 side by side."""
    if n["e"] != FLOAT32:
        table = [] if chunked_loss else [term("output table in the products' type", "loss", "V·C·e", n)]
        return [term("weights in the products' type", "weight copies", "L·4·C·C·e + L·W·C·F·e", n), *table]
    terms = []
    if fused_attention:
        terms.append(term("q, k, v weights side by side", "weight copies", "L·3·C·C·4", n))
    if fused_layers and config.ffn == "swiglu":
        terms.append(term("w1, w3 side by side", "weight copies", "L·2·C·F·4", n))
    return terms


def _loss_terms(n: dict[str, int], chunked: bool) -> list[Term]:
    if chunked:
        return [
            term("gradient of the head's input", "loss", "B·T·C·e", n),
            term("gradient of the output table", "loss", "V·C·4", n),
        ]
    return [term("logits less their maximum, and exponentials", "loss", "2·B·T·V·4", n)]
