"""One web server in this process: a socket, uvicorn on it, and an end by a signal that lets answers be finished.

SIGTERM and Ctrl-C close the socket and give what is being answered some seconds; a second Ctrl-C ends at once. Exit
code 0 after SIGTERM, which is how a server is ended, 130 after Ctrl-C.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType

import uvicorn

from hornbook.errors import HornbookError
from hornbook.serve.security import App


class SignalledServer(uvicorn.Server):
    """uvicorn's, whose signals end the server and not the process."""

    came: int | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        log = logging.getLogger("uvicorn.error")
        level = log.level
        try:
            yield
        finally:
            log.setLevel(level)
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.came = sig
        # From here on it would tell of every answer that is cut off, with a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        super().handle_exit(sig, frame)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes one that is free. Raises HornbookError where it cannot be."""
    if not 0 <= port <= 65535:
        raise HornbookError(f"port {port} is not one of 0 to 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        bound = socket.socket(family)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen()  # from here on a client waits and is not turned away
        except BaseException:
            bound.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise HornbookError(f"port {port} is taken by another program; give another, or 0 for a free one") from None
        raise HornbookError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    return bound


def url_of(bound: socket.socket) -> str:
    """Return where a browser finds a socket, as http://127.0.0.1:8000."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(app: App, *, drain: float) -> SignalledServer:
    """Return a server of an application, which gives what is being answered `drain` seconds once it is to end."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, proxy_headers=False, ws="none",
        timeout_graceful_shutdown=max(1, round(drain)), backlog=1024,
    )  # fmt: skip
    return SignalledServer(config)


def run_server(app: App, bound: socket.socket, *, drain: float) -> int:
    """Serve on a socket of `listen` until a signal comes; return the exit code. See `make_server`."""
    server = make_server(app, drain=drain)
    server.run(sockets=[bound])
    return 130 if server.came == signal.SIGINT else 0
