"""A web server on this machine that serves one file, well or badly, and keeps what was asked of it."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """What the server has, and how it misbehaves.

    Args:
        content: of every file that is asked for.
    """

    def __init__(self, content: bytes):
        self.content = content
        self.asked: list[tuple[str, str | None]] = []
        """Path and Range of each request."""
        self.cuts: list[int] = []
        """After so many bytes of the body the connection is closed, for one request each."""
        self.answers: list[int] = []
        """Status codes to answer with instead, for one request each."""
        self.ranges = True
        self.etag = True
        self.length = True
        self.checksum: str | None = None
        """Sent as X-Linked-Etag by the redirect from /linked/…"""
        self.location = ""
        """Where the redirect leads, if not to …"""
        self.silent = 0.0
        """Seconds without a byte in the middle of the first body."""
        self.headers: dict[str, str] = {}
        self.url = ""

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[Site]:
    """Serve `content` at any path below `site.url` until the block ends."""
    site = Site(content)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            site.asked.append((self.path, asked))
            if site.answers:
                return self._plain(site.answers.pop(0))
            if self.path.startswith("/linked/"):
                self.send_response(302)
                self.send_header("Location", site.location or self.path.removeprefix("/linked"))
                if site.checksum:
                    self.send_header("X-Linked-Etag", f'"{site.checksum}"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            return self._file(asked)

        def _plain(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if status == 503:
                self.send_header("Retry-After", "7")
            self.end_headers()

        def _file(self, asked: str | None) -> None:
            etag, start = f'"{site.sha256[:12]}"', 0
            fresh = self.headers.get("If-Range", etag) == etag
            if asked and site.ranges and fresh:
                start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
                if start >= len(site.content):
                    return self._plain(416)
            body = site.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
            if site.etag:
                self.send_header("ETag", etag)
            if site.length:
                self.send_header("Content-Length", str(len(body)))
            else:
                self.send_header("Connection", "close")
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self._send(body)
            return None

        def _send(self, body: bytes) -> None:
            if site.silent:
                self.wfile.write(body[: len(body) // 2])
                seconds, site.silent = site.silent, 0.0
                time.sleep(seconds)
                self.close_connection = True
                return
            if site.cuts:
                self.wfile.write(body[: site.cuts.pop(0)])
                self.close_connection = True
                return
            self.wfile.write(body)
            self.close_connection = not site.length

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: a client that goes away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
