"""`hornbook ui [RUNS_FOLDER]`: runs, curves and a playground in the browser, from this machine alone."""

from __future__ import annotations

import socket
import threading
import webbrowser
from pathlib import Path

from hornbook.errors import ConfigError, DataError


def main(runs: Path = Path("runs"), *, host: str = "127.0.0.1", port: int = 0, browser: bool = True) -> int:
    """Look at runs in the browser: a table that moves, live curves, comparison, samples, a playground.

    Only this machine reaches it; nothing is loaded from a network. Ctrl-C ends it, trainings go on.

    Args:
        runs: the folder with the runs (study folders too).
        host: an address of this machine that no other machine reaches.
        port: to listen at; 0: 7080, or a free one where that is taken.
        browser: open the page.

    Examples:
        hornbook ui
        hornbook ui studies --port 8080 --no-browser
    """
    from hornbook.serve import check_installed
    from hornbook.serve.security import is_loopback

    check_installed()
    if not is_loopback(host):
        raise ConfigError(
            f"--host {host} can be reached from other machines, and this page stops trainings: take 127.0.0.1 "
            "(from elsewhere: ssh -L)"
        )
    if not 0 <= port <= 65535:
        raise ConfigError(f"--port {port} is none: take 1 to 65535, or 0 for a free one")
    if runs != Path("runs") and not runs.is_dir():
        raise DataError(f"there is no folder {runs}; name the one that holds runs")
    import uvicorn

    from hornbook.serve.board import make_board

    listener = _listen(host, port)
    app, _ = make_board(runs, host=host)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}"
    print(f"{runs} at {address} (Ctrl-C ends it; trainings go on)", flush=True)
    if browser:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    server.run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises ConfigError where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (port,) if port else (PORT, 0):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as error:
            listener.close()
            if port or candidate == 0:
                raise ConfigError(
                    f"{host}:{port} cannot be listened at ({error.strerror}); give another --port"
                ) from None
            continue
        return listener
    raise AssertionError


PORT = 7080
