"""storyworld's speed: MB/s at each level with 1 and 2 threads, beside the plain implementation; and 1 GB to a file.

Run: python benchmarks/bench_storyworld.py [--gigabyte]
"""

import argparse
import tempfile
import time
from pathlib import Path

from hornbook.cli.main import main as hornbook
from hornbook.data.corpora import storyworld
from hornbook.data.corpora.storyworld.corpus import grammar
from hornbook.data.corpora.storyworld.machine import tell


def rate(level: str, threads: int, seconds: float = 1.5) -> float:
    pieces = storyworld.chunks(1, level, num_threads=threads)
    next(pieces)
    begin, size = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        size += len(next(pieces))
    return size / (time.perf_counter() - begin) / 1e6


def plain_rate(level: str, stories: int = 1500) -> float:
    compiled = grammar(level)
    begin = time.perf_counter()
    size = sum(len(tell(compiled, 1, i)) for i in range(stories))
    return size / (time.perf_counter() - begin) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabyte", action="store_true", help="also write 1 GB to a temporary file")
    arguments = parser.parse_args()
    print("level    1 thread   2 threads   plain Python  (MB/s)")
    for level in storyworld.LEVELS:
        rates = [sorted(rate(level, threads) for _ in range(3))[1] for threads in (1, 2)]
        print(f"{level:<8} {rates[0]:8.1f}   {rates[1]:9.1f}   {plain_rate(level):10.2f}")
    if arguments.gigabyte:
        with tempfile.TemporaryDirectory() as folder:
            hornbook(
                ["data", "storyworld", "--bytes", "1GB", "--out", str(Path(folder) / "corpus.txt"), "--level", "rich"]
            )


if __name__ == "__main__":
    main()
