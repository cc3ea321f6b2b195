"""Tokens per second of the data loader on one thread, and its memory over many batches.

    python benchmarks/bench_data.py                  # the goal: ≥ 200 M tokens/s per thread, no growth over 100k
    batches python benchmarks/bench_data.py --batches 100000

The file is memory-mapped and warm (its pages have been read once); the result of every batch is two int64 tensors.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from hornbook.data.sampler import BatchSampler, TokenData, get_batch

SHAPES = ((32, 256), (64, 512), (8, 1024), (32, 128))


def resident() -> int:
    """Return the memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def rate(call, tokens: int, seconds: float = 0.5) -> float:
    """Return the median tokens per second of repeated calls."""
    times = []
    end = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < end:
        began = time.perf_counter()
        for _ in range(64):
            call(number)
            number += 1
        times.append((time.perf_counter() - began) / 64)
    return tokens / statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=100_000_000)
    parser.add_argument("--batches", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens.npy"
        np.save(path, np.random.default_rng(0).integers(0, 10_000, arguments.tokens, dtype=np.uint16))
        data = TokenData([np.load(path, mmap_mode="r")])
        int(data.arrays[0].max())  # every page once
        for B, T in SHAPES:
            row = {"batch": B, "context": T}
            for order in ("random", "epochs"):
                sampler = BatchSampler(data, B, T, seed=0, order=order)
                row[order] = rate(sampler.batch, B * T)
            generator = torch.Generator().manual_seed(0)
            row["get_batch"] = rate(lambda _, B=B, T=T, g=generator: get_batch(data.arrays[0], B, T, "cpu", g), B * T)
            rows.append(row)
        sampler = BatchSampler(data, 32, 256, seed=0)
        for i in range(2000):
            sampler.batch(i)
        before = resident()
        began = time.perf_counter()
        for i in range(arguments.batches):
            sampler.batch(i)
        growth, seconds = resident() - before, time.perf_counter() - began
    result = {"rows": rows, "batches": arguments.batches, "growth_bytes": growth, "seconds": seconds}
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{'batch × context':>16} {'random':>12} {'epochs':>12} {'get_batch':>12}   (million tokens/s, one thread)")
    for row in rows:
        name = f"{row['batch']} × {row['context']}"
        print(f"{name:>16} " + " ".join(f"{row[k] / 1e6:>12.0f}" for k in ("random", "epochs", "get_batch")))
    print(f"memory over {arguments.batches:,} batches of 32 × 256: {growth / 1e6:+.1f} MB, {seconds:.1f} s")


if __name__ == "__main__":
    main()
