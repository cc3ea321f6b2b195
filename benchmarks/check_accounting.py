"""Check the accounting against real trainings: peak resident memory and tokens per second, each run in its own process.

    python benchmarks/check_accounting.py                   every configuration, one table
    python benchmarks/check_accounting.py --json out.json   the same, kept
    python benchmarks/check_accounting.py --only 0 5        some of them

Memory: `hornbook train` on random tokens for a few steps, checkpoints and evaluation included; the peak is the kernel's
own count for the process (ru_maxrss). 12 of the configurations ("fit") served to choose the model's constants, 12 drawn
at random ("held out") and 4 of rarer switches did not; the tables of docs/accounting.md have what was said of each.
Time: the plan's expected rate, from its probe, against the median of the logged rates.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from hornbook import config
from hornbook.accounting.memory import StepSettings, engine_memory
from hornbook.models.config import ModelConfig

WITHIN = {"memory": 0.10, "time": 0.15}


def configurations() -> list[dict[str, Any]]:
    """Return the recipes: 12 chosen by hand to tell the terms of the model apart, 12 drawn at random, 4 of switches."""
    by_hand = [
        # V, T, C, L, H, F, B and what else differs
        (10000, 256, 512, 4, 16, 1344, 8, {}),
        (10000, 256, 512, 4, 16, 1344, 8, {"dtype": "bfloat16"}),
        (10000, 256, 512, 4, 16, 1344, 8, {"gradient_accumulation": 4}),
        (1000, 256, 128, 8, 4, 384, 64, {}),
        (1000, 256, 128, 8, 4, 384, 64, {"activation_checkpointing": True}),
        (1000, 256, 128, 8, 4, 384, 64, {"dtype": "bfloat16"}),
        (1000, 64, 768, 8, 12, 2048, 4, {}),
        (32000, 128, 128, 2, 4, 384, 48, {}),
        (32000, 128, 384, 4, 8, 1024, 8, {"tie_embeddings": True, "dtype": "bfloat16"}),
        (2000, 1024, 128, 6, 4, 512, 12, {"ffn": "silu"}),
        (5000, 256, 192, 6, 6, 512, 32, {"norm": "none", "position": "none"}),
        (8000, 256, 256, 6, 4, 704, 16, {"norm": "post", "optimizer": "muon"}),
    ]
    recipes = [_recipe(*row, role="fit") for row in by_hand]
    rng = random.Random(2027)
    while len(recipes) < 24:
        heads = rng.choice([2, 4, 6])
        d_model = heads * rng.choice([32, 48, 64])
        more: dict[str, Any] = {"dtype": rng.choice(["float32", "float32", "bfloat16"])}
        more |= rng.choice([{}, {}, {"ffn": "silu"}, {"norm": "post"}, {"tie_embeddings": True}, {"position": "none"}])
        more |= rng.choice([{}, {}, {}, {"gradient_accumulation": 2}, {"activation_checkpointing": True}])
        length = rng.choice([64, 128, 256, 512])
        tokens = rng.choice([4096, 8192, 16384])  # in a batch
        recipes.append(
            _recipe(
                rng.choice([500, 4000, 10000, 20000]), length, d_model, rng.randint(2, 8), heads,
                64 * rng.randint(d_model // 32, d_model // 16), tokens // length, more, role="held out",
            )
        )  # fmt: skip
    leaderboard = {"ffn": "relu2", "qk_norm": True, "logit_softcap": 15.0, "value_embeddings": 2}
    switches = [
        (10000, 256, 256, 4, 2, 1024, 16, leaderboard | {"dtype": "bfloat16", "optimizer": "muon"}),
        (10000, 256, 256, 4, 2, 1024, 16, leaderboard),
        (4000, 256, 192, 6, 6, 512, 32, {"dropout": 0.1}),
        (4000, 256, 192, 6, 6, 512, 32, {"norm_kind": "layernorm"}),
    ]
    return recipes + [_recipe(*row, role="switches") for row in switches]


def _recipe(
    V: int, T: int, C: int, L: int, H: int, F: int, B: int, more: dict[str, Any], *, role: str
) -> dict[str, Any]:
    of_model = {field.name for field in dataclasses.fields(ModelConfig)}
    model = {"context_length": T, "d_model": C, "num_layers": L, "num_heads": H, "d_ff": F, "vocab_size": V}
    training: dict[str, Any] = {"batch_size": B, "dtype": "float32", "device": "cpu", "compile": False}
    training |= {k: v for k, v in more.items() if k not in of_model and k != "optimizer"}
    optimizer = {"name": more.get("optimizer", "adamw")}
    return {
        "role": role,
        "model": model | {k: v for k, v in more.items() if k in of_model},
        "training": training,
        "optimizer": optimizer,
    }


def predict_memory(recipe: dict[str, Any]) -> int:
    """Return the peak that the measured model says."""
    training = recipe["training"]
    how = StepSettings(
        dtype=training["dtype"],
        optimizer=recipe["optimizer"]["name"],
        gradient_accumulation=training.get("gradient_accumulation", 1),
        activation_checkpointing=training.get("activation_checkpointing", False),
        background_checkpoint=True,
    )
    return engine_memory(config.build(ModelConfig, recipe["model"]), training["batch_size"], how).peak


def measure(recipe: dict[str, Any], steps: int) -> dict[str, float]:
    """Train in a process of its own; return its peak resident memory, the plan's rate and the real one."""
    V, T = recipe["model"]["vocab_size"], recipe["model"]["context_length"]
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "train.npy", rng.integers(0, V, 200 * T, dtype=np.uint16))
        np.save(folder / "validation.npy", rng.integers(0, V, 4 * T, dtype=np.uint16))
        resolved = {
            "run": {"directory": str(folder / "run")},
            "data": {
                "tokens": [str(folder / "train.npy")],
                "validation_tokens": [str(folder / "validation.npy")],
            },
            "tokenizer": {"vocab_size": V},
            "model": recipe["model"],
            "optimizer": recipe["optimizer"],
            "training": recipe["training"] | {"steps": steps},
            "evaluation": {"every": 0, "sample_every": 0},
            "checkpoint": {"every": max(1, steps // 2)},
            "logging": {"every": 1},
            "guard": {"action": "off"},  # a few steps on random tokens may well diverge; that is not asked here
        }
        (folder / "recipe.toml").write_text(config.dump_toml(resolved))
        with (folder / "output").open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "hornbook", "train", str(folder / "recipe.toml")], stdout=output, stderr=output
            )
            _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            raise SystemExit(f"a training failed: {(folder / 'output').read_text()[-2000:]}")
        plan = json.loads((folder / "run" / "plan.json").read_text())
        records = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    rates = sorted(r["tokens_per_second"] for r in records if "tokens_per_second" in r and r["step"] > 1)
    return {
        "peak_bytes": usage.ru_maxrss * 1024,
        "expected_rate": plan["tokens_per_step"] / plan["seconds_per_step"],
        "rate": rates[len(rates) // 2],
    }


def describe(recipe: dict[str, Any]) -> str:
    """Return a recipe in a few words."""
    m, t = recipe["model"], recipe["training"]
    words = [f"V {m['vocab_size']:,} T {m['context_length']} C {m['d_model']} L {m['num_layers']} F {m['d_ff']}"]
    words += [f"B {t['batch_size']}", t["dtype"]]
    switches = ("ffn", "norm", "position", "qk_norm", "logit_softcap", "value_embeddings", "dropout", "norm_kind")
    words += [f"{k} {m[k]}" for k in switches if k in m]
    words += ["tied"] if m.get("tie_embeddings") else []
    words += [f"{t['gradient_accumulation']} parts"] if t.get("gradient_accumulation") else []
    words += ["recomputed"] if t.get("activation_checkpointing") else []
    words += [recipe["optimizer"]["name"]] if recipe["optimizer"]["name"] != "adamw" else []
    return ", ".join(words)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| # | configuration | role | predicted MB | measured MB | off by | expected tok/s | real tok/s | off by |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        lines.append(
            f"| {row['number']} | {row['configuration']} | {row['role']} | {row['predicted'] / 1e6:,.0f} | "
            f"{row['peak_bytes'] / 1e6:,.0f} | {100 * row['memory_error']:+.1f} % | {row['expected_rate']:,.0f} | "
            f"{row['rate']:,.0f} | {100 * row['time_error']:+.1f} % |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the configurations to run")
    parser.add_argument("--steps", type=int, default=10, help="updates of each training")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    arguments = parser.parse_args()
    rows = []
    for number, recipe in enumerate(configurations()):
        if arguments.only and number not in arguments.only:
            continue
        row: dict[str, Any] = {"number": number, "role": recipe["role"], "configuration": describe(recipe)}
        row |= measure(recipe, arguments.steps) | {"predicted": predict_memory(recipe), "recipe": recipe}
        row["memory_error"] = row["predicted"] / row["peak_bytes"] - 1
        row["time_error"] = row["expected_rate"] / row["rate"] - 1
        rows.append(row)
        print(table([row]).splitlines()[-1], flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(rows, indent=1))
    print("\n" + table(rows))
    for kind, limit in WITHIN.items():
        for role in ("fit", "held out", "switches"):
            errors = [abs(row[f"{kind}_error"]) for row in rows if row["role"] == role]
            if errors:
                good = sum(e <= limit for e in errors)
                print(f"{kind}, {role}: {good} of {len(errors)} within {limit:.0%}, worst {max(errors):.1%}")
    return 0 if all(abs(row["memory_error"]) <= WITHIN["memory"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
