"""How long training takes: matrix products (or 6·N·D) divided by what a device sustains.

Peaks are the vendors' data sheets, dense (no sparsity), in FLOP/s. Left out: communication between devices, data
loading, evaluation. What a machine really does is measured by a probe and passed in as tokens per second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hornbook.accounting.flops import Flops
from hornbook.errors import ConfigError, did_you_mean

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Device:
    """An accelerator by its data sheet."""

    name: str
    """Its short name."""
    memory_bytes: int
    """Memory, in bytes (vendors' GB are 10⁹ here)."""
    peak: dict[str, float] = field(default_factory=dict)
    """FLOP/s by arithmetic: float32, tf32, bfloat16, float16."""


def _device(name: str, gigabytes: int, **teraflops: float) -> Device:
    return Device(name=name, memory_bytes=gigabytes * 10**9, peak={k: v * 1e12 for k, v in teraflops.items()})


DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        _device("t4", 16, float32=8.1, float16=65),
        _device("v100", 32, float32=15.7, float16=125),
        _device("a100", 80, float32=19.5, tf32=156, bfloat16=312, float16=312),
        _device("h100", 80, float32=67, tf32=494.7, bfloat16=989.4, float16=989.4),
        _device("h200", 141, float32=67, tf32=494.7, bfloat16=989.4, float16=989.4),
        _device("b200", 180, float32=75, tf32=1125, bfloat16=2250, float16=2250),
        _device("l4", 24, float32=30.3, tf32=60, bfloat16=121, float16=121),
        _device("rtx3090", 24, float32=35.6, tf32=35.6, bfloat16=71, float16=71),
        _device("rtx4090", 24, float32=82.6, tf32=82.6, bfloat16=165.2, float16=165.2),
    )
}


def device_named(name: str) -> Device:
    """Return the device called `name`. Raises ConfigError where it is not in `DEVICES`."""
    if name not in DEVICES:
        raise ConfigError(
            f"there is no device {name!r}{did_you_mean(name, DEVICES)}; choose one of {', '.join(DEVICES)}"
        )
    return DEVICES[name]


@dataclass(frozen=True, kw_only=True)
class Time:
    """The time of a whole training."""

    steps: int
    """Optimizer steps."""
    tokens: int
    """Tokens of all steps."""
    rate: float
    """FLOP/s that are sustained: peak × MFU."""
    matmul_flops: int
    """Matrix products of all steps (with recomputation, if any)."""
    six_nd_flops: int
    """6·N·D: N all parameters, D all tokens."""
    tokens_per_second: float | None = None
    """What a probe of this machine measured, if one did."""

    @property
    def days(self) -> float:
        """Days of training at `rate`, counting the matrix products of the formulas."""
        return self.matmul_flops / self.rate / SECONDS_PER_DAY

    @property
    def days_6nd(self) -> float:
        """Days of training at `rate`, counting the textbook's 6·N·D."""
        return self.six_nd_flops / self.rate / SECONDS_PER_DAY

    @property
    def measured_seconds(self) -> float | None:
        """Seconds of training at the tokens per second that a probe measured; None without one."""
        return None if self.tokens_per_second is None else self.tokens / self.tokens_per_second


def training_time(
    flops: Flops,
    num_parameters: int,
    *,
    steps: int,
    peak: float,
    mfu: float = 0.5,
    tokens_per_second: float | None = None,
) -> Time:
    """Return how long `steps` steps take.

    Args:
        flops: the account of one step's batch.
        num_parameters: N, for 6·N·D.
        steps: how many steps.
        peak: FLOP/s of the device.
        mfu: the share of the peak that is sustained, above 0 and at most 1.
        tokens_per_second: a measured rate of this machine.

    Raises:
        ConfigError: a number out of its range.
    """
    if not 0 < mfu <= 1:
        raise ConfigError(f"mfu = {mfu} must be above 0 and at most 1; 0.5 is good, 0.3 usual")
    if steps < 1 or peak <= 0:
        raise ConfigError(f"steps = {steps} and peak = {peak} must be positive")
    if tokens_per_second is not None and tokens_per_second <= 0:
        raise ConfigError(f"tokens_per_second = {tokens_per_second} must be positive")
    tokens = steps * flops.tokens
    return Time(
        steps=steps,
        tokens=tokens,
        rate=peak * mfu,
        matmul_flops=steps * flops.training_step(),
        six_nd_flops=6 * num_parameters * tokens,
        tokens_per_second=tokens_per_second,
    )
