"""Damage checkpoint and token files in every way that comes to mind and read them: a typed error or a sound result.

Bit flips, truncations, spliced and overwritten stretches, headers with other lengths, JSON with other values; manifests
are also made to match the damage, so that the readers behind the checksum are reached. A reader may refuse
(HornbookError or OSError) or accept; anything else (another exception, a crash of the process, more than a second,
memory beyond twice the file) is a failure. Each batch of files is read in a forked process, so that a crash is seen
and counted.

    python tests/harness/fuzz.py --files 100000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
import torch._dynamo

from harness.recipes import VOCAB, tiny_recipe
from hornbook import load_checkpoint, save_checkpoint
from hornbook.checkpoint.store import FILES, CheckpointStore
from hornbook.data.sampler import BatchSampler
from hornbook.data.token_data import TokenData
from hornbook.errors import HornbookError
from hornbook.fileio import canonical_json, sha256_bytes
from hornbook.tracking.console import Console
from hornbook.training.loop import train

BATCH = 500
SECONDS = 1.0
# What the allocator and the interpreter may keep besides; the files are at most some 40 KB.
SLACK = 48 << 20
NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 0.5, 1e308, None, True, "", "x", [], {}, [[]], "\ud83d\ude00")


def damage(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return a damaged copy of `content`; `other` lends bytes."""
    data = bytearray(content)
    if chance.random() < 0.4:
        return _other_json(content, chance)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        kind = chance.randrange(8)
        # Headers decide everything, so half of the damage goes to the first part.
        place = chance.randrange(max(1, min(len(data), 600) if chance.random() < 0.5 else len(data)))
        if kind == 0 and data:
            data[place % len(data)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[place:]
        elif kind == 2:
            start = chance.randrange(len(other))
            data[place : place + chance.randrange(64)] = other[start : start + chance.randrange(200)]
        elif kind == 3:
            data[:8] = struct.pack("<Q", chance.choice((0, 1, len(data), 2**20, 2**31, 2**63, chance.getrandbits(64))))
        elif kind == 4:
            data += chance.randbytes(chance.randrange(1, 100))
        elif kind == 5:
            data[place : place + chance.randrange(40)] = b""
        elif kind == 6:
            data[place : place + 8] = chance.randbytes(8)
        else:
            data = bytearray(_other_json(bytes(data), chance))
    return bytes(data)


def _other_json(content: bytes, chance: random.Random) -> bytes:
    """Change a value or a key of the JSON in the content: all of it, or the header of a safetensors file."""
    start, end = (
        (0, len(content)) if content[:1] == b"{" else (8, 8 + min(len(content), int.from_bytes(content[:8], "little")))
    )
    try:
        whole = json.loads(content[start:end])
        node = parent = whole
        key = None
        while isinstance(node, dict | list) and node:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            parent, key = node, chance.choice(keys)
            node = node[key]
            if chance.random() < 0.2:
                break
        if key is None:
            return content
        if isinstance(parent, dict) and chance.random() < 0.2:
            parent[chance.choice(("x", "", "../../x", "__metadata__"))] = parent.pop(key)
        else:
            parent[key] = chance.choice(NUMBERS)
        text = json.dumps(whole).encode()
    except (ValueError, RecursionError):
        return content
    if start == 0:
        return text
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[end:]


class Targets:
    """Sound files, and for each a way to read it."""

    def __init__(self, folder: Path):
        self.folder = folder
        recipe = tiny_recipe(folder / "base", training={"steps": 6, "dtype": "float32"})
        self.run = train(recipe, console=Console(silent=True)).path
        from hornbook.training.config import resolve
        from hornbook.training.launch.setup import set_up

        setup = set_up(resolve(recipe), resume=True, console=Console(silent=True))
        setup.run.release()
        self.trainer = setup.trainer
        save_checkpoint(self.trainer.model, self.trainer.state.optimizer, 6, folder / "one.safetensors")
        self.base = sorted((self.run / "checkpoints").glob("step-*"))[-1]
        self.tokens = folder / "base" / "train.npy"
        names = [self.base / name for name in (*FILES, "MANIFEST.json")]
        self.contents = {path.name: path.read_bytes() for path in names}
        self.contents |= {
            p.name: p.read_bytes() for p in (folder / "one.safetensors", self.tokens, self.tokens.with_suffix(".json"))
        }

    def read_single(self, place: Path, content: bytes) -> None:
        path = place / "one.safetensors"
        path.write_bytes(content)
        load_checkpoint(path, self.trainer.model, self.trainer.state.optimizer)

    def read_folder(self, name: str, fix: bool) -> Callable[[Path, bytes], None]:
        def read(place: Path, content: bytes) -> None:
            folder = place / "checkpoints" / "step-00000006"
            folder.mkdir(parents=True)
            files = {**{n: self.contents[n] for n in (*FILES, "MANIFEST.json")}, name: content}
            if fix and name != "MANIFEST.json":
                manifest = json.loads(files["MANIFEST.json"])
                manifest["files"][name] = {"bytes": len(content), "sha256": sha256_bytes(content)}
                files["MANIFEST.json"] = canonical_json(manifest).encode()
            for n, c in files.items():
                (folder / n).write_bytes(c)
            self.trainer.restore(CheckpointStore(place / "checkpoints").load(6))
            self.trainer.train_step()  # what was accepted must be fit to go on with

        return read

    def read_tokens(self, name: str) -> Callable[[Path, bytes], None]:
        def read(place: Path, content: bytes) -> None:
            for n in ("train.npy", "train.json"):
                (place / n).write_bytes(content if n == name else self.contents[n])
            data = TokenData.open([place / "train.npy"], VOCAB, verify=True)
            BatchSampler(data, 4, 16, seed=0).batch(3)

        return read

    def all(self) -> list[tuple[str, str, Callable[[Path, bytes], None]]]:
        """Return (what, the name of the damaged file, its reader)."""
        found: list[tuple[str, str, Callable[[Path, bytes], None]]]
        found = [("one-file checkpoint", "one.safetensors", self.read_single)]
        for name in FILES:
            found.append((f"{name} behind a matching manifest", name, self.read_folder(name, True)))
        found.append(("MANIFEST.json", "MANIFEST.json", self.read_folder("MANIFEST.json", False)))
        found.append(("model.safetensors", "model.safetensors", self.read_folder("model.safetensors", False)))
        found.append(("token file", "train.npy", self.read_tokens("train.npy")))
        found.append(("token manifest", "train.json", self.read_tokens("train.json")))
        return found


def run_batch(targets: Targets, root: Path, seed: int, count: int) -> Counter:
    """Read `count` damaged files in this process; return counts, with the first failures' text on standard error."""
    chance = random.Random(seed)
    counts: Counter = Counter()
    every = targets.all()
    names = list(targets.contents)
    place = root / f"{seed}"
    for _, name, read in every:  # the first reading maps libraries into the process: that is not the file's memory
        place.mkdir()
        read(place, targets.contents[name])
        shutil.rmtree(place)
    for number in range(count):
        what, name, read = every[number % len(every)]
        content = damage(targets.contents[name], targets.contents[chance.choice(names)], chance)
        place.mkdir()
        began, memory = time.process_time(), _peak()
        try:
            read(place, content)
            counts[f"{what}: accepted"] += 1
        except (HornbookError, OSError) as error:
            counts[f"{what}: refused"] += 1
            counts["sentences of several lines"] += "\n" in str(error)
        except BaseException:
            counts["failures"] += 1
            print(f"{what}, seed {seed}, number {number}", file=sys.stderr)
            traceback.print_exc(limit=-4)
        counts["too slow"] += time.process_time() - began > SECONDS
        if (grown := _peak() - memory) > 2 * len(content) + SLACK:
            counts["too much memory"] += 1
            print(f"{what}, seed {seed}, number {number}: {grown:,} bytes", file=sys.stderr)
        shutil.rmtree(place)
    return counts


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run_fuzz(files: int, seed: int = 0, verbose: bool = False) -> Counter:
    """Read `files` damaged files in forked processes.

    Returns:
        Counts; "failures", "crashes", "too slow" and "too much memory" are to be 0.
    """
    torch.set_num_threads(1)
    memory = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    total: Counter = Counter()
    try:
        targets = Targets(root)
        for batch in range(-(-files // BATCH)):
            result = root / "counts.json"
            pid = os.fork()
            if pid == 0:
                try:
                    counts = run_batch(targets, root, seed * 1_000_003 + batch, min(BATCH, files - batch * BATCH))
                    result.write_text(json.dumps(counts))
                finally:
                    os._exit(0)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if code != 0 or not result.exists():
                total["crashes"] += 1
            else:
                total += Counter(json.loads(result.read_text()))
                result.unlink()
            if verbose and batch % 20 == 0:
                print(batch * BATCH, dict(total), flush=True)
    finally:
        shutil.rmtree(root)
    total["files"] = files
    return total


def is_clean(counts: Counter) -> bool:
    """Return whether nothing went wrong."""
    return not any(
        counts[bad] for bad in ("failures", "crashes", "too slow", "too much memory", "sentences of several lines")
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcome = run_fuzz(arguments.files, arguments.seed, verbose=True)
    for key in sorted(outcome):
        print(f"{outcome[key]:>8}  {key}")
    print("clean" if is_clean(outcome) else "NOT CLEAN")
    sys.exit(0 if is_clean(outcome) else 1)
