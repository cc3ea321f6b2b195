"""Processes that this one starts: fresh interpreters that take no code from the working folder and are deaf to Ctrl-C.

A terminal sends Ctrl-C to all of its foreground processes; whoever started the others ends them. Left out: talking to
them (tokenizer/regex_pool.py, studies/execution.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, cast


def start_module(module: str, *arguments: str, **pipes: Any) -> subprocess.Popen[bytes]:
    """Start a fresh interpreter that runs a module of this package; `pipes` as for `subprocess.Popen`."""
    # Without -P the working folder comes first on the path: a `struct.py` in it would run.
    command = [sys.executable, "-P", "-m", module, *arguments]
    return cast("subprocess.Popen[bytes]", subprocess.Popen(command, process_group=0, **pipes))


@contextlib.contextmanager
def starting_workers() -> Iterator[None]:
    """Let the processes that multiprocessing starts inside the block be as those of `start_module`."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    path = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        os.environ.pop("PYTHONSAFEPATH")
        if path is not None:
            os.environ["PYTHONSAFEPATH"] = path
        if main:
            signal.signal(signal.SIGINT, before)
