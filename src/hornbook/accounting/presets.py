"""Shapes with a name: the GPT-2 family as CS336's handout draws it, Llama-style sizes, and the handout's own model.

The GPT-2 shapes are the handout's: RMSNorm, RoPE, an untied head and SwiGLU with d_ff = 4 d (not the LayerNorm, GELU
and learned positions of the released GPT-2). The Llama-style ones are LLaMA's 7B and 13B (Touvron et al. 2023,
https://arxiv.org/abs/2302.13971, Table 2) and the small ones of GaLore (Zhao et al. 2024,
https://arxiv.org/abs/2403.03507, Table 5).
"""

from __future__ import annotations

from hornbook.errors import ConfigError, did_you_mean
from hornbook.models.config import ModelConfig


def _gpt2(num_layers: int, d_model: int, num_heads: int) -> ModelConfig:
    return ModelConfig(
        vocab_size=50257,
        context_length=1024,
        d_model=d_model,
        num_layers=num_layers,
        num_heads=num_heads,
        d_ff=4 * d_model,
    )


def _llama(num_layers: int, d_model: int, num_heads: int, d_ff: int, context_length: int = 2048) -> ModelConfig:
    return ModelConfig(
        vocab_size=32000,
        context_length=context_length,
        d_model=d_model,
        num_layers=num_layers,
        num_heads=num_heads,
        d_ff=d_ff,
    )


GPT2 = ("gpt2-small", "gpt2-medium", "gpt2-large", "gpt2-xl")

PRESETS: dict[str, ModelConfig] = {
    "tinystories": ModelConfig(
        vocab_size=10000, context_length=256, d_model=512, num_layers=4, num_heads=16, d_ff=1344
    ),
    "gpt2-small": _gpt2(12, 768, 12),
    "gpt2-medium": _gpt2(24, 1024, 16),
    "gpt2-large": _gpt2(36, 1280, 20),
    "gpt2-xl": _gpt2(48, 1600, 25),
    "llama-60m": _llama(8, 512, 8, 1376, 256),
    "llama-130m": _llama(12, 768, 12, 2048, 256),
    "llama-350m": _llama(24, 1024, 16, 2736, 256),
    "llama-1b": _llama(24, 2048, 32, 5461, 256),
    "llama-7b": _llama(32, 4096, 32, 11008),
    "llama-13b": _llama(40, 5120, 40, 13824),
}


def preset(name: str) -> ModelConfig:
    """Return the shape called `name`.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"there is no preset {name!r}{did_you_mean(name, PRESETS)}; "
            f"give one of {', '.join(PRESETS)}, or a recipe file"
        )
    return PRESETS[name]
