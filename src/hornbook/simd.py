"""HORNBOOK_SIMD: which instruction set the native extensions use (avx512, avx2 or portable; else the widest).

Each package that holds an extension with variants hands its setter to `obey` when it is imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hornbook.errors import ConfigError

VARIABLE = "HORNBOOK_SIMD"
WORDS = ("avx512", "avx2", "portable")
"""Widest first; each machine has the last."""


def obey(set_variant: Callable[[str], bool]) -> None:
    """Let an extension use what HORNBOOK_SIMD says.

    Args:
        set_variant: the extension's setter; returns False where the machine lacks the instructions.

    Raises:
        ConfigError: the variable holds another word, or the machine lacks the instructions.
    """
    word = os.environ.get(VARIABLE)
    if not word:
        return
    if word not in WORDS:
        raise ConfigError(f"{VARIABLE} is {word!r}; it can be {', '.join(WORDS)}, or unset for the widest there is")
    if not set_variant(word):
        raise ConfigError(f"{VARIABLE} is {word!r}, which this machine lacks; unset it, or take a narrower one")
