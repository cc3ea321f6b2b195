"""`hornbook ui`: the page to look at, its data and its events.

    GET  /                       the page (page/index.html) and its files under /static/
    GET  /api/runs, /api/run, /api/figures            what there is
    GET  /api/events             server-sent events: rows that changed, and the records of the run that is looked at
    POST /api/note, /api/stop, /api/resume            what changes something

A run goes by its path below the folder, which is looked up among the runs that were found there: no path of a request
is opened. Requests that write carry a token that only this server's own page can read; who may speak to it at all is
`security.RequestGuard`'s. Left out: users, and pages of other machines.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from hornbook.report.design import asset
from hornbook.report.tables import config_rows
from hornbook.serve import views
from hornbook.serve.board_state import Board, RunName
from hornbook.serve.control import stop
from hornbook.serve.play import play_routes
from hornbook.serve.security import App, RequestGuard
from hornbook.serve.study_view import study_routes
from hornbook.serve.tokenizer_view import tokenizer_routes
from hornbook.serve.watch import data_of_runs
from hornbook.serve.web import PlainJSON, handle_errors, protected, safe_json
from hornbook.tracking.run import Run

FILES = Path(__file__).parent / "page"
SHARED = ("base.css", "page.css", "axes.js", "chart.js", "uplot/uPlot.iife.min.js", "uplot/uPlot.min.css")
"""Files of reports that the page is made of too."""
KINDS = {".css": "text/css", ".js": "text/javascript", ".html": "text/html", ".svg": "image/svg+xml"}
MOST_RUNS = 50
"""Compared at a time."""
MOST_RECORDS = 1000
"""Pushed at a time; a page that is further behind fetches its curves anew."""
EVENT_SECONDS, BEAT_SECONDS = 0.2, 15.0


class Named(BaseModel):
    """A request about a run."""

    run: RunName


class Noted(Named):
    """Another note, other tags; None: as it was."""

    note: Annotated[str | None, Field(max_length=20_000)] = None
    tags: Annotated[list[Annotated[str, Field(max_length=100)]] | None, Field(max_length=50)] = None


def make_board(root: Path, *, host: str = "127.0.0.1") -> tuple[App, Board]:
    """Return the application for the runs below a folder, with its guard, and what its routes share."""
    board = Board(root)

    @contextlib.asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        board.folder.start()
        yield
        board.closing = True
        await asyncio.to_thread(board.folder.stop)

    app = FastAPI(
        title="hornbook ui",
        lifespan=following,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=PlainJSON,
    )
    app.include_router(_page_routes(board))
    app.include_router(_run_routes(board))
    app.include_router(_write_routes(board))
    for routes in (play_routes, tokenizer_routes, study_routes):
        app.include_router(routes(board))

    handle_errors(app)
    return RequestGuard(protected(app), host=host, api_key=None), board


def _page_routes(board: Board) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    files = {path.name: path.read_text(encoding="utf-8") for path in FILES.iterdir() if path.suffix in KINDS}
    files |= {Path(name).name: asset(name) for name in SHARED}
    index = files.pop("index.html").replace("{{token}}", board.token)

    @routes.get("/")
    async def page() -> Response:
        return Response(index, media_type="text/html")

    @routes.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "there is no such file")
        return Response(files[name], media_type=KINDS[Path(name).suffix])

    return routes


def _run_routes(board: Board) -> APIRouter:
    routes = APIRouter(prefix="/api")

    @routes.get("/runs")
    def runs() -> Any:
        return {"root": str(board.folder.root), "version": board.folder.version, "rows": board.rows()}

    @routes.get("/run")
    def run(run: Annotated[RunName, Query()]) -> Any:
        found = board.readable(run)
        with found.lock:
            return views.details(found)

    @routes.get("/note")
    def note(run: Annotated[RunName, Query()]) -> Response:
        found = board.readable(run).data
        assert found is not None
        # As it stands, not as it is shown: it goes back from the field that it is written in.
        return JSONResponse({"note": found.note, "tags": list(found.tags)})

    @routes.get("/figures")
    def figures(
        run: Annotated[list[RunName], Query(max_length=MOST_RUNS)],
        smoothing: Annotated[float, Query(ge=0, le=0.999)] = 0.0,
    ) -> Any:
        found = data_of_runs(board.folder.runs, run)
        several = {"config": config_rows(found), "names": [data.name for data in found]} if len(found) > 1 else {}
        samples = [{"run": data.name, "samples": data.samples[-views.SAMPLES_SHOWN :]} for data in found]
        return {"figures": views.figures(found, smoothing) if found else [], "samples": samples} | several

    @routes.get("/events", include_in_schema=False)
    async def events(run: str = "", count: int = 0, generation: int = 0) -> Response:
        return StreamingResponse(_events(board, run, count, generation), media_type="text/event-stream")

    return routes


async def _events(board: Board, name: str, count: int, generation: int) -> AsyncIterator[str]:
    """Yield server-sent events (html.spec.whatwg.org, 9.2) until the server closes: `rows`, `records`, `again`."""
    after, seen, names, quiet = -1, 0, set[str](), 0.0
    yield ": here\n\n"
    while not board.closing:
        version, said = board.folder.version, []
        if version > after:
            rows = await asyncio.to_thread(board.rows, after)
            now = set(board.folder.runs)
            said.append(("rows", {"rows": rows, "gone": sorted(names - now)}))
            after, names = version, now
        run = board.folder.runs.get(name)
        if run is not None and run.data is not None and run.version > seen:
            with run.lock:
                seen, columns, tail = run.version, run.data.columns, views.tail_of(run)
                if run.generation != generation or columns.count - count > MOST_RECORDS or columns.count < count:
                    said.append(("again", {}))
                elif columns.count > count:
                    said.append(("records", {"records": columns.since(count)}))
                count, generation = columns.count, run.generation
            said.append(("tail", tail))
        for kind, content in said:
            yield f"event: {kind}\ndata: {safe_json(content)}\n\n"
        quiet = 0.0 if said else quiet + EVENT_SECONDS
        if quiet > BEAT_SECONDS:
            yield ": still here\n\n"  # a tab that is gone is found out by writing
            quiet = 0.0
        await asyncio.sleep(EVENT_SECONDS)


def _write_routes(board: Board) -> APIRouter:
    routes = APIRouter(prefix="/api", dependencies=[Depends(board.check_token)])

    @routes.post("/note")
    def note(asked: Noted) -> Any:
        run = board.readable(asked.run)
        with board.writing:
            opened = Run.open(run.path)
            opened.annotate(asked.note, asked.tags)
        return {"note": opened.note, "tags": opened.tags}

    @routes.post("/stop")
    def stop_run(asked: Named) -> Any:
        return {"process": stop(board.readable(asked.run).path)}

    @routes.post("/resume")
    def resume(asked: Named) -> Any:
        with board.writing:
            board.resumed.start(Run.open(board.readable(asked.run).path))
        return {}

    return routes
