"""What this machine can do for this recipe: the "auto" values, its peak rate, and the time of a step, from short
trials.

"auto" values are resolved once, stored with the run, and used again on resume, so that a resumed run computes the same.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from statistics import median_high
from typing import NamedTuple, TypeVar

import torch

from hornbook.accounting.flops import training_flops_per_token
from hornbook.accounting.training_time import DEVICES
from hornbook.errors import ConfigError
from hornbook.nn.cpu_kernels import keep_freed_memory
from hornbook.training.compilation import can_compile
from hornbook.training.config import TrainConfig
from hornbook.training.launch.memory_check import trim_heap_eagerly
from hornbook.training.sections import TrainingSection

Clock = Callable[[], float]
COMPILE_PAYS_SECONDS = 600.0
"""A run that is expected to take longer than this earns back the minute or so that compilation takes."""


def choose_device(name: str) -> torch.device:
    """Return the device that `training.device` means.

    Raises:
        ConfigError: this machine or this build of torch does not have it.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"training.device = {name!r} is not a device; use auto, cpu, cuda, cuda:1 or mps") from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False) or (device.index or 0) >= max(1, torch.cuda.device_count()):
        raise ConfigError(f"training.device = {name!r} is not there; `hornbook doctor` says what this machine has")
    return device


def resolve_auto(config: TrainConfig) -> TrainConfig:
    """Return the recipe with every "auto" of [training] replaced by what it means here."""
    training, device = config.training, choose_device(config.training.device)
    threads, dtype = _threads(training, device), _dtype(training, device)
    compile = _compile_pays(config, device, dtype) if training.compile == "auto" else training.compile
    return config.with_training(device=str(device), dtype=dtype, threads=threads, compile=compile)


def set_machine(config: TrainConfig) -> None:
    """Set threads, allocator and determinism of this process as the recipe says."""
    if isinstance(config.training.threads, int):
        _set_threads(config.training.threads)
    if torch.device(config.training.device).type == "cpu":
        keep_freed_memory()
    if config.training.activation_checkpointing and config.training.device == "cpu":
        trim_heap_eagerly()
    if config.training.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)


def training_rate(training: TrainingSection) -> tuple[float, str]:
    """Return the rate of matrix products, in FLOP/s, in what `training` would compute on and in; and that dtype."""
    device = choose_device(training.device)
    _threads(training, device)
    dtype = _dtype(training, device)
    return peak_flops(device, dtype), dtype


def _threads(training: TrainingSection, device: torch.device) -> int:
    threads = torch.get_num_threads() if training.threads == "auto" else training.threads
    if device.type == "cpu":
        _set_threads(threads)  # what is measured from here on is what the run will have
    return threads


def _set_threads(threads: int) -> None:
    most = 4 * (os.cpu_count() or 1)
    if threads > most:  # torch starts them all, and where the system has no more to give the process dies
        raise ConfigError(
            f"training.threads = {threads:,} is more than four for each core of this machine: give at most {most}, "
            'or "auto"'
        )
    torch.set_num_threads(threads)


def _dtype(training: TrainingSection, device: torch.device) -> str:
    if training.dtype != "auto":
        return training.dtype
    return "bfloat16" if asked_once(bfloat16_pays, torch.get_num_threads(), device) else "float32"


Answered = TypeVar("Answered")


@functools.cache
def asked_once(trial: Callable[..., Answered], threads: int, *arguments: object) -> Answered:
    """Return what a trial of this machine says, made once in a process for so many threads.

    So the runs of a study are computed alike and their MFU is a share of one rate, and a run of seconds does not wait
    0.4 s for both.
    """
    return trial(*arguments)


