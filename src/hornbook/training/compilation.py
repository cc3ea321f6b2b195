"""Compilation of the step by torch.compile: with what, whether it can be had, and where its results are kept.

What is compiled is the loss with its backward pass, as one graph. Clipping and AdamW stay outside: on a GPU they are a
handful of kernels over lists of tensors already. Compiled code is kept in hornbook's cache folder, so that the next run
of the same model starts sooner; it holds nothing else and may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import torch

from hornbook.errors import ConfigError
from hornbook.fileio import cache_folder


def backend_of(device: torch.device) -> str:
    """Return torch.compile's backend for a device: Inductor has none for Apple GPUs that can be relied on."""
    return "aot_eager" if device.type == "mps" else "inductor"


def can_compile(device: torch.device) -> bool:
    """Return whether what Inductor needs is there: a C++ compiler, and Triton for a GPU."""
    if backend_of(device) != "inductor":
        return True
    compiler = any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "clang++"))
    return compiler and (device.type != "cuda" or importlib.util.find_spec("triton") is not None)


def compiled(function: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    """Return a compiled `function`; compilation happens at its first call, inside `compilation`."""
    keep_compiled_code()
    return torch.compile(function, backend=backend_of(device), dynamic=False)


def keep_compiled_code() -> None:
    """Have Inductor keep its results in hornbook's cache folder, unless TORCHINDUCTOR_CACHE_DIR says where."""
    folder = cache_folder() / "compiled"
    with contextlib.suppress(OSError):  # a folder that cannot be made: torch's own choice, for the time being
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder))


@contextlib.contextmanager
def compilation() -> Iterator[None]:
    """Turn what a compiler that is missing or fails raises into a ConfigError; around the first calls."""
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        raise ConfigError(
            "the step could not be compiled; train with --training.compile false, or see whether a C++ compiler (and "
            "Triton, for a GPU) is installed (TORCH_LOGS=dynamo shows what PyTorch said)"
        ) from error
