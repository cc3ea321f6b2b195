"""Corpora, preparation to token files, and sampling of batches. `storyworld` is loaded on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbook.data.corpora import storyworld as storyworld

__all__ = ["storyworld"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"hornbook.data.corpora.{name}")
    raise AttributeError(f"module 'hornbook.data' has no attribute {name!r}")
