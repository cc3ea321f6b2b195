"""The tokenizer view: how a text splits, and how the merges build a word, by the tokenizers of several runs.

Everything is `tokenizer/inspection.py`'s, which `hornbook tokenizer inspect` prints. Left out: training one.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from hornbook.errors import HornbookError
from hornbook.serve.board_state import Board, RunName
from hornbook.tokenizer.inspection import MergeNode, merge_trees, readable, split_text
from hornbook.tokenizer.tokenizer import Tokenizer

MOST_TOKENS = 3000
"""Shown of a text."""


class SplitRequest(BaseModel):
    """A text, and a word whose merges are wanted, for the tokenizers of runs."""

    text: Annotated[str, Field(max_length=50_000)]
    word: Annotated[str, Field(max_length=100)] = ""
    runs: Annotated[list[RunName], Field(max_length=8)]


@functools.lru_cache(maxsize=32)
def _load(path: Path, _changed: int) -> Tokenizer:
    return Tokenizer.load(path)


def tokenizer_of(path: Path) -> Tokenizer | None:
    """Return the tokenizer of a run; None where it has none, or a damaged one."""
    folder = path / "tokenizer"
    try:
        return _load(folder, folder.stat().st_mtime_ns)
    except (HornbookError, OSError):
        return None


def tokenizer_routes(board: Board) -> APIRouter:
    """Return the routes of the tokenizer view."""
    routes = APIRouter(prefix="/api")

    @routes.get("/tokenizers")
    def tokenizers() -> Any:
        found: dict[str, dict[str, Any]] = {}
        for run, _ in board.folder.ordered():
            if (tokenizer := tokenizer_of(run.path)) is None:
                continue
            first = found.setdefault(
                tokenizer.fingerprint, {"run": run.id, "vocab_size": tokenizer.vocab_size, "same": []}
            )
            if first["run"] != run.id:
                first["same"].append(run.id)
        return {"tokenizers": list(found.values())}

    @routes.post("/split", dependencies=[Depends(board.check_token)])
    def split(asked: SplitRequest) -> Any:
        loaded = [(name, tokenizer_of(board.run(name).path)) for name in dict.fromkeys(asked.runs)]
        return {"splits": [_split(asked, name, tokenizer) for name, tokenizer in loaded if tokenizer is not None]}

    return routes


def _split(asked: SplitRequest, name: str, tokenizer: Tokenizer) -> dict[str, Any]:
    pieces = split_text(tokenizer, asked.text)
    words: dict[int, bytes] = {}
    for piece in pieces:
        words[piece.pretoken] = words.get(piece.pretoken, b"") + piece.content
    shown = pieces[:MOST_TOKENS]
    ids = {content: token for token, content in tokenizer.vocab.items()}
    return {
        "run": name,
        "bytes_per_token": len(asked.text.encode()) / max(1, len(pieces)),
        "cut": len(shown) < len(pieces),
        "tokens": [
            {"id": p.id, "text": readable(p.content), "pretoken": p.pretoken, "special": p.special,
             "word": words[p.pretoken].decode("utf-8", "replace")[:100]}
            for p in shown
        ],
        "trees": [_tree(tree, ids) for tree in merge_trees(tokenizer, asked.word)],
    }  # fmt: skip


def _tree(node: MergeNode, ids: Mapping[bytes, int]) -> dict[str, Any]:
    sides = {} if node.left is None or node.right is None else {"left": node.left, "right": node.right}
    found = {"text": readable(node.content), "id": ids.get(node.content), "merge": node.merge}
    return found | {key: _tree(side, ids) for key, side in sides.items()}
