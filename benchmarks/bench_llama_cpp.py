"""Tokens per second at batch 1 beside llama.cpp, on the same weights and threads, alternately: prompt and generation.

    pip install llama-cpp-python       # it is built here, for this machine's instruction set
    python benchmarks/bench_llama_cpp.py [--rounds 5] [--isa avx2]

The model is the TinyStories one (V 10k, d 512, L 4, H 16, F 1344, T 256) with fresh weights. Prompt: 240 tokens are
read and one is written. Generation: 224 tokens after a prompt of 16, greedily. A contender's figure is its median
round; hornbook reads the prompt in float32, whatever its weights are then. llama.cpp runs in a process of its own: its
OpenMP and torch's do not live in one. `--isa` holds hornbook and PyTorch; llama.cpp takes the instructions that it was
built for, so for a fair figure it is built for the same (CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_AVX512=OFF …").
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import instruction_set

READ, PROMPT, NEW = 240, 16, 224
TASKS = {"prompt": (READ, 1), "generation": (PROMPT, NEW)}
"""What is measured → tokens read, tokens written."""
PEERS = {"float32": "f32", "bfloat16": "f16", "int8": "q8_0"}
"""Type of hornbook's weights → of llama.cpp's that it is held against."""


def serve_llama_cpp(path: str, threads: int) -> None:
    """Answer each line of standard input, ids and how many to write, with the seconds that it took."""
    import llama_cpp

    if path.endswith("q8_0.gguf"):  # its AMX code for 8-bit weights ends the process on some virtual machines
        settings = llama_cpp.llama_cpp.llama_model_default_params()
        settings.use_extra_bufts = False
        llama_cpp.llama_cpp.llama_model_default_params = lambda: settings
    model = llama_cpp.Llama(path, n_ctx=256, n_batch=256, n_threads=threads, n_threads_batch=threads, verbose=False)
    for line in sys.stdin:
        ids, count = json.loads(line)
        start = time.perf_counter()
        model.reset()
        for _ in zip(range(count), model.generate(ids, temp=0.0), strict=False):
            pass
        print(time.perf_counter() - start, flush=True)


def llama_cpp(path: Path, threads: int) -> Callable[[list[int], int], float]:
    command = [sys.executable, __file__, "--serve", str(path), "--threads", str(threads)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(ids: list[int], count: int) -> float:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.poll() is not None:
            return float("inf")
        process.stdin.write(json.dumps([ids, count]) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:  # of 8-bit weights on processors with AMX it does, at llama.cpp's present state
            print(f"llama.cpp ended with {process.wait()} on {path.name}", file=sys.stderr)
        return float(answer or "inf")

    return run


def measure(rounds: int) -> tuple[str, dict[str, dict[str, list[float]]]]:
    """Return the machine in words, and tokens per second: what is measured → contender → rounds."""
    import torch

    import hornbook as hb
    from hornbook.data.corpora import storyworld
    from hornbook.interop.gguf import write_gguf

    sys.path.insert(0, str(Path(__file__).parent))
    from bench_training import SIZES, commit, machine

    config, _ = SIZES["tinystories"]
    torch.manual_seed(0)
    model = hb.TransformerLM(config).eval()
    ids = torch.randint(0, config.vocab_size, (READ,)).tolist()

    def ours(dtype: str) -> Callable[[list[int], int], float]:
        def run(ids: list[int], count: int) -> float:
            start = time.perf_counter()
            hb.generate(model, ids, count, temperature=0, dtype=dtype)
            return time.perf_counter() - start

        return run

    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text(storyworld.generate(1_000_000, 1))
        tokenizer = hb.Tokenizer(*hb.train_bpe(text, 1000, ["<|endoftext|>"]), ["<|endoftext|>"])
        contenders = {}
        for dtype in PEERS.values():
            path = Path(folder) / f"{dtype}.gguf"
            write_gguf(model, tokenizer, path, dtype=dtype, name="fresh")
            contenders[f"llama.cpp, {dtype}"] = llama_cpp(path, torch.get_num_threads())
        contenders |= {f"hornbook, {dtype}": ours(dtype) for dtype in PEERS}
        rates: dict[str, dict[str, list[float]]] = {task: {name: [] for name in contenders} for task in TASKS}
        for task, (read, written) in TASKS.items():
            for number in range(rounds + 1):  # the first warms up
                for name, run in contenders.items():
                    seconds = run(ids[:read], written)
                    if number:
                        rates[task][name].append((read if task == "prompt" else written) / seconds)
    isa = f"hornbook's isa: {instruction_set.name()}, llama.cpp's that of its build"
    return f"{machine('cpu')}; {isa}; torch {torch.__version__}; hornbook {commit()}", rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    instruction_set.add_option(parser)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve_llama_cpp(arguments.serve, arguments.threads)
        return
    instruction_set.hold(arguments.isa)
    where, rates = measure(arguments.rounds)
    if arguments.json:
        print(json.dumps({"machine": where, "tokens_per_second": rates}, indent=2))
        return
    print(where)
    for task, found in rates.items():
        for name, rate in found.items():
            middle, (owner, dtype) = statistics.median(rate), name.split(", ")
            line = f"{task:11}{name:22}{middle:9,.0f} tokens/s (worst {min(rate):,.0f})"
            peer = f"llama.cpp, {PEERS[dtype] if owner == 'hornbook' else 'f32'}"
            print(f"{line}{middle / statistics.median(found[peer]):8.2f} × {peer}")


if __name__ == "__main__":
    main()
