"""What the pages of `hornbook ui` answer with: JSON in which every text only shows, headers that keep a page to itself.

A page may run this server's scripts and nothing else, write to this server alone, and stand in no frame
(w3.org/TR/CSP3). Left out: who may ask at all (security.py).
"""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from hornbook.errors import HornbookError
from hornbook.format import visible
from hornbook.serve.security import App, error_body

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PROTECTION = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class PlainJSON(JSONResponse):
    """JSON without what commands instead of showing in its texts, and without NaN."""

    def render(self, content: Any) -> bytes:
        return safe_json(content).encode()


def safe_json(content: Any) -> str:
    """Return JSON: text as `visible` writes it, numbers that JSON lacks as null."""
    return json.dumps(_plain(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        # Most are curves, of thousands of numbers.
        return [item if type(item) is float and math.isfinite(item) else _plain(item) for item in value]
    return value


def handle_errors(app: FastAPI) -> None:
    """Let every refusal be a sentence in the shape of security.error_body, with nothing of the request in it raw."""

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return PlainJSON(error_body(error.status_code, str(error.detail)), error.status_code)

    @app.exception_handler(HornbookError)
    async def mistaken(_: Request, error: HornbookError) -> Response:
        return PlainJSON(error_body(409, str(error)), 409)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return PlainJSON(error_body(422, said[:2000]), 422)


def protected(app: Any) -> App:
    """Add to every answer the headers that keep it what it is."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = [pair for pair in message["headers"] if pair[0].lower() not in PROTECTION]
                message = message | {"headers": [*own, *PROTECTION.items()]}
            await send(message)

        await app(scope, receive, with_headers)

    return answer
