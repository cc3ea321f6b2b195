"""`hornbook ui [RUNS_FOLDER]`: runs, curves and a playground in the browser, from this machine alone."""

from __future__ import annotations

import socket
import threading
import webbrowser
from pathlib import Path

from hornbook.errors import ConfigError, DataError, HornbookError


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
    if runs != Path("runs") and not runs.is_dir():
        raise DataError(f"there is no folder {runs}; name the one that holds runs")
    from hornbook.serve import check_installed
    from hornbook.serve.security import is_loopback

    check_installed()
    if not is_loopback(host):
        raise ConfigError(
            f"--host {host} can be reached from other machines, and this page stops trainings: take 127.0.0.1 "
            "(from elsewhere: ssh -L)"
        )
    from hornbook.serve.board import make_board
    from hornbook.serve.process import listen, run_server, url_of

    listener = _free_or_usual(host) if port == 0 else listen(host, port)
    address = url_of(listener)
    app, _ = make_board(runs, host=host)
    print(f"{runs} at {address} (Ctrl-C ends it; trainings go on)", flush=True)
    if browser:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    return run_server(app, listener, drain=1)


PORT = 7080


def _free_or_usual(host: str) -> socket.socket:
    from hornbook.serve.process import listen

    try:
        return listen(host, PORT)
    except HornbookError:
        return listen(host, 0)