def bfloat16_pays(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 run at least a quarter faster here than in float32, by a short trial.

    Some CPUs emulate bfloat16 at a fortieth to a five-hundredth of the speed (pytorch#146508), so a small product asks
    before a large one does. It asks for no more than that: on a busy machine both its times are those of the scheduler.
    For the same reason a CPU's products are timed by the seconds that it worked: with eight other programs on two
    cores, 49 of 450 trials by the clock said no, so that a run and its repetition were computed differently; of 450 by
    these seconds none did.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    try:
        for n, factor in ((192, 0.5), (768, 1.25)):
            plain = matmul_rate(device, torch.float32, n, 0.02, clock)
            if matmul_rate(device, torch.bfloat16, n, 0.02, clock) <= factor * plain:
                return False
        return True
    except (RuntimeError, TypeError):  # older Apple systems have no bfloat16 at all
        return False


def _compile_pays(config: TrainConfig, device: torch.device, dtype: str) -> bool:
    """On CUDA a long run is compiled. On a CPU hornbook's kernels are faster than compiled code; MPS gains nothing."""
    if device.type != "cuda" or not can_compile(device):
        return False
    if config.training.max_minutes is not None:
        return config.training.max_minutes * 60 > COMPILE_PAYS_SECONDS
    tokens = config.training.steps * config.tokens_per_step
    flops = tokens * training_flops_per_token(config.model)
    return flops / (0.1 * peak_flops(device, dtype)) > COMPILE_PAYS_SECONDS  # eager code reaches a tenth of the peak


def peak_flops(device: torch.device, dtype: str) -> float:
    """Return what MFU is a share of, in FLOP/s: the data sheet's figure for a known GPU, else a measured product's.

    Args:
        device: where.
        dtype: "float32" or "bfloat16".
    """
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device).lower().replace(" ", "").replace("geforce", "")
        for known in DEVICES.values():
            if known.name in name and dtype in known.peak:
                # Float32 products run on the tensor cores where TF32 is allowed.
                tf32 = dtype == "float32" and torch.get_float32_matmul_precision() != "highest"
                return known.peak["tf32"] if tf32 and "tf32" in known.peak else known.peak[dtype]
    kind = torch.bfloat16 if dtype == "bfloat16" else torch.float32
    n = 768 if device.type == "cpu" else 4096
    return asked_once(matmul_rate, torch.get_num_threads(), device, kind, n, 0.15)


def matmul_rate(device: torch.device, dtype: torch.dtype, n: int, seconds: float, clock: Clock | None = None) -> float:
    """Return the best rate of at least five products of two n × n matrices within `seconds`, in FLOP/s.

    The first product does not count: it starts threads and generates code, for longer than a short trial lasts.
    Seconds are those of `clock` (default: of the wall).
    """
    clock = clock or time.perf_counter
    a = torch.ones(n, n, device=device, dtype=dtype)
    timed(lambda: a @ a, device)
    times: list[float] = []
    end = clock() + seconds
    while clock() < end or len(times) < 5:
        times.append(timed(lambda: a @ a, device, clock))
    return 2.0 * n**3 / min(times)


class StepTime(NamedTuple):
    """Seconds that a step takes."""

    first: float
    """Of the first call, which compiles a compiled step."""
    typical: float
    """Median of the calls after it."""


def measure_step(
    step: Callable[[], object],
    device: torch.device,
    seconds: float = 1.0,
    *,
    compiles: bool = False,
    calls: int | None = None,
) -> StepTime:
    """Return the seconds that `step` takes: at first, and the median of at least three calls after the first one.

    Fresh memory is slow: of a model with 1.3 GB of activations the first step took 2.5 s, the second between 1.4 and
    2.3, and all others 1.3.

    Args:
        step: forward and backward of one batch.
        device: waited for.
        seconds: stop repeating after so long, or with fewer than three calls after ten times as long; a single call
            that takes ten times as long is believed.
        compiles: the first call compiles, and says nothing about the others.
        calls: make so many after the first, whatever they take: several processes make a step together.
    """
    start = time.perf_counter()
    first = timed(step, device)
    if calls is not None:
        return StepTime(first, median_high([timed(step, device) for _ in range(calls)]))
    if first > 10 * seconds and not compiles:
        return StepTime(first, first)
    times: list[float] = []
    while len(times) < 20:
        spent = time.perf_counter() - start - first
        if times and spent >= (seconds if len(times) >= 3 else 10 * seconds):
            break
        times.append(timed(step, device))
    return StepTime(first, median_high(times))


def timed(call: Callable[[], object], device: torch.device, clock: Clock | None = None) -> float:
    """Return the seconds of `clock` (default: of the wall) that `call` takes, until the device has done all of it."""
    clock = clock or time.perf_counter
    start = clock()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return clock() - start
