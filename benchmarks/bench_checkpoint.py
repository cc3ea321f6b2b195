"""How much of a training's time goes to waiting for checkpoints, at default settings (every 500 steps, in the
background).

    python benchmarks/bench_checkpoint.py

Two trainings: one so small that a step takes milliseconds (the worst case: many saves a second), and the TinyStories
model (V 10k, d 512, L 4), whose state is 272 MB. Counted is what the loop waits for: making the records durable and
copying the state. What the writing thread costs the steps beside it is the second figure: the mean step while a
checkpoint is being written over the mean step otherwise.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from hornbook.tokenizer.token_file import TokenFile
from hornbook.tracking.console import Console
from hornbook.training.checkpointer import Checkpointer
from hornbook.training.loop import train
from hornbook.training.monitoring.run_logger import RunLogger
from hornbook.training.trainer import Trainer

SMALL = ({"context_length": 32, "d_model": 32, "num_layers": 2, "num_heads": 2}, 256, 8, 1500, 500)
TINYSTORIES = ({"context_length": 256, "d_model": 512, "num_layers": 4, "num_heads": 16}, 10_000, 2, 9, 4)


def measure(model: dict, vocab: int, batch: int, steps: int, every: int) -> dict:
    waits, steps_beside, steps_alone = [], [], []
    save, sync, train_step = Checkpointer.save, RunLogger.sync, Trainer.train_step

    def timed(call, into):
        def run(self):
            began = time.perf_counter()
            result = call(self)
            into.append(time.perf_counter() - began)
            return result

        return run

    def timed_step(self):
        beside = any(thread.name == "hornbook-save" for thread in threading.enumerate())
        return timed(train_step, steps_beside if beside else steps_alone)(self)

    Checkpointer.save, RunLogger.sync, Trainer.train_step = timed(save, waits), timed(sync, waits), timed_step
    try:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / "train.npy", Path(folder) / "validation.npy"]
            for path, count in zip(paths, (200_000, 2_000), strict=True):
                ids = np.random.default_rng(0).integers(0, vocab, count, dtype=np.uint16)
                TokenFile.write(
                    path,
                    ids,
                    vocab_size=vocab,
                    tokenizer_fingerprint="none",
                    sources=[],
                    num_bytes=count,
                    num_documents=1,
                )
            train(
                {
                    "run": {"directory": f"{folder}/run"},
                    "data": {"tokens": [str(paths[0])], "validation_tokens": [str(paths[1])]},
                    "model": model,
                    "training": {"steps": steps, "batch_size": batch},
                    "evaluation": {"every": 0, "sample_every": 0},
                    "checkpoint": {"every": every},
                },
                console=Console(silent=True),
            )
    finally:
        Checkpointer.save, RunLogger.sync, Trainer.train_step = save, sync, train_step
    saves = steps // every
    step = float(np.mean(steps_alone))
    wait = sum(waits) / saves
    return {
        "step_ms": 1e3 * step,
        "wait_per_save_ms": 1e3 * wait,
        "share_of_500_steps": wait / (500 * step),
        "step_beside_a_save": float(np.mean(steps_beside)) / step if steps_beside else None,
        "steps_beside_saves": len(steps_beside),
        "share_with_slowdown": (wait + max(0.0, sum(steps_beside) - len(steps_beside) * step) / saves) / (500 * step),
        "saves": saves,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = {"small": measure(*SMALL), "tinystories": measure(*TINYSTORIES)}
    if arguments.json:
        print(json.dumps(results))
        return
    for name, r in results.items():
        beside = "" if r["step_beside_a_save"] is None else f", steps beside a save × {r['step_beside_a_save']:.2f}"
        print(
            f"{name:>12}: step {r['step_ms']:.1f} ms, a save waits {r['wait_per_save_ms']:.1f} ms = "
            f"{100 * r['share_of_500_steps']:.2f} % of 500 steps; with the slower steps beside it "
            f"{100 * r['share_with_slowdown']:.2f} %{beside}"
        )


if __name__ == "__main__":
    main()
