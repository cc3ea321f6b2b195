"""Ctrl-C at any instant of a command: it ends with code 130 and one line, never with a traceback.

While a command works the handler raises KeyboardInterrupt, so that temporary files and processes are cleaned up. Within
an import it leaves at once: an extension that is interrupted while it is loaded reports anything but an interrupt. So
it does before and after the command, and at a second Ctrl-C. Trainings have a handler of their own
(training/signals.py). Left out: the time before `entry` is called, when only the interpreter itself and this package's
first modules are being read.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import CodeType, FrameType, FunctionType

_came = False
_work: CodeType | None = None


def watch(work: FunctionType) -> None:
    """Take Ctrl-C over, unless it is ignored (a job in the background); `work` is what does the command."""
    global _work
    _work = work.__code__
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _handle)
        # The interpreter's end would put the default action back, which is to die of the signal.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
        sys.unraisablehook = lambda what: None if _came else sys.__unraisablehook__(what)


def came() -> bool:
    """Whether Ctrl-C was pressed; whatever the command ends with then is a consequence of it."""
    return _came


def _handle(number: int, frame: FrameType | None) -> None:
    global _came
    if _came or not _is_working(frame):
        # The cursor, which a bar hides, comes back.
        os.write(2, (b"\x1b[?25h" if os.isatty(2) else b"") + b"hornbook: interrupted\n")
        os._exit(128 + number)
    _came = True
    raise KeyboardInterrupt


def _is_working(frame: FrameType | None) -> bool:
    """Return whether the command is on the stack, and no import is."""
    while frame is not None and frame.f_code is not _work:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return False
        frame = frame.f_back
    return frame is not None
