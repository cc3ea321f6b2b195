"""A small model with nothing in it at its initial value, and text that is easily cut otherwise."""

from __future__ import annotations

from typing import Any

import torch

import hornbook as hb
from hornbook.models.config import ModelConfig

AWKWARD = [
    "", " ", "a , b . c ! d ?", "don't can't we'll I'm it's they've", "two  spaces   three",
    "line\nline\n\n\nend\n", "tab\t\ttab", "emoji 😀👩‍👩‍👧‍👦🇩🇪", "naïve café Ünïcödé",
    "中文句子。日本語テキスト", "<|endoftext|>", "one<|endoftext|>two", "a <|endoftext|> b",
    "[CLS] </s> <s>", "123456 7.5e-3", "\u00a0nbsp\u2028sep\u200bzero", " leading and trailing ",
    "\r\ncarriage", "‘quotes’ “double” – —", "e\u0301 combining",
]  # fmt: skip
TEXT = "".join(
    f"The cat number {i} didn't see {i * 37} dogs, and said: 'We'll meet!'\nNaïve café 😀 中文.<|endoftext|>"
    for i in range(60)
)


def model(tokenizer: hb.Tokenizer, **changes: Any) -> hb.TransformerLM:
    """Return a model for a tokenizer; its gains, gates and zeros are drawn too."""
    shape = {
        "vocab_size": tokenizer.vocab_size, "context_length": 64, "d_model": 48, "num_layers": 3, "num_heads": 4,
        **changes,
    }  # fmt: skip
    built = hb.TransformerLM(ModelConfig(**shape))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1 + (parameter.ndim == 1))
    return built.eval()
