"""`hornbook doctor [RECIPE]`: what this machine can do, and how fast a recipe would train on it."""

from __future__ import annotations

import json
import os
from typing import Any

from hornbook.format import duration, quantity
from hornbook.training.config import TrainConfig, load

TIMES = {"in ten minutes": 10, "in an hour": 60, "in a night": 8 * 60}
"""What the verdict is about, in minutes."""


def main(recipe: str | None = None, *, json_: bool = False) -> int:
    """What this machine can do; with a recipe, how fast it would train.

    Args:
        recipe: a recipe whose speed is measured by a few steps on random tokens; nothing is written.
        json_: print JSON.

    Examples:
        hornbook doctor recipes/tinystories-cpu.toml
    """
    config = None if recipe is None else load(recipe)
    found: dict[str, Any] = {"software": _software(), "cpu": _cpu(), "devices": _devices()}
    if config is not None:
        found["recipe"] = _recipe(config)
    found["verdict"] = _verdict()
    if json_:
        print(json.dumps(found, indent=2))
        return 0
    for title, section in found.items():
        for key, value in section.items():
            print(f"{title if key == next(iter(section)) else '':10}{key.replace('_', ' '):34}{value}")
    return 0


def _software() -> dict[str, Any]:
    from hornbook.tracking.environment import describe_environment

    found = describe_environment()
    kept = {key: found[key] for key in ("hornbook", "commit", "python", "platform", "processor", "cores")}
    memory = found["memory_bytes"]
    return kept | {"torch": found["packages"]["torch"], "memory": "unknown" if not memory else quantity(memory, "B")}


def _cpu() -> dict[str, Any]:
    import torch

    from hornbook import simd
    from hornbook.nn import cpu_kernels
    from hornbook.tokenizer import _core
    from hornbook.training.compilation import can_compile
    from hornbook.training.launch.device import bfloat16_pays, matmul_rate

    cpu = torch.device("cpu")
    pays = bfloat16_pays(cpu)
    rates = {"float32_matrix_products": quantity(matmul_rate(cpu, torch.float32, 768, 0.1), "FLOP/s")}
    if pays:
        rates["bfloat16_matrix_products"] = quantity(matmul_rate(cpu, torch.bfloat16, 768, 0.1), "FLOP/s")
    held = f" ({simd.VARIABLE})" if os.environ.get(simd.VARIABLE) else ""
    return {
        "threads": torch.get_num_threads(),
        **rates,
        "bfloat16_pays": "yes: dtype auto takes it" if pays else "no: dtype auto stays with float32",
        "hornbook's_kernels": cpu_kernels.variant() + held,
        "hornbook's_tokenizer": _core.variant() + held,
        "compile": "possible, but the kernels are faster" if can_compile(cpu) else "no C++ compiler found, none needed",
    }


def _devices() -> dict[str, Any]:
    import torch

    from hornbook.training.launch.device import bfloat16_pays, choose_device

    devices: dict[str, Any] = {"device_auto_takes": str(choose_device("auto"))}
    for i in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(i)
        half = "bfloat16" if bfloat16_pays(torch.device("cuda", i)) else "no bfloat16"
        devices[f"cuda:{i}"] = f"{properties.name}, {quantity(properties.total_memory, 'B')}, {half}"
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    if len(devices) == 1:
        devices["gpu"] = "none found"
    return devices


def _recipe(config: TrainConfig) -> dict[str, Any]:
    """Time a few updates of a recipe's model on random tokens."""
    import torch

    from hornbook.accounting.flops import training_flops_per_token
    from hornbook.accounting.parameters import count_parameters
    from hornbook.training.launch.device import peak_flops, resolve_auto
    from hornbook.training.launch.memory_check import check_memory_fits
    from hornbook.training.launch.trial import time_updates

    config = resolve_auto(config)
    peak = check_memory_fits(config)
    device, training = torch.device(config.training.device), config.training
    first, seconds = time_updates(config, 3.0)
    rate = config.tokens_per_step / seconds
    flops = training_flops_per_token(config.model) * rate
    compiled = f"compiled in {duration(first - seconds)}" if training.compile else "not compiled"
    report = {
        "parameters": f"{count_parameters(config.model).total:,}",
        "device_and_dtype": f"{device}, {training.dtype}, {compiled}",
        "memory_at_the_peak": "unknown on this device" if peak is None else f"about {quantity(peak, 'B')}",
        "tokens_per_second": f"{rate:,.0f}",
        "seconds_per_step": f"{seconds:.3f} (the first one {first:.1f})",
        "share_of_the_peak": f"{flops / peak_flops(device, training.dtype):.0%} of the matrix products' rate",
    }
    if training.max_minutes is None:
        report["all_steps"] = f"{duration(training.steps * seconds)}, evaluations not counted"
    else:
        report["steps_in_the_budget"] = f"about {training.max_minutes * 60 / seconds:,.0f}"
    return report


def _verdict() -> dict[str, str]:
    """Say what this machine trains in some times, from updates timed here and runs measured elsewhere."""
    from hornbook.training.launch.story_ladder import choose, expect
    from hornbook.training.launch.trial import rung_timer

    time_of, verdict = rung_timer(), {}
    for name, minutes in TIMES.items():
        choice = choose(60 * minutes, time_of)
        expected = expect(choice.tokens)
        bits = f"{expected.bits_per_byte:.3f} bits/byte" + (" or less" if expected.beyond else "")
        verdict[name] = (
            f"a model of {quantity(choice.rung.parameters)} parameters on {quantity(choice.tokens)} tokens: about "
            f"{bits} on storyworld (level easy), {expected.ratio:.2f} × its true entropy"
        )
    return verdict | {"measured": "see training/launch/story_runs.toml for the runs that this is read off"}
