"""Tokens per second of the data loader on one thread, and its memory over many batches of a data set beyond memory.

    python benchmarks/bench_data.py     # goals: ≥ 200 M tokens/s per thread; no growth over 100,000 batches of 100 GB

For the rate the file is memory-mapped and warm (its pages have been read once); the result of every batch is two int64
tensors. For the memory the data set is two sparse files of 50 GB, each batch at places never seen before.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from hornbook.data.sampler import BatchSampler, get_batch
from hornbook.data.token_data import TokenData

SHAPES = ((32, 256), (64, 512), (8, 1024), (32, 128))


def resident() -> tuple[int, int]:
    """Return the memory of this process in bytes: its own, and pages of mapped files, which can be taken back."""
    status = Path("/proc/self/status").read_text()
    kilobytes = dict(re.findall(r"(\w+):\s+(\d+) kB", status))
    return 1024 * int(kilobytes["RssAnon"]), 1024 * int(kilobytes["RssFile"])


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


def sparse_files(folder: Path, gigabytes: int) -> TokenData:
    """Return a data set of two files that are all holes."""
    maps = []
    for number in range(2):
        path = folder / f"{number}.npy"
        count = gigabytes * 10**9 // 4
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<u2", "fortran_order": False, "shape": (count,)})
            file.truncate(file.tell() + 2 * count)
        maps.append(np.load(path, mmap_mode="r"))
    return TokenData(maps)


def memory(data: TokenData, batches: int) -> dict:
    """Read batches all over a data set; return the mean memory over the first and the last tenth, and the time."""
    sampler = BatchSampler(data, 32, 256, seed=0, order="epochs")
    sampler.batch(0)
    # Odd, so that the samples fall on every stage between two releases of the files' pages (a power of two apart).
    every = max(1, batches // 1000) | 1
    seen = []
    began = time.perf_counter()
    for i in range(batches):
        sampler.batch(i)
        if i % every == 0:
            seen.append(resident())
    seconds = time.perf_counter() - began
    tenth = max(1, len(seen) // 10)
    return {
        "batches": batches,
        "gigabytes": sum(array.nbytes for array in data.arrays) / 1e9,
        "own": [statistics.mean(own for own, _ in part) for part in (seen[:tenth], seen[-tenth:])],
        "files": [statistics.mean(files for _, files in part) for part in (seen[:tenth], seen[-tenth:])],
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=100_000_000)
    parser.add_argument("--batches", type=int, default=100_000)
    parser.add_argument("--gigabytes", type=int, default=100)
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
            row: dict[str, float] = {"batch": B, "context": T}
            for order in ("random", "epochs"):
                sampler = BatchSampler(data, B, T, seed=0, order=order)
                row[order] = rate(sampler.batch, B * T)
            generator = torch.Generator().manual_seed(0)
            row["get_batch"] = rate(lambda _, B=B, T=T, g=generator: get_batch(data.arrays[0], B, T, "cpu", g), B * T)
            rows.append(row)
        kept = memory(sparse_files(Path(folder), arguments.gigabytes), arguments.batches)
    result = {"rows": rows, "memory": kept}
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{'batch × context':>16} {'random':>12} {'epochs':>12} {'get_batch':>12}   (million tokens/s, one thread)")
    for row in rows:
        name = f"{row['batch']} × {row['context']}"
        print(f"{name:>16} " + " ".join(f"{row[k] / 1e6:>12.0f}" for k in ("random", "epochs", "get_batch")))
    print(
        f"memory over {kept['batches']:,} batches of 32 × 256 from {kept['gigabytes']:.0f} GB: "
        f"{kept['own'][0] / 1e6:.1f} MB in the first tenth, {kept['own'][1] / 1e6:.1f} MB in the last; pages of files "
        f"{kept['files'][0] / 1e6:.1f} and {kept['files'][1] / 1e6:.1f} MB; {kept['seconds']:.0f} s"
    )


if __name__ == "__main__":
    main()
