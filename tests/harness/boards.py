"""A folder of runs and the application that shows it, without a socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from hornbook.serve.board import make_board
from hornbook.tracking.run import Run

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\u202eevil\u2066\x1b[31m"


class Page:
    """Requests as the page of a board sends them, straight into its application."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app, self.board = make_board(root)
        self.look()

    def look(self) -> None:
        """Do once what the following thread does."""
        self.board.folder.scan()
        self.board.folder.look()

    def ask(self, method: str, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        """Return the answer to a request; `token` replaces that of the page."""
        options["headers"] = {"x-hornbook-token": self.board.token if token is None else token} | options.get(
            "headers", {}
        )

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:7080") as client:
                return await client.request(method, path, **options)

        return asyncio.run(go())

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON of a GET that is answered."""
        answer = self.ask("GET", path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **content: Any) -> httpx.Response:
        """Return the answer to a POST."""
        return self.ask("POST", path, json=content)


def write_run(path: Path, steps: int = 50, **sections: dict[str, Any]) -> Run:
    """Write a run that is done: a record a step, every tenth with a validation loss."""
    recipe: dict[str, Any] = {"run": {"name": path.name}, "optimizer": {"lr": 0.001}, "training": {"steps": steps}}
    for name, section in sections.items():
        recipe[name] = {**recipe.get(name, {}), **section}
    run = Run.create(path, recipe, {"version": 1, "time": 1e9, "command": ["hornbook", "train"]})
    append_records(path, 1, steps + 1)
    (path / "log.txt").write_text("a line of the log\n")
    run.set_status("done")
    run.release()
    return run


def append_records(path: Path, begin: int, end: int) -> None:
    """Append the records of steps."""
    with (path / "metrics.jsonl").open("a") as file:
        for step in range(begin, end):
            record = {"step": step, "tokens": 1000 * step, "seconds": step / 10, "train_loss": 1 + 1 / step, "lr": 1e-3}
            record |= {"grad_norm": 0.5, "tokens_per_second": 10_000.0}
            record |= {"val_loss": 1 + 2 / step, "val_bits_per_byte": 0.5} if step % 10 == 0 else {}
            file.write(json.dumps(record) + "\n")


def story_recipe(folder: Path, steps: int = 100_000) -> Path:
    """Write a recipe of a tiny model of storyworld that samples often; return the file."""
    file = folder / "story.toml"
    file.write_text(
        f"""
        [run]
        directory = "{folder / "runs" / "story"}"
        [data]
        corpus = "storyworld"
        corpus_level = "easy"
        corpus_bytes = 300_000
        [tokenizer]
        vocab_size = 400
        [model]
        context_length = 64
        d_model = 32
        num_layers = 1
        num_heads = 2
        [training]
        steps = {steps}
        batch_size = 4
        threads = 1
        [evaluation]
        every = 100
        sample_every = 50
        sample_tokens = 20
        [checkpoint]
        every = 200
        [logging]
        every = 5
        """
    )
    return file
