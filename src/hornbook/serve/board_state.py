"""What the routes of `hornbook ui` share: the runs that are followed, the page's token, trainings started from it."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path
from typing import Annotated, Any

from fastapi import Header, HTTPException
from pydantic import Field

from hornbook.serve import views
from hornbook.serve.control import Resumed
from hornbook.serve.watch import LiveRun, RunsFolder

RunName = Annotated[str, Field(min_length=1, max_length=1000)]
"""A run's path below the folder: looked up among those that were found, never opened."""


class Board:
    """What the routes of one application share."""

    def __init__(self, root: Path) -> None:
        self.folder = RunsFolder(root)
        self.token = secrets.token_urlsafe(24)
        self.resumed = Resumed()
        self.writing = threading.Lock()
        self.closing = False
        self._rows: dict[str, tuple[int, str, dict[str, Any]]] = {}

    def run(self, name: str) -> LiveRun:
        """Return a run that was found. Raises HTTPException 404."""
        run = self.folder.runs.get(name)
        if run is None:
            raise HTTPException(404, f"there is no run {name[:200]!r} in {self.folder.root}")
        return run

    def readable(self, name: str) -> LiveRun:
        """Return a run that can be shown. Raises HTTPException 404 or 409."""
        run = self.run(name)
        if run.data is None:
            raise HTTPException(409, run.damage or f"{name} is being read; again in a moment")
        return run

    def rows(self, after: int = -1) -> list[dict[str, Any]]:
        """Return the rows of runs that changed after a version."""
        found = []
        for run, changed in self.folder.ordered():
            known = self._rows.get(run.id)
            if known is None or known[:2] != (run.version, changed):
                with run.lock:
                    row = views.row(run, changed) | {"refusal": self.resumed.refusal(run.path)}
                known = self._rows[run.id] = (run.version, changed, row)
            if run.version > after:
                found.append(known[2])
        return found

    def check_token(self, x_hornbook_token: Annotated[str, Header(max_length=200)] = "") -> None:
        """Refuse a request that did not come from this server's page."""
        if not secrets.compare_digest(x_hornbook_token.encode(), self.token.encode()):
            raise HTTPException(403, "the page is of an earlier start of `hornbook ui`: load it again")
