"""Each CPU kernel of hornbook against PyTorch's operators for the same, forward and backward, by turns in one process.

    python benchmarks/bench_kernels.py [--isa avx2] [--dtype bfloat16]

Times are the best of all rounds. Attention's share is of the machine's best rate of matrix products in that dtype (768
× 768, measured in the same run): of 2 products of B·H·T²·D multiply-adds forward, half of them masked, and 5 backward
(scores are computed anew). Both sides go through `hornbook.nn.fused`: rotation is part of the kernel on the one side,
composed of PyTorch's operators on the other. The loss has its gradients made in the forward pass.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from hornbook.nn import cpu_kernels, fused
from hornbook.nn.rope import RotaryPositionalEmbedding
from hornbook.training.launch.device import peak_flops

sys.path.insert(0, str(Path(__file__).parent))
import instruction_set
from bench_training import commit, machine

Case = tuple[Callable[..., Tensor], list[Tensor], float]
"""A function, its inputs, and the FLOPs of its products forward (0: it has none to speak of)."""


def cases(dtype: torch.dtype, batch: int = 8, time_: int = 256, width: int = 512) -> dict[str, Case]:
    found: dict[str, Case] = {}
    for D in (32, 64, 128):
        rope, heads = RotaryPositionalEmbedding(10_000.0, D, time_), width // D
        qkv = torch.randn(batch, time_, 3, heads, D, dtype=dtype)
        function = lambda x, rope=rope: fused.causal_attention(x, rope.cos.float(), rope.sin.float())  # noqa: E731
        found[f"attention, D {D}"] = function, [qkv], 2.0 * batch * heads * time_**2 * D
    x = torch.randn(batch * time_, width, dtype=dtype)
    found[f"RMSNorm, {width}"] = lambda x, gain: fused.rms_norm(x, gain, 1e-5), [x, torch.ones(width)], 0.0
    gate, up = torch.randn(2, batch * time_, 1344, dtype=dtype)
    found["silu(gate) · up, 1344"] = gated, [torch.cat((gate, up), -1)], 0.0
    hidden, table = torch.randn(512, 64, dtype=dtype), torch.randn(10_000, 64, dtype=dtype)
    targets = torch.randint(0, 10_000, (512,))
    found["head and loss, 512 × 64 × 10,000"] = lambda x, w: fused.head_loss(x, w, targets), [hidden, table], 0.0
    return found


def gated(both: Tensor) -> Tensor:
    if cpu_kernels.usable(both):
        return cpu_kernels.swiglu(both)
    gate, up = both.chunk(2, -1)
    return torch.nn.functional.silu(gate) * up


def seconds(case: Case, enabled: bool, steps: int) -> tuple[float, float]:
    """Best time of the forward and of the backward pass."""
    function, given, _ = case
    inputs = [x.detach().requires_grad_() for x in given]
    cpu_kernels.enabled = enabled
    best = [float("inf"), float("inf")]
    for _ in range(steps):
        start = time.perf_counter()
        out = function(*inputs)
        middle = time.perf_counter()
        torch.autograd.grad(out, inputs, torch.ones_like(out))
        best = [min(best[0], middle - start), min(best[1], time.perf_counter() - middle)]
    cpu_kernels.enabled = True
    return best[0], best[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6, help="of each side in one round")
    parser.add_argument("--json", action="store_true")
    instruction_set.add_option(parser)
    arguments = parser.parse_args()
    instruction_set.hold(arguments.isa)
    torch.manual_seed(0)
    cpu_kernels.keep_freed_memory()
    known, rate, rows = cases(getattr(torch, arguments.dtype)), 0.0, {}
    for _ in range(arguments.rounds):
        rate = max(rate, peak_flops(torch.device("cpu"), arguments.dtype))
        for name, case in known.items():
            for side, enabled in (("hornbook", True), ("PyTorch", False)):
                before = rows.setdefault(name, {}).get(side, (float("inf"), float("inf")))
                rows[name][side] = tuple(map(min, before, seconds(case, enabled, arguments.steps)))
    where = f"{machine('cpu')}; torch {torch.__version__}; hornbook {commit()}; {arguments.dtype}"
    if arguments.json:
        found = {"machine": where, "isa": instruction_set.name(), "products": rate, "forward_backward_seconds": rows}
        print(json.dumps(found, indent=2))
        return
    print(f"{where}; products {rate / 1e9:,.0f} GFLOP/s")
    print("| kernel | forward, ms | PyTorch's is | backward, ms | PyTorch's is | share of the products' rate |")
    print("|---|---|---|---|---|---|")
    for name, row in rows.items():
        ours, theirs, flops = row["hornbook"], row["PyTorch"], known[name][2]
        cells = [cell for a, b in zip(ours, theirs, strict=True) for cell in (f"{a * 1e3:.2f}", f"{b / a:.2f} ×")]
        shares = [f"{flops * n / t / rate:.0%}" for n, t in zip((1, 2.5), ours, strict=True) if flops]
        print(f"| {name} | {' | '.join(cells)} | {' and '.join(shares)} |")


if __name__ == "__main__":
    main()
