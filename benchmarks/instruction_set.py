"""`--isa`: a benchmark that uses no wider instructions than another machine has, hornbook and PyTorch alike.

The libraries read their limits when they are loaded, so the process starts itself anew with them. Not held down: peers
that choose for themselves (gigatoken, gigabpe) and NumPy.
"""

from __future__ import annotations

import argparse
import os
import sys

from hornbook.simd import VARIABLE, WORDS

LIBRARIES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "TORCHINDUCTOR_CPP_MARCH")
"""What PyTorch's own operators, its two libraries of matrix products, and what it compiles go by."""
LIMITS = {
    "avx512": ("avx512", "AVX512_CORE_BF16", "AVX512", "x86-64-v4"),
    "avx2": ("avx2", "AVX2", "AVX2", "x86-64-v3"),
    "portable": ("default", "SSE41", "SSE4_2", "x86-64"),
}
assert tuple(LIMITS) == WORDS


def add_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--isa", choices=WORDS, help="use no wider instructions (default: all that the machine has)")


def hold(isa: str | None) -> None:
    """Start this process anew under the limits of `isa`, unless it runs under them already."""
    limits: dict[str, str] = {}
    if isa is not None:
        limits = {VARIABLE: isa, **dict(zip(LIBRARIES, LIMITS[isa], strict=True))}
    if any(os.environ.get(name) != value for name, value in limits.items()):
        os.environ.update(limits)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def name() -> str:
    """What this process is held to."""
    return os.environ.get(VARIABLE) or "the machine's own"
