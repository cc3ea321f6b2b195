"""Let the k-th system call of a piece of work fail with EIO, or kill the process there, for every k.

The work runs in a forked child. A seccomp filter sends each call that concerns files to a handler of SIGSYS, which
counts it and either makes it (marked by its last argument, so that the filter lets it through), answers EIO, or ends
the process. Nothing is replaced in Python: native code is counted as well. `lseek` is left out (it does nothing on
disk), `getdents` (CPython calls on with its error set, where the handler cannot run), and all that is no file: memory,
clocks, threads. Linux on x86-64 only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import struct
import sys
from collections.abc import Callable

SUPPORTED = sys.platform == "linux" and platform.machine() == "x86_64"
CALLS = {
    0: "read", 1: "write", 2: "open", 3: "close", 4: "stat", 5: "fstat", 6: "lstat", 17: "pread", 18: "pwrite",
    20: "writev", 72: "fcntl", 73: "flock", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate",
    82: "rename", 83: "mkdir", 84: "rmdir", 86: "link", 87: "unlink", 90: "chmod", 257: "openat",
    258: "mkdirat", 262: "newfstatat", 263: "unlinkat", 264: "renameat", 265: "linkat", 316: "renameat2",
    326: "copy_file_range",
}  # fmt: skip
MARK = 0x686F726E
EIO = 5
DEAD = 77
_RAX, _ARGUMENTS = 13, (8, 9, 12, 2, 0)  # places in gregs: rdi, rsi, rdx, r10, r8
_GREGS = 40  # offset in ucontext_t

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _Action(ctypes.Structure):
    _fields_ = (
        ("handler", HANDLER),
        ("mask", ctypes.c_ulong * 16),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


class Trap:
    """Counts calls in this process from `set` on, and acts at number `at` (from 1)."""

    def __init__(self, at: int, kind: str) -> None:
        self.at, self.kind, self.count, self.on = at, kind, 0, False
        self._handler = HANDLER(self._handle)
        self._arguments = [ctypes.c_long() for _ in range(6)]

    def _handle(self, _signal: int, info: int, context: int) -> None:
        number = ctypes.c_int.from_address(info + 24).value
        registers = (ctypes.c_long * 23).from_address(context + _GREGS)
        if self.on:
            self.count += 1
            if self.count == self.at:
                if self.kind == "kill":
                    libc.syscall(231, DEAD)
                registers[_RAX] = -EIO
                return
        given = [ctypes.c_long(registers[place]) for place in _ARGUMENTS]
        result = libc.syscall(ctypes.c_long(number), *given, ctypes.c_long(MARK))
        registers[_RAX] = result if result != -1 else -ctypes.get_errno()

    def set(self) -> None:
        """Put the filter in place, for good."""
        action = _Action(self._handler, flags=0x40000004)  # SA_SIGINFO, SA_NODEFER
        if libc.sigaction(signal.SIGSYS, ctypes.byref(action), None):
            raise OSError(ctypes.get_errno(), "sigaction")
        # Load the number; for a call of the list look at the sixth argument, trap where the mark is missing.
        numbers = sorted(CALLS)
        lines = [(0x20, 0, 0, 0)]
        for place, number in enumerate(numbers):
            lines.append((0x15, len(numbers) - place, 0, number))
        lines += [(0x06, 0, 0, 0x7FFF0000), (0x20, 0, 0, 16 + 5 * 8), (0x15, 0, 1, MARK), (0x06, 0, 0, 0x7FFF0000)]
        lines += [(0x06, 0, 0, 0x00030000)]
        program = b"".join(struct.pack("<HBBI", *line) for line in lines)
        self._program = _Program(len(lines), program)
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(self._program), 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp")
        self.on = True


def run(
    work: Callable[[], object], at: int, kind: str, code_of: Callable[[BaseException | None], int]
) -> tuple[int, int]:
    """Do the work in a forked child with a fault at call `at`.

    Args:
        work: to do.
        at: which call, from 1; one past the last makes none fail.
        kind: "EIO" or "kill".
        code_of: the child's exit code for what the work raised, or None.

    Returns:
        The exit code, DEAD after a kill; and the number of calls.
    """
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        code, trap = 99, Trap(at, kind)
        with contextlib.suppress(BaseException):
            os.close(out)
            try:
                trap.set()
                work()
                error = None
            except BaseException as raised:
                error = raised
            trap.on = False
            code = code_of(error)
            os.write(into, str(trap.count).encode())
        os._exit(code)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        count = int(pipe.read() or b"0")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), count
