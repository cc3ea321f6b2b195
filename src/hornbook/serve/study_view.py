"""The studies below the folder: their plan, their runs as they stand, and what `hornbook report` shows of them.

Left out: starting one, which takes hours and is done on the command line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from hornbook.errors import HornbookError
from hornbook.report.render import shown_cell, study_section
from hornbook.serve.board_state import Board, RunName
from hornbook.studies.charts import record_to_dict
from hornbook.studies.folder import STUDY_FILE, StudyResults, read_study, run_path

DEPTHS = ("", "*/", "*/*/")
"""Below the folder, where studies are looked for."""


def studies_below(root: Path) -> dict[str, Path]:
    """Return the study folders by their paths below the root; the root itself is `.`."""
    found = sorted(path.parent for depth in DEPTHS for path in root.glob(depth + STUDY_FILE))
    return {path.relative_to(root).as_posix(): path for path in found}


def study_routes(board: Board) -> APIRouter:
    """Return the routes of studies."""
    routes, root = APIRouter(prefix="/api"), board.folder.root

    @routes.get("/studies")
    def studies() -> Any:
        rows = []
        for name, path in studies_below(root).items():
            try:
                study = read_study(path)
            except (HornbookError, OSError) as error:
                rows.append({"id": name, "name": name, "question": str(error), "done": "damaged"})
                continue
            begun, planned = len(study.runs()), len(study.arms) * len(study.seeds)
            done = "finished" if study.finished else f"{begun} of {planned} runs begun"
            rows.append({"id": name, "name": name, "question": study.question, "done": done})
        return {"studies": rows}

    @routes.get("/study")
    def study(study: Annotated[RunName, Query()]) -> Any:
        path = studies_below(root).get(study)
        if path is None:
            raise HTTPException(404, f"there is no study {study[:200]!r} in {root}")
        return _study(read_study(path), root)

    return routes


def _study(study: StudyResults, root: Path) -> dict[str, Any]:
    section = study_section(study, 0)
    arms = [
        {
            "name": arm["name"],
            "runs": [run_path(study.path, arm["name"], seed).relative_to(root).as_posix() for seed in study.seeds],
        }
        for arm in study.arms
    ]
    tables = [
        {
            "title": table.title,
            "note": table.note,
            "columns": [{"label": column.label, "kind": column.kind} for column in table.columns],
            "rows": [[shown_cell(row.get(column.key))["text"] for column in table.columns] for row in table.rows],
        }
        for table in section["tables"]
    ]
    texts = {key: section[key] for key in ("title", "answer", "size", "lead", "findings", "commands")}
    figures = [record_to_dict(figure) for figure in section["figures"]]
    return texts | {"arms": arms, "seeds": study.seeds, "tables": tables, "figures": figures}
