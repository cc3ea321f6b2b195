"""One training step of hornbook against transformers' Llama, alternately, on the same machine in the same process.

    python benchmarks/bench_training.py                 V 10k, d 512, L 4, H 16, F 1344, batch 8 × 256 (TinyStories)
    python benchmarks/bench_training.py --size small    V 4,096, d 128, L 4, batch 32 × 128
    python benchmarks/bench_training.py --isa avx2      as on a machine without AVX-512, both sides
    python benchmarks/bench_training.py --breakdown     where our step's milliseconds go (breakdown.py), no peers

Every contender makes a whole step: forward, backward, clipping at 1.0, AdamW. Each round runs all contenders one after
another; the figure of a contender is its best round (what the machine can do), beside it stands its worst. hornbook
computes in the dtype that "auto" takes on this machine, and so does the compiled peer. The share of the machine's
matrix-product rate counts matrix products only (111.7 MFLOP per token for the TinyStories model) against the best
`torch.mm` of that dtype over the model's own shapes, measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import hornbook as hb
from hornbook.accounting.flops import training_flops_per_token
from hornbook.nn import cpu_kernels
from hornbook.training.compilation import compiled as compile_step
from hornbook.training.launch.device import bfloat16_pays, peak_flops

sys.path.insert(0, str(Path(__file__).parent))
import breakdown
import instruction_set

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

SIZES = {
    "tinystories": (hb.ModelConfig(10_000, 256, 512, 4, 16), 8),
    "small": (hb.ModelConfig(4_096, 128, 128, 4, 4), 32),
}


def llama(config: hb.ModelConfig, device: str) -> LlamaForCausalLM:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocab_size, hidden_size=config.d_model, intermediate_size=config.d_ff,
            num_hidden_layers=config.num_layers, num_attention_heads=config.num_heads,
            max_position_embeddings=config.context_length, tie_word_embeddings=False,
        )
    )  # fmt: skip
    torch.nn.Module.to(model, device)  # transformers' own `to` has no types
    return model


def their_step(config: hb.ModelConfig, ids: torch.Tensor, *, half: bool, compiled: bool) -> Callable[[], None]:
    """A step of transformers' Llama; `half`: under bfloat16 autocast; torch's fused AdamW in all but plain float32."""
    device = ids.device.type
    model = llama(config, device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=half or compiled or None)
    forward = torch.compile(model) if compiled else model
    inputs, targets = ids[:, :-1], ids[:, 1:]

    def step() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=half):
            logits = forward(input_ids=inputs).logits
            loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def our_phases(
    config: hb.ModelConfig, ids: torch.Tensor, *, half: bool, fused: bool, compiled: bool
) -> breakdown.Phases:
    """The phases of a step of hornbook, as the training loop makes it."""
    device = ids.device.type
    torch.manual_seed(0)
    model = hb.TransformerLM(config, device=device).use_fused(fused)
    optimizer = hb.AdamW(model.parameters(), lr=1e-3)
    parameters = list(model.parameters())
    inputs, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=half):
            return model.loss(x, y)

    loss_function = compile_step(loss_of, ids.device) if compiled else loss_of

    loss: list[torch.Tensor] = []

    def update() -> None:
        hb.clip_gradients(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return [
        ("forward", lambda: loss.append(loss_function(inputs, targets))),
        ("backward", lambda: loss.pop().backward()),
        ("update", update),
    ]


def our_step(
    config: hb.ModelConfig, ids: torch.Tensor, *, half: bool, fused: bool, compiled: bool
) -> Callable[[], None]:
    """A step of hornbook."""
    phases = our_phases(config, ids, half=half, fused=fused, compiled=compiled)

    def step() -> None:
        for _, run in phases:
            run()

    return step


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def best_mm(config: hb.ModelConfig, tokens: int, device: str, dtype: torch.dtype) -> float:
    """The best rate of `torch.mm` over the model's own products, forward and backward, in FLOP/s."""
    d, f, v = config.d_model, config.resolved_d_ff, config.vocab_size
    best = 0.0
    for inner, outer in ((d, d), (d, 3 * d), (d, f), (d, 2 * f), (f, d), (d, v)):
        for m, k, n in ((tokens, inner, outer), (tokens, outer, inner), (outer, tokens, inner)):
            a = torch.randn(m, k, device=device, dtype=dtype)
            b = torch.randn(n, k, device=device, dtype=dtype).T
            out = torch.empty(m, n, device=device, dtype=dtype)
            for _ in range(12):
                synchronize(device)
                start = time.perf_counter()
                torch.mm(a, b, out=out)
                synchronize(device)
                best = max(best, 2 * m * k * n / (time.perf_counter() - start))
    return best


