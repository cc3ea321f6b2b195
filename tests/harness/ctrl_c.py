"""Press Ctrl-C at a random instant of a command, imports included: code 130 and no traceback, or done before it came.

Time counts from when hornbook has taken the signal over, which is the first thing that it does.

    python tests/harness/ctrl_c.py --tries 200
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

# `entry` in a fresh interpreter; the byte says that the signal is hornbook's from now on.
START = """
import os, sys
from hornbook.cli import interrupts, main
watch = interrupts.watch
interrupts.watch = lambda work: (watch(work), os.write(1, b"."))
sys.argv[0] = "hornbook"
main.entry()
"""
RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def commands(folder: Path) -> list[list[str]]:
    """Return commands that load little, load torch, write files, start processes, and train."""
    text = folder / "text.txt"
    text.write_text("one two three four five six seven eight nine ten\n" * 60_000)
    size = ["--model.context-length", "16", "--model.d-model", "8", "--model.num-layers", "1", "--model.num-heads", "1"]
    train = ["train", "--text", str(text), "--tokenizer.vocab-size", "260", *size, "--training.threads", "1"]
    return [
        ["tokenizer", "--help"],
        ["account", str(next(RECIPES.glob("*.toml")))],
        ["data", "storyworld", "--bytes", "500KB", "--out", str(folder / "stories.txt")],
        [
            "tokenizer",
            "train",
            str(text),
            "--vocab-size",
            "300",
            "--out",
            str(folder / "tok"),
            "--pattern",
            r"\w+|[^\w]",
        ],
        [*train, "--training.steps", "20", "--run.directory", str(folder / "run"), "--training.compile", "false"],
    ]


def interrupted(command: list[str], seconds: float | None) -> tuple[int, str, float]:
    """Run a command, with Ctrl-C after so many seconds; return its code, what it complained, and how long it took."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", START, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        began = time.monotonic()
        if seconds is not None:
            time.sleep(seconds)
            process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=120)
        return process.returncode, complaint.decode(errors="replace"), time.monotonic() - began


def press(tries: int, seed: int = 0, verbose: bool = False) -> tuple[Counter, list[str]]:
    """Return counts of the codes, and what was wrong."""
    chance, codes, wrong = random.Random(seed), Counter(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        every = commands(folder)
        whole = []
        for command in every:
            code, complaint, seconds = interrupted(command, None)
            assert code == 0, (command, complaint)
            whole.append(seconds)
        for number in range(tries):
            place = number % len(every)
            after = chance.uniform(0, whole[place])
            command = [*every[place], *(["--run.name", str(number)] if every[place][0] == "train" else [])]
            command = [word.replace(str(folder / "run"), str(folder / f"run-{number}")) for word in command]
            code, complaint, _ = interrupted(command, after)
            codes[code] += 1
            if code not in (0, 128 + signal.SIGINT) or "Traceback" in complaint or "Exception ignored" in complaint:
                wrong.append(f"{command[:2]} after {after:.3f} s: code {code}\n{complaint[-600:]}")
            if verbose:
                print(number + 1, dict(codes), f"{len(wrong)} wrong", flush=True)
    return codes, wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    _, faults = press(arguments.tries, arguments.seed, verbose=True)
    print("\n\n".join(faults))
    sys.exit(1 if faults else 0)
