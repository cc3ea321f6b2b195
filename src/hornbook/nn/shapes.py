"""Default widths and the size of the loss's chunks, kept apart from the layers: code without torch (configuration,
accounting) uses them too."""

from __future__ import annotations

__all__ = ["default_d_ff", "loss_chunk_elements"]


def loss_chunk_elements(device: str) -> int:
    """Return how many logits the chunked loss holds at a time (`nn/fused.py`), on a "cpu" or an accelerator.

    On a CPU 12 MiB in bfloat16, which stay in the cache that the products share; on an accelerator enough rows to keep
    it busy (6,700 with 10,000 words), of which a long step still needs only some.
    """
    return 3 << 21 if device == "cpu" else 1 << 26


def default_d_ff(d_model: int, ffn: str = "swiglu") -> int:
    """Return the feed-forward width that is used where none is given.

    The three matrices of the gated network at 8/3 · d_model have as many parameters as the two of the un-gated one at
    4 · d_model (handout §3.5.2 and its SiLU ablation), so the default keeps the two comparable.

    Args:
        d_model: width of the residual stream.
        ffn: "swiglu" → the multiple of 64 nearest to 8/3 · d_model (512 → 1344), never less than 64; "silu" or
            "relu2" → 4 · d_model.
    """
    if ffn != "swiglu":
        return 4 * d_model
    return max(64, 64 * round(8 * d_model / 3 / 64))
