"""Twice the input, how many times the computing time? For texts that make a tokenizer quadratic.

Counting with training, and encoding with an empty cache, each by CPU time: the least of several runs.

    python tests/harness/growth.py --megabytes 1 --line 500
"""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import hornbook as hb

WORDS = 20_000


def words(seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 12))) for _ in range(WORDS)]


def random_text(size: int) -> bytes:
    return random.Random(2).randbytes(size).decode("utf-8", errors="replace").encode()[:size]


def joined(between: str, size: int) -> bytes:
    """Words from a fixed list, up to `size` bytes; large texts repeat their first ten megabytes."""
    rng, known = random.Random(3), words()
    part = between.join(rng.choices(known, k=min(size, 10_000_000) // 4)).encode()[: min(size, 10_000_000)]
    return (part * (size // len(part) + 1))[:size]


TEXTS: dict[str, Callable[[int], bytes]] = {
    "one letter": lambda size: b"a" * size,
    "spaces": lambda size: b" " * size,
    "random bytes, decoded with replacement": random_text,
    "words without spaces": lambda size: joined("", size),
    "one line of words": lambda size: joined(" ", size),
}


def model() -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    counts = hb.PretokenCounts()
    counts.add_text(" ".join(words()) + " " + "a" * 64 + " " * 64)
    return hb.train_bpe_from_counts(counts, 2000)


def seconds(text: bytes, folder: Path, repeats: int) -> dict[str, float]:
    """CPU seconds of training on a text and of encoding it, from a file with two threads."""
    path = folder / "text.txt"
    path.write_bytes(text)
    vocab, merges = model()

    def train() -> object:
        return hb.train_bpe(path, 1000, num_threads=2, errors="replace")

    def encode(tokenizer: hb.Tokenizer) -> object:
        return tokenizer.encode_to_array(path, num_threads=2, errors="replace")

    best = {"train": float("inf"), "encode": float("inf")}
    for _ in range(repeats):
        start = time.process_time()
        train()
        best["train"] = min(best["train"], time.process_time() - start)
        tokenizer = hb.Tokenizer(vocab, merges)
        start = time.process_time()
        encode(tokenizer)
        best["encode"] = min(best["encode"], time.process_time() - start)
    return best


def growth(name: str, size: int, repeats: int = 5) -> dict[str, tuple[float, float]]:
    """Return, for training and encoding, the CPU seconds at `size` bytes and at twice as many."""
    with tempfile.TemporaryDirectory() as folder:
        once, twice = (seconds(TEXTS[name](n), Path(folder), repeats) for n in (size, 2 * size))
    return {call: (once[call], twice[call]) for call in once}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=1, help="size of each text, to be doubled")
    parser.add_argument("--line", type=float, default=0, help="megabytes of the one line of words, to be doubled")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    logging.getLogger("hornbook").setLevel(logging.ERROR)  # these texts have few pairs, which is no news here
    print("| text | MB | call | CPU seconds | at twice the size | ratio |\n|---|---|---|---|---|---|")
    for name in TEXTS:
        large = arguments.line if name == "one line of words" else 0
        size = large or arguments.megabytes
        for call, (once, twice) in growth(name, int(size * 1e6), 1 if large else arguments.repeats).items():
            print(f"| {name} | {size:g} | {call} | {once:.4f} | {twice:.4f} | {twice / once:.2f} |", flush=True)


if __name__ == "__main__":
    main()
