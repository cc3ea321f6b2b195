"""Make the k-th system call of a save fail, for every k and every way of failing, and see what is left on disk.

Calls that change the disk are replaced by ones that count: `open` for writing, `write`, `fsync`, `mkdir`, `rename`,
`replace`, `unlink`, `rmdir`. At call k one of these happens: the call raises ENOSPC or EIO; a write puts half of its
bytes on disk and raises ENOSPC ("torn"); the process dies on the spot ("crash"), before or after the call.

    python tests/harness/faults.py
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from hornbook.checkpoint.store import Checkpoint, CheckpointStore
from hornbook.errors import CheckpointError

KINDS = ("ENOSPC", "EIO", "torn", "crash before", "crash after")
CALLS = ("fsync", "mkdir", "rename", "replace", "unlink", "rmdir")


class Faults:
    """Counts calls and fails at number `at` (from 1) in the given way."""

    def __init__(self, at: int, kind: str):
        self.at, self.kind, self.count = at, kind, 0

    def call(self, do: Callable[[], Any], torn: Callable[[], Any] = lambda: None) -> Any:
        self.count += 1
        if self.count != self.at:
            return do()
        if self.kind == "crash before":
            os._exit(77)
        if self.kind == "crash after":
            try:
                do()
            finally:
                os._exit(77)
        if self.kind == "torn":
            torn()
        number = errno.EIO if self.kind == "EIO" else errno.ENOSPC
        raise OSError(number, os.strerror(number))


class File:
    """A file opened for writing whose writes are counted; unbuffered, so that each is a system call."""

    def __init__(self, file: io.FileIO, faults: Faults):
        self._file, self._faults = file, faults

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        half = view[: len(view) // 2]
        return self._faults.call(lambda: self._file.write(view), lambda: self._file.write(half))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@contextlib.contextmanager
def injected(faults: Faults) -> Iterator[None]:
    """Count and fail inside the block."""
    real_open, real = builtins.open, {name: getattr(os, name) for name in CALLS}

    def fake_open(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if not any(letter in mode for letter in "wxa"):
            return real_open(path, mode, *arguments, **options)
        return File(faults.call(lambda: real_open(path, mode, buffering=0)), faults)

    def fake(name: str) -> Callable[..., Any]:
        return lambda *arguments, **options: faults.call(lambda: real[name](*arguments, **options))

    builtins.open = fake_open  # type: ignore[assignment]
    for name in CALLS:
        setattr(os, name, fake(name))
    try:
        yield
    finally:
        builtins.open = real_open
        for name in CALLS:
            setattr(os, name, real[name])


def checkpoint(step: int) -> Checkpoint:
    """Return a small checkpoint whose content depends on the step."""
    tensors = {"a": torch.full((3, 5), float(step)), "b": torch.arange(7) + step}
    return Checkpoint(step, tensors, {"0.exp_avg": torch.full((3, 5), -float(step))}, {"progress": {"step": step}})


def attempt(folder: Path, at: int, kind: str) -> tuple[bool, str | None]:
    """Save over two earlier checkpoints with a fault; return whether the fault was reached, and the error's text."""
    store = CheckpointStore(folder, keep_last=2)
    faults = Faults(at, kind)
    try:
        with injected(faults):
            store.save(checkpoint(30), best_val_loss=1.0)
    except CheckpointError as error:
        return True, str(error)
    return faults.count >= at, None


def in_a_child(folder: Path, at: int, kind: str) -> bool:
    """Do `attempt` in a forked process that dies at the fault; return whether it was reached."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            reached, _ = attempt(folder, at, kind)
            code = 3 if reached else 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, 77), f"the child ended with {code}"
    return code == 77


def run_faults() -> Counter:
    """Fail at every call in every way; raise AssertionError where no sound checkpoint is left.

    Returns:
        Number of faults by kind.
    """
    counts: Counter = Counter()
    memory = Path("/dev/shm")  # thousands of fsyncs are slow on a disk and no better
    root = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    for kind in KINDS:
        at, reached = 0, True
        while reached:
            at += 1
            folder = root / f"{KINDS.index(kind)}-{at}"
            store = CheckpointStore(folder, keep_last=2)
            store.save(checkpoint(10), best_val_loss=2.0)
            store.save(checkpoint(20))
            if kind.startswith("crash"):
                reached, error = in_a_child(folder, at, kind), None
            else:
                reached, error = attempt(folder, at, kind)
            check(folder, error)
            counts[kind] += reached
            shutil.rmtree(folder)
    shutil.rmtree(root)
    return counts


def check(folder: Path, error: str | None) -> None:
    """A sound checkpoint is there, of step 20 or 30 and with that step's content; the next save works."""
    warnings: list[str] = []
    store = CheckpointStore(folder, keep_last=2, warn=warnings.append)
    for which in ("last", "best"):
        found = store.load(which)
        assert found.step in ((20, 30) if which == "last" else (10, 30)), (found.step, which)
        assert torch.equal(found.model["a"], checkpoint(found.step).model["a"])
    assert not warnings, warnings  # a folder under its own name is always whole
    if error is not None:
        assert "\n" not in error
        there = store.steps()[-1] == 30
        assert ("could not be written" in error) != there, (error, there)
        assert ("is whole in" in error or "is in place" in error) == there, (error, there)
    store.save(checkpoint(40))
    assert store.load().step == 40
    assert not list(folder.glob(".*")), "the next save cleans up what the fault left"


if __name__ == "__main__":
    result = run_faults()
    print(dict(result), "together", sum(result.values()))
