"""Train a byte-level BPE: hornbook, gigabpe and gigatoken by turns, each in fresh processes.

    python benchmarks/bench_tokenizer_train.py --source ../shared/data [--pairs 5] [--corpora docs books] [--threads 2]

Prints seconds of the training call, peak resident memory of the process, the ratio pair by pair, and where hornbook's
time goes. The systems agree on the pattern (GPT-2's) and the size, not on ties: hornbook takes the greatest pair by
bytes, the others the smallest by id, so their merges differ late in the list.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import instruction_set
from tokenizer_bench import SEPARATOR, alternate, machine, median, peak_megabytes, plot, ratios, spread


def worker(system: str, path: str, vocab_size: int, threads: int) -> dict:
    phases = {}
    if system == "hornbook":
        from hornbook.tokenizer.counts import count_pretokens
        from hornbook.tokenizer.train import train_counts

        start = time.perf_counter()  # train_bpe itself, taken apart so that the phases can be told
        counts = count_pretokens(path, [SEPARATOR], num_threads=threads)
        size = len(train_counts(counts, vocab_size, [SEPARATOR], None, num_threads=threads, consume=True)[0])
        seconds = time.perf_counter() - start
        phases = counts.phases
    elif system == "gigabpe":
        import gigabpe

        start = time.perf_counter()
        size = len(
            gigabpe.train_bpe(
                [path], vocab_size=vocab_size, special_tokens=[SEPARATOR], pretokenizer="bytelevel", threads=threads
            )[0]
        )
        seconds = time.perf_counter() - start
    else:
        import gigatoken

        start = time.perf_counter()
        gigatoken.train_bpe(path, vocab_size, [SEPARATOR], "huggingface", SEPARATOR.encode())
        seconds, size = time.perf_counter() - start, vocab_size
    return {"seconds": seconds, "peak_mb": peak_megabytes(), "vocab_size": size, "phases": phases}


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        system, path, vocab_size, threads = sys.argv[2:]
        print(json.dumps(worker(system, path, int(vocab_size), int(threads))))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("build/corpora"))
    parser.add_argument("--corpora", nargs="+", default=["docs", "books"])
    parser.add_argument("--systems", nargs="+", default=["hornbook", "gigabpe", "gigatoken"])
    parser.add_argument("--vocab-size", type=int, default=32_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--plot", type=Path)
    instruction_set.add_option(parser)
    arguments = parser.parse_args()
    instruction_set.hold(arguments.isa)
    from tokenizer_corpus import corpora, describe

    paths = corpora(arguments.source, arguments.out)
    print(machine())
    bars = {}
    for name in arguments.corpora:
        print(f"\n{describe(paths[name])}; V = {arguments.vocab_size:,}, {arguments.threads} threads")
        setting = [str(paths[name]), str(arguments.vocab_size)]
        results = alternate(__file__, arguments.systems, setting, arguments.threads, arguments.pairs)
        print("| system | seconds: median (range) | peak RSS, MB | hornbook is faster by |")
        print("|---|---|---|---|")
        for system, runs in results.items():
            times = ratios(results["hornbook"], runs, "seconds", higher_is_better=False)
            print(
                f"| {system} | {spread([run['seconds'] for run in runs])} | {median(runs, 'peak_mb'):.0f} | "
                f"{'' if system == 'hornbook' else spread(times) + ' ×'} |"
            )
        parts = results["hornbook"][0]["phases"]
        print("hornbook's phases, s: " + ", ".join(f"{key} {value:.3f}" for key, value in parts.items()))
        bars[name] = {system: [run["seconds"] for run in runs] for system, runs in results.items()}
    if arguments.plot:
        plot(arguments.plot, f"Training to V = {arguments.vocab_size:,}", "seconds, less is better", bars)


if __name__ == "__main__":
    main()
