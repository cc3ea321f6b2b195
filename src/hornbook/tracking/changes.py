"""What differs between the recipes of two runs, in words, for lists of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbook.format import setting

SAY_NOTHING = ("run.", "data.text", "training.threads")
"""Beginnings of keys that differ between any two runs."""


def changed_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return what differs between two flat configurations as words: `optimizer.lr=0.1 model.d_model=64`."""
    keys = [k for k in sorted({*before, *after}) if before.get(k) != after.get(k) and not k.startswith(SAY_NOTHING)]
    return " ".join(f"{key}={'default' if after.get(key) is None else setting(after[key])}" for key in keys)
