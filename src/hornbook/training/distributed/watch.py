"""Each process of a training looks after the others, in a thread beside the exchanges that it trains by.

An error in one process leaves the others waiting in an exchange, on a GPU for ever. So the process with the error tells
it by the store that they all met at; the others give their own work a moment to end, and leave. A process that hangs
tells nothing: each notes how far it is (`tick`), the threads show it to one another, and the process that is behind all
others for too long is an error that any of them tells. Left out: the restart, which is torchrun's (`--max-restarts`),
and a process that hangs before the training begins, where preparing data may take hours.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from torch import distributed as dist
from torch._C._distributed_c10d import PrefixStore, TCPStore

LOOK = 1.0
"""Seconds between two looks."""
GRACE = 12.0
"""Seconds that a process has to end by itself, and to save what can be saved, once another has failed."""
PATIENCE = 180.0
"""Seconds that the process that is behind may stand still (`HORNBOOK_PATIENCE` in the environment sets others)."""
SLOW = 10.0
"""How many times as long where one thing takes its time: compiling, a checkpoint."""


class Watch:
    """Passes on the first error of any process, and finds the one that hangs.

    Args:
        rank: number of this process.
        size: how many there are.
        key: name of the group at the store, which earlier ones may have used.

    Attributes:
        on_leave: is called with the error before a process that does not end by itself is ended.
    """

    def __init__(self, rank: int, size: int, key: str):
        self.on_leave: Callable[[str], None] = lambda sentence: None
        self._rank, self._closed = rank, threading.Event()
        self._patience = float(os.environ.get("HORNBOOK_PATIENCE", PATIENCE))
        self._place: tuple[int, str, float] = (0, "", 0.0)
        self._keys = [f"place {other}" for other in range(size)]
        self._seen: list[tuple[str, float]] = [("", 0.0)] * size
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = TCPStore(address, port, is_master=False, timeout=timedelta(seconds=60))
        self._store = PrefixStore(f"{key}/watch", store)
        self.put(self._keys[rank], json.dumps(self._place))
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

    def tick(self, place: str, slow: bool) -> None:
        """Note what this process does next; all processes tick alike.

        Args:
            place: for the sentence about a process that hangs there: "nothing has come after …".
            slow: it may take as long as compiling or a checkpoint.
        """
        self._place = (self._place[0] + 1, place, self._patience * (SLOW if slow else 1))

    def _compare(self, seconds: float) -> None:
        """Show the others where this process is, and tell of those that are behind and stand still.

        Args:
            seconds: since the last time; of many, as after a suspended job, two rounds' count.
        """
        self.put(self._keys[self._rank], json.dumps(self._place))
        places = []
        for number, value in enumerate(self._store.multi_get(self._keys)):
            text, silent = self._seen[number]
            silent = silent + min(seconds, 2 * max(LOOK, self._patience / 10)) if text == value.decode() else 0.0
            self._seen[number] = (value.decode(), silent)
            places.append((*json.loads(value), silent))
        behind = min(ticks for ticks, *_ in places)
        last = [number for number, (ticks, *_) in enumerate(places) if ticks == behind]
        _, place, patience, _ = places[last[0]]
        if behind and (silent := min(places[number][3] for number in last)) > patience:
            who = f"process {last[0]} hangs" if len(last) == 1 else f"processes {', '.join(map(str, last))} hang"
            self._store.compare_set("error", "", f"{who}: for {silent:.0f} seconds nothing has come after {place}")

    def _look(self) -> None:
        compared = time.monotonic()
        while not self._closed.wait(LOOK):
            if (seconds := time.monotonic() - compared) > self._patience / 10:
                compared += seconds
                with contextlib.suppress(dist.DistError):
                    self._compare(seconds)
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
