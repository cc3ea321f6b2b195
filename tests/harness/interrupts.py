"""Press Ctrl-C in the middle of every long call of the tokenizer, and measure how long it takes to stop.

Each measurement is a process of its own that repeats one call; it gets SIGINT at a random instant and says when the
KeyboardInterrupt arrived.

    python tests/harness/interrupts.py --tries 10 --megabytes 200
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hornbook as hb

END = "<|endoftext|>"
Call = Callable[[], object]


def write_inputs(folder: Path, megabytes: int) -> None:
    """Write a text of many words, one endless word, and one endless stretch of spaces."""
    rng = random.Random(1)
    words = [bytes(rng.choices(b"etaoinshrdlu", k=rng.randint(2, 12))) for _ in range(200_000)]
    part = b" ".join(rng.choices(words, k=150_000)) + f"\n{END}\n".encode()
    with (folder / "words.txt").open("wb") as file:
        while file.tell() < megabytes * 1_000_000:
            file.write(part)
            part = part[1000:] + part[:1000]
    (folder / "letters.txt").write_bytes(b"ab" * (megabytes * 125_000))
    (folder / "spaces.txt").write_bytes(b" " * (megabytes * 1_000_000))


def tokenizer(pattern: str = "gpt2") -> hb.Tokenizer:
    merges = [(b"e", b"t"), (b"a", b"o"), (b"et", b"ao"), (b" ", b"et"), (b"a", b"b"), (b"ab", b"ab")]
    vocab = dict(enumerate([bytes([b]) for b in range(256)] + [left + right for left, right in merges]))
    return hb.Tokenizer(vocab, merges, [END], pattern=pattern)


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 16):
            yield chunk


def many_counts(number: int) -> hb.PretokenCounts:
    rng = random.Random(2)
    counts = hb.PretokenCounts()
    for _ in range(number):
        counts.add(bytes(rng.choices(b"etaoinshrdlu", k=rng.randint(3, 14))), rng.randint(1, 9))
    return counts


def merge_tables() -> Call:
    parts = [many_counts(600_000) for _ in range(2)]

    def call() -> None:
        whole = hb.PretokenCounts()
        for part in parts:
            whole.merge(part)

    return call


def train_counts() -> Call:
    counts = many_counts(600_000)
    return lambda: hb.train_bpe_from_counts(counts, 60_000)


FREE = r"\p{L}+|\s+|[^\s\p{L}]+"
# name: a function of the folder that prepares what is needed and returns the call
CALLS: dict[str, Callable[[Path], Call]] = {
    "count_pretokens, file": lambda f: lambda: hb.count_pretokens(f / "words.txt", [END]),
    "count_pretokens, file, cl100k": lambda f: lambda: hb.count_pretokens(f / "words.txt", [END], pattern="cl100k"),
    "count_pretokens, stream": lambda f: lambda: hb.count_pretokens(chunks(f / "words.txt"), [END]),
    "count_pretokens, free pattern": lambda f: lambda: hb.count_pretokens(f / "words.txt", [END], pattern=FREE),
    "count_pretokens, one word": lambda f: lambda: hb.count_pretokens(f / "letters.txt", [END]),
    "count_pretokens, spaces, o200k": lambda f: lambda: hb.count_pretokens(f / "spaces.txt", [END], pattern="o200k"),
    "PretokenCounts.merge": lambda f: merge_tables(),
    "train_bpe": lambda f: lambda: hb.train_bpe(f / "words.txt", 50_000, [END]),
    "train_bpe, one word": lambda f: lambda: hb.train_bpe(f / "letters.txt", 50_000, [END]),
    "train_bpe_from_counts": lambda f: train_counts(),
    "encode": lambda f: on_text(f / "words.txt", lambda t, text: t.encode(text)),
    "encode_array": lambda f: on_text(f / "words.txt", lambda t, text: t.encode_array(text)),
    "encode_array, 2 threads": lambda f: on_text(f / "words.txt", lambda t, text: t.encode_array(text, 2)),
    "encode_array, one word": lambda f: on_text(f / "letters.txt", lambda t, text: t.encode_array(text)),
    "encode_array, spaces": lambda f: on_text(f / "spaces.txt", lambda t, text: t.encode_array(text)),
    "encode_batch": lambda f: on_text(f / "words.txt", lambda t, text: t.encode_batch(text.split(END))),
    "encode_iterable": lambda f: on_text(f / "words.txt", lambda t, text: sum(1 for _ in t.encode_iterable([text]))),
    "encode_to_array": lambda f: on_file(f, lambda t, source, out: t.encode_to_array(source)),
    "encode_file": lambda f: on_file(f, lambda t, source, out: t.encode_file(source, out)),
    "encode_file, stream": lambda f: on_file(f, lambda t, source, out: t.encode_file(chunks(source), out)),
    "encode_file, free pattern": lambda f: on_file(f, lambda t, source, out: t.encode_file(source, out), FREE),
}


def on_text(path: Path, call: Callable[[hb.Tokenizer, str], object]) -> Call:
    fast, text = tokenizer(), path.read_text()
    return lambda: call(fast, text)


def on_file(folder: Path, call: Callable[[hb.Tokenizer, Path, Path], object], pattern: str = "gpt2") -> Call:
    fast = tokenizer(pattern)
    return lambda: call(fast, folder / "words.txt", folder / "ids.npy")


def child(name: str, folder: Path) -> None:
    """Repeat a call until it is interrupted; print when that was."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background may have it ignored
    call = CALLS[name](folder)
    print("ready", flush=True)
    try:
        for _ in itertools.count():
            call()
    except KeyboardInterrupt:
        print(time.monotonic(), flush=True)


def measure(name: str, folder: Path, delay: float) -> float:
    """Interrupt a call `delay` seconds after its start; return the seconds until the interrupt arrived."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--child", name, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", f"{name} did not start"
        time.sleep(delay)
        sent = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        stopped = float(process.communicate(timeout=60)[0])
    finally:
        process.kill()  # one that goes on would take a processor from everything after it
        process.wait()
    left = [path.name for path in folder.iterdir() if path.suffix not in (".txt", ".npy", ".json")]
    assert not left, f"{name} left {left}"
    return stopped - sent


def run_interrupts(names: list[str], tries: int, megabytes: int, seed: int = 1) -> dict[str, list[float]]:
    """Interrupt each call `tries` times; return the seconds that each took to stop."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder), megabytes)
        return {name: [measure(name, Path(folder), rng.uniform(0.02, 1.0)) for _ in range(tries)] for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="calls with this in their name")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child[0], Path(arguments.child[1]))
        return
    names = [name for name in CALLS if (arguments.only or "") in name]
    print("| call | stops after, ms: median | at most |\n|---|---|---|")
    for name, seconds in run_interrupts(names, arguments.tries, arguments.megabytes, arguments.seed).items():
        print(f"| {name} | {statistics.median(seconds) * 1000:.0f} | {max(seconds) * 1000:.0f} |")


if __name__ == "__main__":
    main()
