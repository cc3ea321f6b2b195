"""Tokens per second of generation at batch 1, hornbook against transformers' `generate` with its cache, alternately.

    python benchmarks/bench_generation.py [--isa avx2]

The model is the TinyStories one (V 10k, d 512, L 4, H 16, F 1344, T 256) with fresh weights; both continue the same
16-token prompt by 224 tokens. Greedy choice, then sampling at temperature 0.8 and top-p 0.95. A contender's figure is
its best round, beside it stands its worst.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import hornbook as hb

sys.path.insert(0, str(Path(__file__).parent))
import instruction_set
from bench_training import SIZES, commit, llama, machine

PROMPT, NEW = 16, 224


def theirs(config: hb.ModelConfig, prompt: torch.Tensor, *, sampling: bool, cache: bool = True) -> Callable[[], int]:
    model: Any = llama(config, prompt.device.type).eval()  # transformers' types of `generate` refuse its own models
    settings = {"do_sample": True, "temperature": 0.8, "top_p": 0.95, "top_k": 0} if sampling else {"do_sample": False}

    def run() -> int:
        out = model.generate(
            prompt[None], attention_mask=torch.ones_like(prompt[None]), max_new_tokens=NEW, min_new_tokens=NEW,
            use_cache=cache, pad_token_id=0, **settings,
        )  # fmt: skip
        return out.shape[1] - PROMPT

    return run


def ours(config: hb.ModelConfig, prompt: torch.Tensor, *, sampling: bool, **settings) -> Callable[[], int]:
    torch.manual_seed(0)
    model = hb.TransformerLM(config, device=prompt.device)
    choice = {"temperature": 0.8, "top_p": 0.95} if sampling else {"temperature": 0.0}
    return lambda: len(hb.generate(model, prompt, NEW, **choice, **settings))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--json", action="store_true")
    instruction_set.add_option(parser)
    arguments = parser.parse_args()
    instruction_set.hold(arguments.isa)
    config, _ = SIZES["tinystories"]
    prompt = torch.randint(0, config.vocab_size, (PROMPT,), device=arguments.device)
    results = {}
    for sampling in (False, True):
        contenders = {
            "transformers, float32, cached": theirs(config, prompt, sampling=sampling),
            "hornbook, float32": ours(config, prompt, sampling=sampling),
            "hornbook, dtype auto": ours(config, prompt, sampling=sampling, dtype="auto"),
        }
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        for run in contenders.values():
            run()
        for _ in range(arguments.rounds):
            for name, run in contenders.items():
                start = time.perf_counter()
                count = run()
                rates[name].append(count / (time.perf_counter() - start))
        results["sampled" if sampling else "greedy"] = rates
    where = f"{machine(arguments.device)}; torch {torch.__version__}; hornbook {commit()}"
    if arguments.json:
        print(json.dumps({"machine": where, "isa": instruction_set.name(), "tokens_per_second": results}, indent=2))
        return
    print(where)
    for kind, rates in results.items():
        base = max(rates["transformers, float32, cached"])
        for name, rate in rates.items():
            line = f"{kind:8} {name:32}{max(rate):9,.0f} tokens/s (worst {min(rate):,.0f})"
            print(f"{line}{max(rate) / base:8.2f} × transformers")


if __name__ == "__main__":
    main()
