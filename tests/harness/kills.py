"""Kill a training with SIGKILL at random instants, resume it, and compare with an uninterrupted one, bit for bit.

Each child is forked from a parent that has torch loaded but has never computed with it, so a start costs milliseconds.

    python tests/harness/kills.py --kills 200
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # otherwise every child would import it, for seconds, when it builds its optimizer

from harness.recipes import fingerprint, tiny_recipe
from hornbook.tracking.console import Console
from hornbook.training.loop import train


def child(recipe: dict[str, Any]) -> int:
    """Fork a process that trains; return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        torch.set_num_threads(1)
        run = train(recipe, resume=True, console=Console(silent=True))
        code = 0 if run.status == "done" else 3
    except BaseException as error:
        print(f"child: {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        os._exit(code)


def finish(pid: int) -> int:
    """Wait for a child; return its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def uninterrupted(folder: Path, **sections: Any) -> tuple[str, float]:
    """Train without a kill; return the fingerprint and the seconds."""
    began = time.monotonic()
    code = finish(child(tiny_recipe(folder, **sections)))
    assert code == 0, f"the uninterrupted run ended with {code}"
    return fingerprint(folder / "run"), time.monotonic() - began


def killed(folder: Path, seconds: float, kills: int, chance: random.Random, **sections: Any) -> tuple[str, Counter]:
    """Train with at most `kills` kills; return the fingerprint and counts of what the kills hit."""
    recipe = tiny_recipe(folder, **sections)
    counts: Counter = Counter()
    checkpoints = folder / "run" / "checkpoints"
    while True:
        pid = child(recipe)
        if counts["kills"] < kills:
            if chance.random() < 0.5:
                time.sleep(chance.uniform(0, seconds))
            else:
                wait_for_save(checkpoints, chance, seconds)
            os.kill(pid, signal.SIGKILL)
        code = finish(pid)
        if code == 0:
            return fingerprint(folder / "run"), counts
        assert code == -signal.SIGKILL, f"a resumed run ended with {code}"
        counts["kills"] += 1
        if not (folder / "run" / "config.toml").exists():
            counts["before the run folder was whole"] += 1
        elif any(checkpoints.glob(".step-*.tmp")):
            counts["while a checkpoint was being written"] += 1
        elif any(checkpoints.glob(".step-*.old")):
            counts["while an old checkpoint was being removed"] += 1


def wait_for_save(checkpoints: Path, chance: random.Random, seconds: float) -> None:
    """Wait until one of the next saves is in the making, and a random moment more."""
    end = time.monotonic() + chance.uniform(0.3, 1.0) * seconds
    saves = chance.randrange(1, 4)
    seen: set[str] = set()
    while time.monotonic() < end and len(seen) < saves:
        seen |= {path.name for path in checkpoints.glob(".step-*")}
    time.sleep(chance.uniform(0, 0.004))


def run_kills(kills: int, seed: int = 0, folder: Path | None = None, verbose: bool = False) -> Counter:
    """Make at least `kills` kills over many runs: in float32 saving in the background, in bfloat16 waiting for it.

    Returns:
        Counts; "runs" and "equal runs" among them.
    """
    chance = random.Random(seed)
    total: Counter = Counter()
    root = Path(tempfile.mkdtemp(dir=folder))
    ways = [
        {"checkpoint": {"every": 4, "background": True}, "training": {"dtype": "float32"}},
        {"checkpoint": {"every": 4, "background": False}, "training": {"dtype": "bfloat16"}},
    ]
    wanted = [uninterrupted(root / f"whole-{i}", **way) for i, way in enumerate(ways)]
    while total["kills"] < kills:
        number = total["runs"]
        (print_, seconds), way = wanted[number % 2], ways[number % 2]
        got, counts = killed(root / f"{number}", seconds, min(8, kills - total["kills"]), chance, **way)
        total += counts
        total["runs"] += 1
        total["equal runs"] += got == print_
        if verbose:
            print(dict(total), flush=True)
        shutil.rmtree(root / f"{number}")
    shutil.rmtree(root)
    return total


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    result = run_kills(arguments.kills, arguments.seed, verbose=True)
    sys.exit(0 if result["equal runs"] == result["runs"] else 1)
