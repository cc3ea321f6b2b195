"""Does a training fit into memory? What there is, what the measured model says it takes, and the ways out if not.

What there is on a CPU: the kernel's estimate of available memory, within the control group's limit (containers).
Left out: swap, which makes training useless long before it fails.
"""

from __future__ import annotations

from pathlib import Path

from hornbook.accounting.memory import EngineMemory, Memory
from hornbook.errors import ConfigError
from hornbook.format import quantity

MODEL_ERROR = 0.10
"""How far the measured model may be off (docs/accounting.md): only what is too much even so is refused."""


def available_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes that this process may still take, or None where the system does not say.

    Args:
        root: where /proc and /sys are, for tests.
    """
    amounts = []
    try:
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                amounts.append(1024 * int(line.split()[1]))
    except (OSError, ValueError, IndexError):
        return None
    for limit, used in (
        ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:  # "max" is no number: no limit. Pages of files count as used but are given up when needed.
            allowed = int((root / limit).read_text())
            amounts.append(max(0, allowed - int((root / used).read_text()) + _file_pages(root / used)))
        except (OSError, ValueError):
            continue
    return min(amounts, default=None)


def on_this_machine(memory: Memory, batch_size: int) -> str | None:
    """Return what a step takes of this machine's memory on its CPU, in words; None where the system does not say."""
    available = available_memory()
    if available is None:
        return None
    peak, largest = memory.measured(batch_size).peak, memory.largest_batch(available)
    return (
        f"memory, this engine, on this machine's CPU, {memory.settings.dtype}: {quantity(peak, 'B', 4)} of "
        f"{quantity(available, 'B', 4)} that it has to give; largest batch {largest:,}"
    )


def check_fits(memory: Memory, batch_size: int, available: int, where: str) -> EngineMemory:
    """Return the account of a step's memory, or refuse what cannot fit.

    Args:
        memory: the model's account.
        batch_size: sequences in a step.
        available: bytes that there are.
        where: the device, for the sentence.

    Raises:
        ConfigError: the step takes more than there is, even if the model is off by its known error; the sentence says
            which batch would fit.
    """
    needed = memory.measured(batch_size)
    if needed.peak * (1 - MODEL_ERROR) <= available:
        return needed
    largest = memory.largest_batch(available, gradient_accumulation=1)
    needs = f"training.batch_size = {batch_size:,} takes about {quantity(needed.peak, 'B', 4)} of memory"
    has = f"{where} has {quantity(available, 'B', 4)} to give"
    if largest < 1:
        raise ConfigError(
            f"{needs}, and {has}, which is too little for a single sequence of this model; "
            "make the model or its context_length smaller, or use activation_checkpointing"
        )
    parts = next(
        (n for n in range(2, batch_size + 1) if batch_size % n == 0 and batch_size // n <= largest), batch_size
    )
    raise ConfigError(
        f"{needs}, but {has}; compute it in parts (--training.gradient-accumulation {parts}), "
        f"or take a batch of at most {largest:,}"
    )


def _file_pages(usage: Path) -> int:
    """Return the bytes of inactive file pages in the control group beside `usage`."""
    for line in (usage.parent / "memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file"):
            return int(value)
    return 0
