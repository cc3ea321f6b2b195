"""Ctrl-C at any instant of a command: it ends with code 130 and one line, never with a traceback.

Outside imports the handler raises KeyboardInterrupt, so that temporary files and processes are cleaned up. Within one
it leaves at once: an extension that is interrupted while it is loaded reports anything but an interrupt. So does a
second Ctrl-C. Trainings have a handler of their own (training/signals.py). Left out: the time before `entry` is called,
when only the interpreter itself and this package's first modules are being read.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType

_came = False


def watch() -> None:
    """Take Ctrl-C over, unless it is ignored (a job in the background)."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _handle)
        # The interpreter's end would put the default action back, which is to die of the signal.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
        sys.unraisablehook = lambda what: None if _came else sys.__unraisablehook__(what)


def came() -> bool:
    """Whether Ctrl-C was pressed; whatever the command ends with then is a consequence of it."""
    return _came


def done() -> None:
    """From here on nothing is left to clean up."""
    global _came
    _came = True


def _handle(number: int, frame: FrameType | None) -> None:
    global _came
    if _came or _is_importing(frame):
        # The cursor, which a bar hides, comes back.
        os.write(2, (b"\x1b[?25h" if os.isatty(2) else b"") + b"hornbook: interrupted\n")
        os._exit(128 + number)
    _came = True
    raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