def commit() -> str:
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return run.stdout.strip() or "unknown"


def machine(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return (
        f"{model}, {torch.get_num_threads()} threads, isa: {instruction_set.name()}, "
        f"kernels: {cpu_kernels.variant()}, PyTorch: {torch.backends.cpu.get_cpu_capability()}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(SIZES), default="tinystories")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="steps of a contender in one round")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--all", action="store_true", help="the slower modes of both as well")
    parser.add_argument("--breakdown", action="store_true", help="a table of our step, in float32 unless --half")
    parser.add_argument("--half", action="store_true", help="with --breakdown: in bfloat16")
    parser.add_argument("--threads", type=int, help="of PyTorch and the kernels (default: PyTorch's own choice)")
    parser.add_argument("--json", action="store_true")
    instruction_set.add_option(parser)
    arguments = parser.parse_args()
    instruction_set.hold(arguments.isa)
    device = arguments.device
    config, batch = SIZES[arguments.size]
    tokens = batch * config.context_length
    ids = torch.randint(0, config.vocab_size, (batch, config.context_length + 1), device=device)
    if device == "cpu":
        cpu_kernels.keep_freed_memory()  # as `hornbook train` does; the peers in this process profit as well

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.breakdown:
        phases = our_phases(config, ids, half=arguments.half, fused=True, compiled=False)
        print(f"{machine(device)}; torch {torch.__version__}; hornbook {commit()}; {arguments.size}")
        print(breakdown.table(phases, *breakdown.breakdown(phases, arguments.rounds * arguments.steps)))
        return
    on_gpu, half = device == "cuda", bfloat16_pays(torch.device(device))
    dtype = torch.bfloat16 if half else torch.float32
    kind = "bfloat16" if half else "float32"
    contenders: dict[str, Callable[[], None]] = {
        "transformers, eager float32": their_step(config, ids, half=False, compiled=False),
        f"transformers, compiled {kind}": their_step(config, ids, half=half, compiled=True),
        "hornbook": our_step(config, ids, half=half, fused=True, compiled=on_gpu),
    }
    if arguments.all:
        contenders["transformers, eager bfloat16"] = their_step(config, ids, half=True, compiled=False)
        contenders[f"hornbook, compiled {kind}"] = our_step(config, ids, half=half, fused=True, compiled=True)
        contenders["hornbook, float32"] = our_step(config, ids, half=False, fused=True, compiled=on_gpu)
        contenders["hornbook, plain parts, float32"] = our_step(config, ids, half=False, fused=False, compiled=False)

    first: dict[str, float] = {}
    for name, step in contenders.items():
        start = time.perf_counter()
        step()
        synchronize(device)
        first[name] = time.perf_counter() - start
        step()
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    products = 0.0
    for _ in range(arguments.rounds):
        products = max(products, best_mm(config, tokens, device, dtype))
        for name, step in contenders.items():
            synchronize(device)
            start = time.perf_counter()
            for _ in range(arguments.steps):
                step()
            synchronize(device)
            rates[name].append(tokens * arguments.steps / (time.perf_counter() - start))
    report(arguments, config, device, kind, rates, first, products)


def report(arguments, config, device, dtype, rates, first, products) -> None:
    flops = training_flops_per_token(config)
    ours = max(rates["hornbook"])
    result = {
        "size": arguments.size, "machine": machine(device), "isa": instruction_set.name(), "dtype": dtype,
        "torch": torch.__version__, "commit": commit(),
        "matmul_flops_per_token": flops, "best_mm_flops_per_second": products,
        "share_of_best_mm": ours * flops / products,
        "tokens_per_second": rates, "first_step_seconds": first,
        "ratio": {name: ours / max(rate) for name, rate in rates.items()},
    }  # fmt: skip
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{result['machine']}; torch {torch.__version__}; hornbook {result['commit']}; {arguments.size}; {dtype}")
    print(f"{'':34}{'tokens/s':>10}{'worst':>10}{'first step':>12}{'hornbook is':>13}")
    for name, rate in rates.items():
        ratio = ours / max(rate)
        print(f"{name:34}{max(rate):10,.0f}{min(rate):10,.0f}{first[name]:10.1f} s{ratio:11.2f} ×")
    print(
        f"matrix products: {ours * flops / 1e9:,.0f} of {products / 1e9:,.0f} GFLOP/s = "
        f"{result['share_of_best_mm']:.1%} ({flops / 1e6:.1f} MFLOP per token)"
    )
    if device == "cuda":
        print(f"MFU: {ours * flops / peak_flops(torch.device(device), dtype):.1%} of the data sheet's peak")
    else:
        print("on a GPU: not measured, there is none here")


if __name__ == "__main__":
    main()
