"""From a completion request to the answer: sequences, their pieces put together, and the stream of events.

The shapes are OpenAI's (serve/schema.py): one JSON object, or server-sent events that end with `data: [DONE]`
(html.spec.whatwg.org/multipage/server-sent-events.html). Choice i of a prompt is drawn with seed + i, so that it is
what that seed writes alone.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from hornbook.serve.engine import DEADLINE, BatchEngine
from hornbook.serve.metrics import Metrics
from hornbook.serve.schema import CompletionRequest
from hornbook.serve.security import error_body
from hornbook.serve.sequence import Sequence, TokenScore, WrittenPiece

SLOW_SECONDS = 5.0
"""How long after its deadline a stream may take to be read to its end."""


class CompletionJob:
    """A request while it is being answered.

    Args:
        request: as it came.
        sequences: n for each prompt, in order.
        token_bytes: the bytes of a token id.
    """

    def __init__(self, request: CompletionRequest, sequences: list[Sequence], token_bytes: Callable[[int], bytes]):
        self.request, self.sequences, self._token_bytes = request, sequences, token_bytes
        self.pieces: asyncio.Queue[tuple[int, WrittenPiece]] = asyncio.Queue()
        self._head = {
            "id": f"cmpl-{secrets.token_hex(12)}", "object": "text_completion", "created": int(time.time()),
            "model": request.model,
        }  # fmt: skip
        for index, sequence in enumerate(sequences):
            sequence.owner = (self, index)

    @property
    def deadline(self) -> float:
        """In `time.monotonic()` seconds."""
        return self.sequences[0].deadline

    def answer(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Return a completion object."""
        return {**self._head, "choices": choices, **more}

    def choice(self, index: int, piece: WrittenPiece) -> dict[str, Any]:
        """Return a piece as a choice."""
        scores = None if self.request.logprobs is None else self._logprobs(piece.scores)
        return {"index": index, "text": piece.text, "logprobs": scores, "finish_reason": piece.finish}

    def usage(self) -> dict[str, int]:
        """Return the tokens read and written; a prompt counts once."""
        n = self.request.n or 1
        prompt = sum(len(sequence.prompt) for sequence in self.sequences[::n])
        written = sum(sequence.written for sequence in self.sequences)
        return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}

    def _logprobs(self, scores: list[TokenScore]) -> dict[str, Any]:
        tops: list[dict[str, float] | None] = []
        for score in scores:
            shown = dict(score.alternatives)
            if score.logprob is not None:
                shown[score.token] = score.logprob
            tops.append({self._shown(i): value for i, value in shown.items()} if score.logprob is not None else None)
        return {
            "tokens": [self._shown(score.token) for score in scores],
            "token_logprobs": [score.logprob for score in scores],
            "top_logprobs": tops if self.request.logprobs else None,
            "text_offset": [score.offset for score in scores],
        }

    def _shown(self, token: int) -> str:
        data = self._token_bytes(token)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)


class CompletionAnswer(Response):
    """Writes what the engine delivers for a job, until the end, the deadline, or the client hangs up.

    Args:
        job: whose sequences were submitted.
        engine: that writes them.
        metrics: where the status is counted.
    """

    def __init__(self, job: CompletionJob, engine: BatchEngine, metrics: Metrics):
        super().__init__()
        self._job, self._engine, self._metrics = job, engine, metrics
        self._status = 499  # nobody was there to be answered
        self._started = False

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        watcher = asyncio.create_task(_hung_up(receive))
        answer = self._stream(send) if self._job.request.stream else self._whole(scope, receive, send)
        work = asyncio.create_task(answer)
        try:
            timeout = self._job.deadline - time.monotonic() + SLOW_SECONDS
            await asyncio.wait({watcher, work}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._engine.close(self._job.sequences)
            self._metrics.requests.labels(self._status).inc()
            for task in (watcher, work):
                if not task.done():
                    task.cancel()
            await asyncio.gather(watcher, work, return_exceptions=True)
        if work.done() and not work.cancelled() and (error := work.exception()):
            raise error

    async def _whole(self, scope: Any, receive: Any, send: Any) -> None:
        choices = [WrittenPiece() for _ in self._job.sequences]
        left = len(choices)
        while left:
            index, piece = await self._job.pieces.get()
            if piece.error:
                await self._fail(piece.error, scope, receive, send)
                return
            choices[index].text += piece.text
            choices[index].scores += piece.scores
            choices[index].finish = piece.finish
            left -= piece.finish is not None
        shown = [self._job.choice(index, piece) for index, piece in enumerate(choices)]
        self._status = 200
        await JSONResponse(self._job.answer(shown, usage=self._job.usage()))(scope, receive, send)

    async def _fail(self, sentence: str, scope: Any, receive: Any, send: Any) -> None:
        self._status, code = (504, "deadline") if sentence == DEADLINE else (500, "not_computed")
        await JSONResponse(error_body(self._status, sentence, code=code), self._status)(scope, receive, send)

    async def _stream(self, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
        async for status, data in self._events():
            if not self._started:
                if status != 200:
                    headers[0] = (b"content-type", b"application/json")
                await send({"type": "http.response.start", "status": status, "headers": headers})
                self._started, self._status = True, status
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _events(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield the status so far and bytes to send: all that has been written since the last ones were taken."""
        job, left = self._job, len(self._job.sequences)
        options = job.request.stream_options
        with_usage = {"usage": None} if options is not None and options.include_usage else {}
        while left:
            events = []
            pieces = [await job.pieces.get()]
            while not job.pieces.empty():
                pieces.append(job.pieces.get_nowait())
            for index, piece in pieces:
                if piece.error:
                    status = 504 if piece.error == DEADLINE else 500
                    error = json.dumps(error_body(status, piece.error)).encode()
                    yield status, b"".join(events) + (b"data: %s\n\n" % error if self._started or events else error)
                    return
                left -= piece.finish is not None
                if piece.text or piece.scores or piece.finish:
                    events.append(_event(job.answer([job.choice(index, piece)], **with_usage)))
            if events:
                yield 200, b"".join(events)
        if with_usage:
            yield 200, _event(job.answer([], usage=job.usage()))
        yield 200, b"data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def _hung_up(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
