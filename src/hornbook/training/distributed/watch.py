"""Each process of a training looks after the others, in a thread beside the exchanges that it trains by.

An error in one process leaves the others waiting in an exchange, on a GPU for ever. So the process with the error tells
it by the store that they all met at; the others give their own work a moment to end, and leave. Left out: the restart,
which is torchrun's (`--max-restarts`).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

from torch import distributed as dist
from torch._C._distributed_c10d import PrefixStore, TCPStore

LOOK = 1.0
"""Seconds between two looks."""
GRACE = 12.0
"""Seconds that a process has to end by itself, and to save what can be saved, once another has failed."""


class Watch:
    """Passes on the first error of any process.

    Args:
        rank: number of this process.
        key: name of the group at the store, which earlier ones may have used.

    Attributes:
        on_leave: is called with the error before a process that does not end by itself is ended.
    """

    def __init__(self, rank: int, key: str):
        self.on_leave: Callable[[str], None] = lambda sentence: None
        self._rank, self._closed = rank, threading.Event()
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = TCPStore(address, port, is_master=False, timeout=timedelta(seconds=60))
        self._store = PrefixStore(f"{key}/watch", store)
        self._thread = threading.Thread(target=self._look, name="hornbook-watch", daemon=True)
        self._thread.start()

    def error(self, wait: float = 0.0) -> str | None:
        """Return the first error that a process has told of, or None after `wait` seconds."""
        with contextlib.suppress(dist.DistError):  # the store goes with the process or the host that holds it
            if wait:
                self._store.wait(["error"], timedelta(seconds=wait))
            return self.look_up("error")
        return None

    def look_up(self, key: str) -> str | None:
        """Return what a process has put, or None where none has."""
        return self._store.get(key).decode() if self._store.check([key]) else None

    def put(self, key: str, text: str) -> None:
        """Put a text where all processes find it."""
        self._store.set(key, text)

    def tell(self, error: BaseException, code: int) -> None:
        """Tell the others of an error here; from now on this process ends with `code`, whatever still waits in it."""
        sentence = " ".join(str(error).split()) or type(error).__name__
        with contextlib.suppress(dist.DistError):
            self._store.compare_set("error", "", f"process {self._rank} ended with an error: {sentence}")
        atexit.register(_leave, code)

    def close(self) -> None:
        """Look no more: the training is over."""
        self._closed.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._closed.wait(LOOK):
            if (error := self.error()) is not None:
                if self._closed.wait(GRACE):
                    return
                with contextlib.suppress(Exception):
                    self.on_leave(error)
                with contextlib.suppress(OSError):
                    os.write(2, f"hornbook: {error}\n".encode())
                os._exit(1)


def _leave(code: int) -> None:
    """End the process without waiting for exchanges under way, whose other side may be waiting for this one."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
