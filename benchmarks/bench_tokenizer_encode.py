"""Encode a file to ids in memory, GPT-2 vocabulary: hornbook's `encode_to_array`, gigatoken's `encode_files` by turns.

    python benchmarks/bench_tokenizer_encode.py --source ../shared/data [--pairs 5] [--corpora docs100 books]

Each measurement is a fresh process: its first pass is cold, its third warm. Ids are compared with tiktoken's once, and
the time of a chat line's `encode` with tiktoken's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import instruction_set
from tokenizer_bench import SEPARATOR, alternate, machine, median, peak_megabytes, plot, ratios, spread

LINE = "Could you tell me, please, what the weather in Paris is going to be like tomorrow afternoon?"


def load(system: str, source: str) -> Any:
    """Return a tokenizer of hornbook, tiktoken or gigatoken: what they have in common is `encode`."""
    import hornbook as hb

    if system == "hornbook":
        return hb.Tokenizer.from_files(f"{source}/gpt2-vocab.json", f"{source}/gpt2-merges.txt", [SEPARATOR])
    from hornbook.tokenizer import formats

    parts = hb.Tokenizer.from_files(f"{source}/gpt2-vocab.json", f"{source}/gpt2-merges.txt", [SEPARATOR]).parts()
    if system == "tiktoken":
        import tiktoken

        from hornbook.tokenizer.patterns import NAMED

        ranks = {token: number for number, token in parts.vocab.items() if number != 50_256}
        return tiktoken.Encoding(
            "gpt2", pat_str=NAMED["gpt2"], mergeable_ranks=ranks, special_tokens={SEPARATOR: 50_256}
        )
    import gigatoken

    with tempfile.TemporaryDirectory() as folder:
        formats.write_parts(parts, folder, "huggingface")
        return gigatoken.Tokenizer(f"{folder}/tokenizer.json")


def worker(system: str, path: str, source: str, threads: int) -> dict:
    tokenizer = load(system, source)
    size = Path(path).stat().st_size / 1e6
    seconds, count = [], 0
    for _ in range(3):
        start = time.perf_counter()
        if system == "hornbook":
            ids = tokenizer.encode_to_array(path, num_threads=threads)
        else:
            import gigatoken

            ids = tokenizer.encode_files(
                gigatoken.TextFileSource([path], separator=SEPARATOR.encode()), parallel=threads > 1
            )
        seconds.append(time.perf_counter() - start)
        count = len(ids)
        del ids
    return {"cold": size / seconds[0], "warm": size / seconds[2], "peak_mb": peak_megabytes(), "tokens": count}


def chat_line(source: str) -> str:
    ours, theirs = load("hornbook", source), load("tiktoken", source)
    assert ours.encode(LINE) == theirs.encode(LINE)
    best = []
    for encode in (ours.encode, theirs.encode):
        passes = []
        for _ in range(15):
            start = time.perf_counter()
            for _ in range(2000):
                encode(LINE)
            passes.append((time.perf_counter() - start) / 2000 * 1e6)
        best.append(min(passes))
    return f"a chat line of {len(LINE)} characters: hornbook {best[0]:.2f} µs, tiktoken {best[1]:.2f} µs"


def same_ids(path: Path, source: str) -> str:
    import numpy as np

    text = path.read_text(encoding="utf-8")
    ours = load("hornbook", source).encode_to_array(path)
    theirs = load("tiktoken", source).encode_to_numpy(text, allowed_special="all")
    assert np.array_equal(ours, theirs)
    return f"{path.stem}: all {len(ours):,} ids are tiktoken's"


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        system, path, source, threads = sys.argv[2:]
        print(json.dumps(worker(system, path, source, int(threads))))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("build/corpora"))
    parser.add_argument("--corpora", nargs="+", default=["docs100", "books"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--compare", action="store_true", help="also compare all ids with tiktoken's (a minute or so)")
    parser.add_argument("--plot", type=Path)
    instruction_set.add_option(parser)
    arguments = parser.parse_args()
    instruction_set.hold(arguments.isa)
    from tokenizer_corpus import corpora, describe

    source = str(arguments.source)
    paths = corpora(arguments.source, arguments.out)
    print(machine())
    print(chat_line(source))
    bars = {}
    for name in arguments.corpora:
        print(f"\n{describe(paths[name])}")
        if arguments.compare:
            print(same_ids(paths[name], source))
        print("| system | threads | cold, MB/s | warm, MB/s | peak RSS, MB | ratio cold | ratio warm |")
        print("|---|---|---|---|---|---|---|")
        for threads in arguments.threads:
            results = alternate(
                __file__, ["hornbook", "gigatoken"], [str(paths[name]), source], threads, arguments.pairs
            )
            ours, theirs = results["hornbook"], results["gigatoken"]
            for system, runs in results.items():
                cells = [spread([run[key] for run in runs]) for key in ("cold", "warm")]
                cells.append(f"{median(runs, 'peak_mb'):.0f}")
                for key in ("cold", "warm"):
                    better = ratios(ours, theirs, key, higher_is_better=True)
                    cells.append(spread(better) + " ×" if system == "hornbook" else "")
                print(f"| {system} | {threads} | " + " | ".join(cells) + " |")
            for key in ("cold", "warm"):
                bars[f"{name}, {threads} thread{'s'[: threads > 1]}, {key}"] = {
                    system: [run[key] for run in runs] for system, runs in results.items()
                }
    if arguments.plot:
        plot(arguments.plot, "Encoding with GPT-2's vocabulary", "MB/s, more is better", bars)


if __name__ == "__main__":
    main()
