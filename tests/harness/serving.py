"""A model that is served in this process on a free port, as `hornbook serve` does it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from openai import OpenAI

import hornbook as hb
from harness.recipes import quiet_train
from hornbook.generation.slots import open_slots
from hornbook.serve.api import Served, create_app
from hornbook.serve.engine import BatchEngine
from hornbook.serve.process import listen, make_server, url_of
from hornbook.serve.security import RequestGuard
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tokenizer.tokenizer import Tokenizer


def train_writer(folder: Path) -> Path:
    """Train a tiny model on text whose characters often span several tokens; return its run."""
    text = folder / "text.txt"
    lines = [f"{i} Äpfel für €{i % 7}, 漢字 und 🙂🙃: schön war's.\n" for i in range(3000)]
    text.write_text(f"{END_OF_TEXT}".join(lines), encoding="utf-8")
    recipe: dict[str, Any] = {
        "run": {"directory": str(folder / "tiny")},
        "data": {"text": [str(text)]},
        "tokenizer": {"vocab_size": 280},
        "model": {"context_length": 48, "d_model": 32, "num_layers": 2, "num_heads": 2},
        "optimizer": {"lr": 1e-2},
        "training": {"steps": 60, "batch_size": 8, "device": "cpu", "threads": 1},
        "evaluation": {"every": 60, "sample_every": 0},
    }
    quiet_train(recipe)
    return folder / "tiny"


class Writer(NamedTuple):
    """A trained model with its tokenizer."""

    model: hb.TransformerLM
    tokenizer: Tokenizer


class Server(NamedTuple):
    """Where it answers, and what answers."""

    url: str
    engine: BatchEngine
    client: OpenAI
    app: Any


@contextlib.contextmanager
def serving(writer: Writer, *, slots: int = 4, queue: int = 64, chunk: int = 16, **limits: Any) -> Iterator[Server]:
    """Serve a model under the name `tiny` for a while."""
    model, tokenizer = writer
    special = tokenizer.special_token_ids[END_OF_TEXT]
    served = Served(
        name="tiny", tokenizer=tokenizer, vocab_size=model.config.vocab_size,
        document_start=limits.pop("document_start", special),
        context_length=model.config.context_length, stop_token=limits.pop("stop_token", special), **limits,
    )  # fmt: skip
    engine = BatchEngine(open_slots(model, slots), slots, queue_limit=queue, chunk=chunk)
    app = create_app(engine, served)
    bound = listen("127.0.0.1", 0)
    server = make_server(RequestGuard(app, host="127.0.0.1", api_key=None), drain=1)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    url = url_of(bound)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
            yield Server(url, engine, client, app)
    finally:
        server.should_exit = True
        thread.join()
