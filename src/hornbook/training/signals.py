"""SIGTERM, SIGHUP and Ctrl-C: ask the loop to save and leave within one step; a second Ctrl-C leaves at once.

So does the console when nobody reads it any more (`| head`, a terminal that was closed). SIGHUP stays ignored where it
was (nohup).

The handler only sets a flag, which the loop reads between steps (and evaluation between batches), so nothing is ever
interrupted half-way. Outside a training, and in threads, signals keep their usual meaning.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

OUT_OF_TIME = "the time was up"
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Catches the signals inside its block.

    Args:
        one_of_many: this process is one of several of torchrun's, which sends SIGTERM to the others when one has died:
            after a block that ends with an error it is ignored, so that there is time to say what happened.
        stop: what else asks to stop, by returning True from some moment on.

    Attributes:
        requested: the signal that asked to stop, or None.
    """

    def __init__(self, one_of_many: bool = False, stop: Callable[[], bool] = lambda: False) -> None:
        self.one_of_many = one_of_many
        self.stop = stop
        self.requested: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number in WATCHED:
                if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for number, handler in self._before.items():
            deaf = self.one_of_many and kind is not None and number == signal.SIGTERM
            signal.signal(number, signal.SIG_IGN if deaf else handler)

    @property
    def asked(self) -> bool:
        """Whether anything asks to stop."""
        return self.requested is not None or self.stop()

    @property
    def reason(self) -> str:
        """What asked to stop, in words."""
        by_time = self.requested is None and self.stop()
        return OUT_OF_TIME if by_time else f"signal {self.requested or signal.SIGTERM}"

    def request(self, number: int) -> None:
        """Ask the loop to stop, as the signal `number` does."""
        self.requested = number

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.requested == signal.SIGINT:
            os.write(2, b"hornbook: interrupted at once; the run stands at its last checkpoint (--resume)\n")
            os._exit(128 + number)  # the user does not want to wait; checkpoints are whole at any instant
        self.request(number)
