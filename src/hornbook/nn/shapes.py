"""Default widths, kept apart from the layers so that code without torch (configuration, accounting) can use them."""

from __future__ import annotations

__all__ = ["default_d_ff"]


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
