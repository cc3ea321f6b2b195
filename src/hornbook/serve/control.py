"""Stop and resume a run from a page: what SIGTERM and `hornbook train RUN --resume` do.

Only the process that holds the run's lock is signalled, and it is named by the lock itself, so that a process that got
the number of a dead one is never hit. A training that is started here belongs to itself: it goes on when the page's
server ends. Left out: machines other than this one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from hornbook.errors import HornbookError
from hornbook.locks import holder, is_held
from hornbook.processes import start_module
from hornbook.tracking.run import Run

LONGEST_REFUSAL = 2000
"""Characters of what a training that did not start had to say."""


def stop(path: Path) -> int:
    """Ask the process that trains in a run folder to save and end; return its number.

    Raises:
        HornbookError: nobody trains there, or nobody of whom that is certain.
    """
    pid = holder(path)
    if pid is None:
        if not is_held(path):
            raise HornbookError(f"no process trains in {path}: there is nothing to stop")
        raise HornbookError(
            f"the process that trains in {path} is of another machine or an earlier version; stop it there by Ctrl-C"
        )
    if hasattr(os, "pidfd_open"):
        # The descriptor stays with this process: who is asked for after it is open cannot have changed meanwhile.
        process = os.pidfd_open(pid)
        try:
            if holder(path) == pid:
                signal.pidfd_send_signal(process, signal.SIGTERM)
        finally:
            os.close(process)
    else:
        os.kill(pid, signal.SIGTERM)
    return pid


class Resumed:
    """Trainings that were started from a page."""

    def __init__(self) -> None:
        self._started: dict[str, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}

    def start(self, run: Run) -> None:
        """Train a run on from its last checkpoint, in a process of its own.

        Raises:
            HornbookError: it is training, or is done.
        """
        name = str(run.path.resolve())
        running = name in self._started and self._started[name][0].poll() is None
        if running or run.status == "running":
            raise HornbookError(f"{run.path} is training already")
        if run.status == "done":
            raise HornbookError(
                f"{run.path} is done; more --training.steps, beside --resume, would train it for longer"
            )
        said = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": said}
        self._started[name] = (start_module("hornbook", "train", name, "--resume", **pipes), said)

    def refusal(self, path: Path) -> str:
        """Return why a training that was started here ended at once; "" where it did not."""
        process, said = self._started.get(str(path.resolve()), (None, None))
        if process is None or said is None or process.poll() in (None, 0):
            return ""
        said.seek(max(0, said.seek(0, os.SEEK_END) - LONGEST_REFUSAL))
        return said.read(LONGEST_REFUSAL).decode(errors="replace").strip()
