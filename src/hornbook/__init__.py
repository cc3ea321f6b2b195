"""hornbook: train language models from first letters.

The public names below are loaded on first use (PEP 562), so that `import hornbook` is fast and does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_LOCATION = {
    "train_bpe": "hornbook.tokenizer.train",
    "count_pretokens": "hornbook.tokenizer.counts",
    "train_bpe_from_counts": "hornbook.tokenizer.train",
    "PretokenCounts": "hornbook.tokenizer.counts",
    "Tokenizer": "hornbook.tokenizer.tokenizer",
    "TokenFile": "hornbook.tokenizer.token_file",
    "softmax": "hornbook.nn.plain",
    "silu": "hornbook.nn.plain",
    "cross_entropy": "hornbook.nn.plain",
    "scaled_dot_product_attention": "hornbook.nn.plain",
    "Linear": "hornbook.nn.linear",
    "Embedding": "hornbook.nn.linear",
    "RMSNorm": "hornbook.nn.norm",
    "SwiGLU": "hornbook.nn.feed_forward",
    "SiLUFeedForward": "hornbook.nn.feed_forward",
    "RotaryPositionalEmbedding": "hornbook.nn.rope",
    "MultiHeadSelfAttention": "hornbook.nn.attention",
    "TransformerBlock": "hornbook.models.transformer",
    "TransformerLM": "hornbook.models.transformer",
    "ModelConfig": "hornbook.models.config",
    "SGD": "hornbook.optim.sgd",
    "AdamW": "hornbook.optim.adamw",
    "lr_cosine_schedule": "hornbook.optim.schedule",
    "lr_linear_schedule": "hornbook.optim.schedule",
    "lr_wsd_schedule": "hornbook.optim.schedule",
    "clip_gradients": "hornbook.optim.clip",
    "get_batch": "hornbook.data.sampler",
    "save_checkpoint": "hornbook.checkpoint",
    "load_checkpoint": "hornbook.checkpoint",
    "generate": "hornbook.generation.decode",
    "train": "hornbook.training.loop",
    "load_run": "hornbook.training.load",
    "account": "hornbook.accounting",
    "HornbookError": "hornbook.errors",
}
_SUBMODULES = {"data"}

if TYPE_CHECKING:
    from hornbook import data as data
    from hornbook.errors import HornbookError as HornbookError

__all__ = sorted(["__version__", *_LOCATION, *_SUBMODULES])


def __getattr__(name: str) -> Any:
    if name in _LOCATION:
        value = getattr(importlib.import_module(_LOCATION[name]), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return importlib.import_module(f"hornbook.{name}")
    raise AttributeError(f"module 'hornbook' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
