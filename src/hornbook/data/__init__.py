"""Corpora, preparation to token files, and sampling of batches. `corpora` and `storyworld` are loaded on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbook.data import corpora as corpora
    from hornbook.data import storyworld as storyworld

__all__ = ["corpora", "storyworld"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"hornbook.data.{name}")
    raise AttributeError(f"module 'hornbook.data' has no attribute {name!r}")
