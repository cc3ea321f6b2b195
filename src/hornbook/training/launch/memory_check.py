"""Whether a recipe fits into the memory of its device, asked before anything large is made (memory_limit.py)."""

from __future__ import annotations

import contextlib
import ctypes

import torch

from hornbook.accounting.memory import PROCESS_BYTES, Memory, StepSettings
from hornbook.accounting.memory_limit import available_memory, check_fits
from hornbook.training.config import TrainConfig

M_MMAP_THRESHOLD = -3  # of glibc's mallopt


def check_memory_fits(config: TrainConfig) -> int | None:
    """Return the peak memory in bytes that the run is expected to take, or None where the device does not say.

    Args:
        config: the recipe, every "auto" resolved.

    Raises:
        ConfigError: it cannot fit.
    """
    t, device = config.training, torch.device(config.training.device)
    if device.type == "cpu":
        available = available_memory()
    elif device.type == "cuda":
        available = torch.cuda.mem_get_info(device)[0]
    else:
        available = None
    divided = torch.distributed.is_available() and torch.distributed.is_initialized()
    if available is None or divided:  # several processes change the sums
        return None
    on_cpu = device.type == "cpu"
    # The process is there already: what it takes is not taken from what is available.
    process = PROCESS_BYTES if on_cpu else 0
    how = StepSettings(
        optimizer=config.optimizer.name,
        dtype=t.dtype,
        gradient_accumulation=t.gradient_accumulation,
        activation_checkpointing=t.activation_checkpointing,
        background_checkpoint=config.checkpoint.background and on_cpu,
        own_kernels=on_cpu,
        document_mask=config.data.document_mask,
        process=process,
    )
    memory = Memory(config=config.model, settings=how)
    return check_fits(memory, t.batch_size, available + process, t.device).peak


def trim_heap_eagerly() -> None:
    """Have glibc return every block of 1 MB or more to the system as soon as it is freed; elsewhere do nothing.

    Its heap otherwise keeps the holes of what recomputation frees: a model of 8 recomputed layers then took 994 MB
    above the start instead of 367. It costs time, as pages are mapped anew (about a third more in that model), so only
    runs that trade time for memory anyway ask for it.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 20)
