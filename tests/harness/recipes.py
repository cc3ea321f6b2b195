"""A training so small that hundreds of them run in minutes, with everything in it that a resume could get wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.tokenizer.token_file import TokenFile
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training.loop import train

VOCAB = 61


def write_tokens(path: Path, count: int = 6000, seed: int = 0) -> Path:
    """Write a token file that a tiny model can learn something from: a noisy walk over the ids."""
    random = np.random.default_rng(seed)
    steps = random.choice([1, 2, 3], p=[0.8, 0.15, 0.05], size=count)
    ids = (np.cumsum(steps) % VOCAB).astype(np.uint16)
    TokenFile.write(
        path, ids, vocab_size=VOCAB, tokenizer_fingerprint="none", sources=[], num_bytes=2 * count, num_documents=1
    )
    return path


def tiny_recipe(folder: Path, **sections: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe on token files in `folder`: dropout, accumulation and the guard are on, saves are frequent."""
    folder.mkdir(parents=True, exist_ok=True)
    train, validation = folder / "train.npy", folder / "validation.npy"
    if not train.exists():
        write_tokens(train)
        write_tokens(validation, 700, seed=1)
    recipe: dict[str, Any] = {
        "run": {"directory": str(folder / "run")},
        "data": {"tokens": [str(train)], "validation_tokens": [str(validation)]},
        "model": {"context_length": 16, "d_model": 16, "num_layers": 1, "num_heads": 2, "dropout": 0.1},
        "optimizer": {"lr": 1e-2},
        "schedule": {"warmup_steps": 5},
        "training": {"steps": 40, "batch_size": 4, "gradient_accumulation": 2, "device": "cpu", "threads": 1},
        "evaluation": {"every": 10, "sample_every": 0},
        "checkpoint": {"every": 4},
        "logging": {"every": 3},
        "guard": {"check_every": 5},
    }
    for name, section in sections.items():
        recipe[name] = {**recipe.get(name, {}), **section}
    return recipe


def quiet_train(recipe: dict[str, Any], **settings: Any) -> Run:
    """Train with nothing said on the console."""
    return train(recipe, console=Console(silent=True), **settings)


def fingerprint(run: Path) -> str:
    """Return a hash of everything that a run computed: final weights, optimizer, counters, and all metrics but
    times."""
    last = sorted((run / "checkpoints").glob("step-*"))[-1]
    digest = hashlib.sha256()
    for name in ("model.safetensors", "optimizer.safetensors"):
        digest.update((last / name).read_bytes())
    state = json.loads((last / "state.json").read_text())
    state["progress"].pop("seconds")
    state.pop("budget")
    timed = ("seconds", "tokens_per_second", "mfu", "memory_bytes")
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    plain = [{key: value for key, value in record.items() if key not in timed} for record in records]
    digest.update(json.dumps([last.name, state, plain], sort_keys=True).encode())
    return digest.hexdigest()
