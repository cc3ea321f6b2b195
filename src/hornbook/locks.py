"""A folder is one process's until that process ends.

The operating system's own lock (flock on `.lock`) dies with its process. Some network file systems have none: there a
lease stands in, a file `.lease` with host and process that its holder renews; it ends with its process on this host,
and on another when it has not been renewed for `LEASE_SECONDS`. Left out: waiting in a queue, locks for reading, and
clocks of two machines that differ by more than a lease.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hornbook.errors import HornbookError

LEASE_SECONDS, RENEW_SECONDS = 120.0, 15.0
ATTEMPTS = 5
"""At the operating system's lock, 20 ms apart: who only asks whether a folder is held has it for an instant."""
SAID = 512
"""Bytes in which `.lock` says who took it, padded, so that one write replaces what the last one said."""
_WITHOUT = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file until it is closed. False: another process has it; None: this file system has no locks.

    Raises:
        OSError: anything else.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _WITHOUT:
            return None
        raise
    return True


class FolderLock:
    """Holds a folder for this process, by `.lock` in it or, where the file system has no locks, by `.lease`.

    The folder exists. Where a lease has to do, standard error says so.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor: int | None = None
        self._lease: _Lease | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._descriptor is not None or self._lease is not None

    def take(self) -> bool:
        """Take the folder; return False where another process has it. Raises OSError where it cannot be written."""
        if self.held:
            return True
        for attempt in range(ATTEMPTS):
            time.sleep(0.02 * (attempt > 0))
            descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                locked = try_lock(descriptor)
                if locked and stands_at(descriptor, self.folder / ".lock"):
                    os.pwrite(descriptor, json.dumps(_myself()).encode().ljust(SAID), 0)
                    self._descriptor, descriptor = descriptor, -1
                    return True
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
            if locked is None:
                self._lease = _Lease.take(self.folder / ".lease")
                if self._lease is not None:
                    sys.stderr.write(
                        f"note: the file system of {self.folder} has no locks: a lease, renewed every "
                        f"{RENEW_SECONDS:.0f} s, stands in for one; start nothing in the same folder from another "
                        "machine\n"
                    )
                return self._lease is not None
        return False

    def release(self) -> None:
        """Let the folder go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._lease is not None:
            self._lease.release()
            self._lease = None


@contextlib.contextmanager
def hold(folder: Path, what: str) -> Iterator[None]:
    """Make a folder where it is not there, and hold it for the block.

    Args:
        folder: to hold.
        what: what another process would be doing in it, for the sentence.

    Raises:
        HornbookError: another process holds it.
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(folder)
    if not lock.take():
        raise HornbookError(f"another process is {what} in {folder}; wait for it, or use another folder")
    try:
        yield
    finally:
        lock.release()


def is_held(folder: Path) -> bool:
    """Return whether any process, this one included, holds a folder; asking writes nothing."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder / ".lock", os.O_RDONLY | os.O_CLOEXEC)
        try:
            locked = try_lock(descriptor)
        finally:
            os.close(descriptor)
        return _is_alive(folder / ".lease") if locked is None else not locked
    return False


def holder(folder: Path) -> int | None:
    """Return the process on this machine that holds a folder; None where none does, or it cannot be told which."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if not is_held(folder):
            return None
        lease = folder / ".lease"
        found = json.loads((lease if lease.exists() else folder / ".lock").read_bytes())
        # A file of the same name on another machine, or of the holder before this one, names no process of ours.
        if isinstance(found, dict) and found.get("host") == _host() and type(pid := found.get("pid")) is int:
            return pid if pid > 0 and found.get("started") == _started(pid) else None
    return None


def stands_at(descriptor: int, path: Path) -> bool:
    """Return whether an open file is still the one under its name: its folder may have been removed meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


class _Lease:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._stop = threading.Event()
        threading.Thread(target=self._renew, name="hornbook-lease", daemon=True).start()

    @classmethod
    def take(cls, path: Path) -> _Lease | None:
        while True:
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                if _is_alive(path) or not _bury(path):
                    return None
                continue
            with os.fdopen(descriptor, "w") as file:
                json.dump(_myself(), file)
            return cls(path)

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            with contextlib.suppress(OSError):
                os.utime(self.path)

    def release(self) -> None:
        self._stop.set()
        self.path.unlink(missing_ok=True)


def _bury(path: Path) -> bool:
    """Remove a dead lease; return False where it turns out to be another process's new one, which is put back."""
    dead = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.rename(dead)
    except FileNotFoundError:
        return True
    alive = _is_alive(dead)
    with contextlib.suppress(FileExistsError):
        if alive:
            os.link(dead, path)
    dead.unlink(missing_ok=True)
    return not alive


def _myself() -> dict[str, object]:
    return {"host": _host(), "pid": os.getpid(), "started": _started(os.getpid())}


def _host() -> str:
    # Containers may share a host's name, but not its process ids.
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    return socket.gethostname()


def _started(pid: int) -> str:
    """Return what tells a process from a later one of the same number, where the system says it."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _is_alive(path: Path) -> bool:
    """Return whether the holder of a lease is alive, as far as can be known from here."""
    try:
        renewed = time.time() - path.stat().st_mtime < LEASE_SECONDS
        with path.open("rb") as file:
            content = file.read(4096)  # a lease has a hundred bytes
    except FileNotFoundError:
        return False
    try:
        holder = json.loads(content)
    except (ValueError, RecursionError):
        holder = {}
    if not isinstance(holder, dict) or type(pid := holder.get("pid")) is not int or holder.get("host") != _host():
        return renewed  # of another machine, being written, or cut short
    with contextlib.suppress(PermissionError):  # it lives, as another user's
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return holder.get("started") == _started(pid)
