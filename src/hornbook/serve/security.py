"""Who may talk to a server of ours, and how much it may send: what stands between the socket and an application.

`RequestGuard` is ASGI middleware (asgi.readthedocs.io) that hands on a request only if

    its Host header names this machine      a page of the web whose name was rebound to 127.0.0.1 gets nowhere
    its Origin header, if any, is that Host a page of another site cannot write here (there is no CORS either)
    it has the API key, where one is set    compared in constant time; /health needs none
    its body came whole, in time, and is not above a cap

and refuses it in the shape of OpenAI's errors. A server that listens beyond loopback must have a key, and is called by
names that it cannot know: there the key stands in for the check of the Host header. Left out: TLS, users, rates per
client (put a proxy in front for these).
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from hornbook.errors import ConfigError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

KEY_VARIABLE = "HORNBOOK_API_KEY"
OPEN_PATHS = ("/health",)
"""What a load balancer asks for, which has no key."""
BODY_SECONDS = 30.0
"""In which a body must have come whole."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches `host`: localhost, 127.0.0.0/8, ::1."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def read_api_key(key: str | None, file: str | None, host: str) -> str | None:
    """Return the API key of a server that listens on `host`: as given, from a file, or from HORNBOOK_API_KEY.

    Raises:
        ConfigError: two of the first, an empty one or one that no header can hold, or none beyond loopback.
    """
    if key is not None and file is not None:
        raise ConfigError("--api-key and --api-key-file were both given; give one of them")
    if file is not None:
        key = Path(file).read_bytes().decode("utf-8", "replace").strip()
    elif key is None:
        key = os.environ.get(KEY_VARIABLE)
    if key is None:
        if is_loopback(host):
            return None
        raise ConfigError(
            f"--host {host} can be reached from other machines, which needs an API key: set {KEY_VARIABLE}, give "
            "--api-key-file FILE, or stay on this machine with --host 127.0.0.1"
        )
    if not (key.isascii() and key.isprintable() and key.strip() == key != ""):
        raise ConfigError("the API key is empty or holds other than printable ASCII; take letters, digits, - and _")
    return key


def error_body(status: int, message: str, *, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """Return an error as OpenAI's API shapes it (platform.openai.com/docs/guides/error-codes)."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class RefusedError(Exception):
    """A request that is not handed on: HTTP status, sentence, code."""

    def __init__(self, status: int, message: str, code: str):
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class RequestGuard:
    """Hand on the requests that may come in, with their body; see above.

    Args:
        app: the application behind.
        host: where the server listens.
        api_key: what every request must carry as `Authorization: Bearer KEY`; None: nothing.
        max_body: bytes of a request's body.
    """

    def __init__(self, app: App, *, host: str, api_key: str | None, max_body: int = 1 << 20):
        self.app, self.max_body = app, max_body
        self.any_host = not is_loopback(host)
        self.api_key = None if api_key is None else api_key.encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            else:  # no application of ours speaks WebSocket, to which the checks below would have to apply
                await send({"type": "websocket.close", "code": 1008})
            return
        try:
            self._check_headers(scope)
            body = await self._read_body(scope, receive)
        except RefusedError as error:
            await _refuse(send, error)
            return
        if body is None:  # hung up while sending
            return
        came = False

        async def replay() -> Message:
            nonlocal came
            if came:
                return await receive()
            came = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    def _check_headers(self, scope: MutableMapping[str, Any]) -> None:
        host = _only(scope, b"host")
        if host is None or not (self.any_host or is_loopback(_without_port(host))):
            raise RefusedError(
                421, "this server answers to localhost and 127.0.0.1 only; use one of them in the address", "wrong_host"
            )
        origin = _only(scope, b"origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise RefusedError(403, "a page of another site cannot use this server", "wrong_origin")
        if self.api_key is None or scope["path"] in OPEN_PATHS:
            return
        scheme, _, given = (_only(scope, b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode("latin-1"), self.api_key):
            raise RefusedError(
                401, "the API key is missing or wrong: send `Authorization: Bearer KEY`", "invalid_api_key"
            )

    async def _read_body(self, scope: MutableMapping[str, Any], receive: Receive) -> bytes | None:
        announced = _only(scope, b"content-length")
        if announced is not None and announced.isdigit() and int(announced) > self.max_body:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self.max_body:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise RefusedError(408, f"the body did not come within {BODY_SECONDS:.0f} s", "timeout") from None

    def _too_large(self) -> RefusedError:
        return RefusedError(413, f"the body is above {self.max_body} bytes; send a shorter prompt", "body_too_large")


def _only(scope: MutableMapping[str, Any], name: bytes) -> str | None:
    """Return the value of a header. Raises RefusedError where it came twice: who reads which is anybody's guess."""
    values = [value for key, value in scope["headers"] if key == name]
    if len(values) > 1:
        raise RefusedError(400, f"the header {name.decode()} came {len(values)} times; send it once", "repeated_header")
    return values[0].decode("latin-1") if values else None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


async def _refuse(send: Send, error: RefusedError) -> None:
    body = json.dumps(error_body(error.status, error.message, code=error.code)).encode()
    # A refused body may still be on its way: the connection cannot be used again.
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
