"""The playground's requests; what answers them needs torch, which the first of them waits for (playground.py)."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from hornbook.errors import HornbookError
from hornbook.serve.board_state import Board, RunName
from hornbook.serve.web import safe_json

if TYPE_CHECKING:
    from hornbook.serve.playground import Models


class PlayRequest(BaseModel):
    """A prompt, how to go on from it, and how far somebody has gone."""

    run: RunName
    checkpoint: Annotated[str, Field(pattern=r"^(best|last|\d{1,12})$")] = "best"
    prompt: Annotated[str, Field(max_length=100_000)] = ""
    tokens: Annotated[list[Annotated[int, Field(ge=0, lt=1 << 31)]], Field(max_length=8192)] = []
    length: Annotated[int, Field(ge=1, le=2000)] = 100
    temperature: Annotated[float, Field(ge=0, le=100)] = 0.8
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int | None, Field(ge=1, le=1 << 31)] = None
    seed: Annotated[int, Field(ge=0, lt=1 << 53)] = 0


@functools.cache
def _models() -> Models:
    from hornbook.serve.playground import Models

    return Models()


def play_routes(board: Board) -> APIRouter:
    """Return the route of the playground."""
    routes = APIRouter(prefix="/api", dependencies=[Depends(board.check_token)])

    @routes.post("/play", include_in_schema=False)
    def play(asked: PlayRequest) -> Response:
        from hornbook.serve.playground import write

        records = write(_models().load(board.readable(asked.run).path, asked.checkpoint), asked)
        first = next(records)  # what is refused, is refused before the answer begins
        return StreamingResponse(_lines(first, records), media_type="application/x-ndjson")

    return routes


def _lines(first: dict[str, Any], records: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield safe_json(first) + "\n"
    try:
        for record in records:
            yield safe_json(record) + "\n"
    except HornbookError as error:
        yield safe_json({"error": str(error)}) + "\n"
