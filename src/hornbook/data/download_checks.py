"""What a download is held to: where a redirect may lead, and the SHA-256 that the address had before.

A server that is trusted today may be another one tomorrow. The first download of an address records, in the cache
folder, what came, and later ones must be the same unless another SHA-256 is given. Left out: rebinding of a name
between this look-up and the connection's own.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hornbook.errors import DataError, HornbookError
from hornbook.fileio import atomic_write, cache_folder, canonical_json, read_json_object, sha256_bytes

if TYPE_CHECKING:
    import httpx

SHA256 = r"[0-9a-f]{64}"


def redirect_check(start: str) -> Callable[[httpx.Request], None]:
    """Return a check of each request of a download from `start`; it raises DataError for a redirect that is refused."""
    import httpx

    first = httpx.URL(start)
    private = is_private(first.host)

    def check(request: httpx.Request) -> None:
        url, problem = request.url, ""
        if url.scheme not in ("http", "https"):
            problem = "which is no address of the web"
        elif first.scheme == "https" and url.scheme != "https":
            problem = "which is not encrypted"
        elif not private and is_private(url.host):
            problem = "which is in a private network"
        if problem:
            raise DataError(f"{start} sends on to {url}, {problem}; give that address itself if you trust it")

    return check


def is_private(host: str) -> bool:
    """Return whether a host is on this machine or in a network that the internet does not reach."""
    with contextlib.suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return any(not ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found)
    return False


def recorded(url: str) -> str | None:
    """Return the SHA-256 that an address had when it was first fetched, or None."""
    with contextlib.suppress(OSError, HornbookError):
        known = read_json_object(_record(url))
        if known.get("url") == url and re.fullmatch(SHA256, str(known.get("sha256"))):
            return str(known["sha256"])
    return None


def record(url: str, sha256: str) -> None:
    """Remember what an address has. Raises OSError."""
    atomic_write(_record(url), canonical_json({"version": 1, "url": url, "sha256": sha256}))


def remove_quietly(*paths: Path) -> None:
    """Remove what a download that is whole, or thrown away, leaves behind; a later one tries again."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def _record(url: str) -> Path:
    return cache_folder() / "downloads" / f"{sha256_bytes(url.encode())[:24]}.json"


def broken_off(error: Exception) -> str:
    """Return in plain words why a transfer failed."""
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "the server does not answer in time"
    if isinstance(error, httpx.ConnectError):
        return "the server cannot be reached (is the name right, and the network there?)"
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return "it is no address of http or https, or leads to one that is not (such as file: or ftp:)"
    if isinstance(error, httpx.TooManyRedirects):
        return "the server sends on from place to place without an end"
    return "the connection broke off"
