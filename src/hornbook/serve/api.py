"""The HTTP interface of one model, as OpenAI's clients expect it: `/v1/completions` and what belongs to it.

    RequestGuard (serve/security.py) → route → CompletionJob (serve/completions.py) → BatchEngine (serve/engine.py)

Errors are OpenAI's in shape. Left out: chat (a model of this project has no chat template), embeddings, files.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request

from hornbook.errors import DataError, HornbookError
from hornbook.serve.completions import CompletionAnswer, CompletionJob
from hornbook.serve.engine import BatchEngine, QueueFullError
from hornbook.serve.metrics import CONTENT_TYPE, Metrics
from hornbook.serve.schema import (
    CompletionObject,
    CompletionRequest,
    ErrorAnswer,
    Health,
    ModelEntry,
    ModelList,
    complaint,
)
from hornbook.serve.security import error_body
from hornbook.serve.sequence import CompletionSettings, Sequence, WrittenPiece
from hornbook.tokenizer.tokenizer import Tokenizer

LONG_PROMPT = 10_000
"""Characters from which a prompt is encoded in a thread, so that others are not kept waiting."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model that is served, and the limits of a request."""

    name: str
    tokenizer: Tokenizer
    vocab_size: int
    """Of the model."""
    context_length: int
    stop_token: int | None
    document_start: int | None
    """What an empty prompt is; None: an empty prompt is refused."""
    max_tokens: int = 4096
    """Of a completion."""
    deadline: float = 600.0
    """Seconds in which a request must be answered."""
    created: int = field(default_factory=lambda: int(time.time()))

    def token_bytes(self, token: int) -> bytes:
        """Return a token's bytes; a model may have more ids than its tokenizer."""
        return self.tokenizer.vocab.get(token, b"")


class RequestError(Exception):
    """A request that is refused: HTTP status and sentence."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None):
        super().__init__(message)
        self.status, self.body = status, error_body(status, message, param=param, code=code)
        self.headers: dict[str, str] = {}


def create_app(engine: BatchEngine, served: Served) -> FastAPI:
    """Return the application; the engine works as long as it runs."""
    metrics = Metrics(engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        engine.deliver = lambda pieces: loop.call_soon_threadsafe(_spread, pieces, metrics)
        engine.start()
        yield
        await asyncio.to_thread(engine.stop)

    errors: dict[int | str, Any] = {
        status: {"model": ErrorAnswer, "description": text}
        for status, text in (
            (400, "Bad request"), (401, "No API key"), (403, "Another site's page"), (404, "Not found"),
            (408, "Too slow"), (413, "Too large"), (421, "Wrong host"), (429, "Queue full"), (500, "Not computed"),
            (504, "Deadline passed"),
        )
    }  # fmt: skip
    app = FastAPI(title="hornbook serve", lifespan=lifespan, docs_url=None, redoc_url=None, responses=errors)
    _add_error_handlers(app, metrics)
    _add_status_routes(app, engine, served, metrics)

    streamed = {"description": "The completion, or its events", "content": {"text/event-stream": {}}}

    @app.post("/v1/completions", response_model=CompletionObject, responses={200: streamed})
    async def completions(body: CompletionRequest) -> Any:
        """Complete a prompt."""
        job = await _job(body, served, engine)
        try:
            engine.submit(job.sequences)
        except QueueFullError as error:
            refused = RequestError(429, str(error), code="queue_full")
            refused.headers = {"retry-after": str(error.retry_after)}
            raise refused from None
        return CompletionAnswer(job, engine, metrics)

    @app.post("/v1/chat/completions", include_in_schema=False)
    async def chat() -> Any:
        raise RequestError(
            404, "chat completions are not served: this model continues text; use /v1/completions", code="no_chat"
        )

    return app


def _spread(pieces: list[tuple[Sequence, WrittenPiece]], metrics: Metrics) -> None:
    for sequence, piece in pieces:
        metrics.saw(sequence, piece)
        job, index = sequence.owner
        job.pieces.put_nowait((index, piece))


async def _job(body: CompletionRequest, served: Served, engine: BatchEngine) -> CompletionJob:
    if body.model != served.name:
        raise RequestError(
            404, f"there is no model {body.model!r} here, only {served.name!r}", param="model", code="model_not_found"
        )
    most = served.max_tokens
    wanted = 16 if body.max_tokens is None else body.max_tokens
    if wanted > most:
        raise RequestError(400, f"max_tokens = {wanted} is above this server's limit of {most}", param="max_tokens")
    prompts = await _prompts(body, served)
    n = body.n or 1
    if len(prompts) * n > engine.most:
        raise RequestError(400, f"{len(prompts) * n} completions in a request are more than {engine.most}", param="n")
    deadline = time.monotonic() + served.deadline
    sequences = []
    for prompt in prompts:
        for i in range(n):
            settings = _settings(body, served, wanted, i)
            sequences.append(Sequence(prompt, settings, served.token_bytes, served.context_length, deadline))
    return CompletionJob(body, sequences, served.token_bytes)


def _settings(body: CompletionRequest, served: Served, max_tokens: int, choice: int) -> CompletionSettings:
    seed = body.seed
    if seed is not None:
        seed = (seed + choice + 2**63) % 2**64 - 2**63  # of 64 bits still
    return CompletionSettings(
        max_tokens=max_tokens, temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p, top_k=body.top_k, seed=seed, stops=body.stops,
        stop_token=served.stop_token, logprobs=body.logprobs, echo=bool(body.echo),
    )  # fmt: skip


async def _prompts(body: CompletionRequest, served: Served) -> list[list[int]]:
    """Return the prompts as token ids. Raises RequestError for one that the model cannot read."""
    given = body.prompt
    prompts: list[Any] = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
    ids = []
    for prompt in prompts:
        try:
            if prompt is None or prompt == "":
                if served.document_start is None:
                    raise DataError("an empty prompt needs a tokenizer with <|endoftext|>; give a prompt")
                prompt = [served.document_start]
            elif isinstance(prompt, str):
                encode = served.tokenizer.encode
                prompt = encode(prompt) if len(prompt) < LONG_PROMPT else await asyncio.to_thread(encode, prompt)
            if len(prompt) > served.context_length:
                raise RequestError(
                    400, f"the prompt has {len(prompt)} tokens and the model's context {served.context_length}",
                    param="prompt", code="context_length_exceeded",
                )  # fmt: skip
            _check_prompt(prompt, served)
        except HornbookError as error:
            raise RequestError(400, str(error), param="prompt") from None
        ids.append(prompt)
    return ids


def _check_prompt(prompt: list[int], served: Served) -> None:
    wrong = [token for token in prompt if token >= served.vocab_size]
    if wrong:
        raise DataError(f"a prompt's token id is {wrong[0]}, and the vocabulary has {served.vocab_size}")


def _add_status_routes(app: FastAPI, engine: BatchEngine, served: Served, metrics: Metrics) -> None:
    model = ModelEntry(id=served.name, created=served.created)

    @app.get("/v1/models")
    async def models() -> ModelList:
        """List the one model."""
        return ModelList(data=[model])

    @app.get("/v1/models/{name}")
    async def find_model(name: str) -> ModelEntry:
        """Return the model of that name."""
        if name != served.name:
            raise RequestError(404, f"there is no model {name!r} here, only {served.name!r}", code="model_not_found")
        return model

    @app.get("/health")
    async def health() -> Health:
        """Say that the server answers."""
        return Health(slots=engine.count, slots_in_use=engine.running, waiting=engine.waiting)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE: {}}}})
    async def prometheus() -> Response:
        """Return the counters for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)


def _add_error_handlers(app: FastAPI, metrics: Metrics) -> None:
    def answer(request: Request, status: int, body: dict[str, Any], headers: Any = None) -> JSONResponse:
        if request.url.path == "/v1/completions":
            metrics.requests.labels(status).inc()
        return JSONResponse(body, status, headers)

    async def refuse(request: Request, error: Any) -> JSONResponse:
        return answer(request, error.status, error.body, error.headers)

    async def not_valid(request: Request, error: Any) -> JSONResponse:
        sentence, field = complaint(error.errors())
        return answer(request, 400, error_body(400, sentence, param=field))

    async def not_found(request: Request, error: Any) -> JSONResponse:
        sentence = f"{request.method} {request.url.path}: {error.detail}"
        return answer(request, error.status_code, error_body(error.status_code, sentence), error.headers)

    async def broken(request: Request, error: Exception) -> JSONResponse:
        return answer(request, 500, error_body(500, f"a defect of hornbook: {type(error).__name__}"))

    app.add_exception_handler(RequestError, refuse)
    app.add_exception_handler(RequestValidationError, not_valid)
    app.add_exception_handler(HTTPException, not_found)
    app.add_exception_handler(Exception, broken)
