"""The playground: a continuation token by token, with what the model thought of each and of its alternatives.

Probabilities and entropies are the model's own (temperature 1, nothing cut), whatever the settings that tokens are
drawn with. The page keeps the tree of continuations; a request has the tokens on the way from the prompt, of which the
last may be one that the model did not draw, and the answer goes on from there. A model of storyworld is read by the
corpus's parser. Left out: several rows at a time, and chat.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hornbook.checkpoint.store import CheckpointStore
from hornbook.data.corpora import storyworld
from hornbook.errors import DataError
from hornbook.generation.decode import stream
from hornbook.serve.text import CompletionText
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.training.load import LoadedRun, load_model

if TYPE_CHECKING:
    from hornbook.serve.play import PlayRequest

ALTERNATIVES = 5
MOST_MODELS = 2
"""Kept in memory: those that stand beside each other."""
UNFINISHED = "dead end"
"""The parser's word for a text that ends inside a story, which is no fault of one that was cut at a length."""


class Models:
    """The models that were last asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[Path, int], LoadedRun] = {}

    def load(self, path: Path, checkpoint: str) -> LoadedRun:
        """Return a model of a run. Raises as `load_model`, and DataError without a tokenizer."""
        store = CheckpointStore(path / "checkpoints")
        with self._lock:
            step = int(checkpoint) if checkpoint.isdigit() else store.best_step() if checkpoint == "best" else None
            step = max(store.steps(), default=0) if step is None else step
            found = self._kept.pop((path, step), None) or load_model(path, step)
            self._kept[path, step] = found
            while len(self._kept) > MOST_MODELS:
                del self._kept[next(iter(self._kept))]
        if found.tokenizer is None:
            raise DataError(
                f"{path} was trained on bare token files and keeps no tokenizer, so it cannot read a prompt"
            )
        return found


def write(loaded: LoadedRun, asked: PlayRequest) -> Iterator[dict[str, Any]]:
    """Yield what a model writes: first `path`, then a record for each token, then `end` and the parser's verdict.

    Raises:
        HornbookError: settings, ids or a prompt that cannot be.
    """
    model, tokenizer = loaded.model, loaded.tokenizer
    assert tokenizer is not None
    separator = tokenizer.special_token_ids.get(END_OF_TEXT)
    prompt = tokenizer.encode(asked.prompt) or ([] if separator is None else [separator])
    text, seen = CompletionText(), list[torch.Tensor]()
    unknown = [token for token in asked.tokens if token not in tokenizer.vocab]
    if unknown:
        raise DataError(f"token {unknown[0]} is not one of this run's tokenizer; begin from the prompt")
    yield {"path": [text.add(tokenizer.vocab[token]) for token in asked.tokens], "step": loaded.step}
    steps = stream(
        model, [*prompt, *asked.tokens], asked.length, temperature=asked.temperature, top_p=asked.top_p,
        top_k=asked.top_k, stop_token=separator, generator=torch.Generator().manual_seed(asked.seed),
        overflow="slide", observe=seen.append,
    )  # fmt: skip
    written, ended = 0, "length"
    for (token,) in steps:
        assert token is not None
        written += 1
        yield _thought(seen.pop(), token, tokenizer.vocab) | {"text": text.add(tokenizer.vocab[token])}
    if written < asked.length:
        ended = "stop"
    yield {"end": ended, "rest": text.finish(), **_verdict(loaded, asked.prompt + text.text, ended == "stop")}


def _thought(logits: torch.Tensor, token: int, vocab: Any) -> dict[str, Any]:
    scores = logits[0].double().log_softmax(-1)
    probabilities = scores.exp()
    best = probabilities.topk(min(ALTERNATIVES + 1, len(probabilities)))
    others = [(i, p) for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True) if i != token]
    entropy = -(probabilities * scores).nan_to_num(0.0).sum().item()
    return {
        "id": token,
        "p": probabilities[token].item(),
        "entropy": entropy,
        "alternatives": [
            {"id": i, "p": p, "text": vocab[i].decode("utf-8", "replace")} for i, p in others[:ALTERNATIVES]
        ],
    }


def _verdict(loaded: LoadedRun, text: str, whole: bool) -> dict[str, Any]:
    """Return what storyworld's parser says: how far it is a story, in UTF-16 units as the page counts; {} elsewhere."""
    data = loaded.config.data
    if data.corpus != "storyworld":
        return {}
    story = text.strip()
    try:
        storyworld.parse(story, data.corpus_level)
    except storyworld.StoryError as error:
        if error.kind == UNFINISHED and not whole:
            return {"verdict": {"right": True, "why": "a story so far"}}
        until = text[: len(text) - len(text.lstrip()) + error.position]
        return {"verdict": {"right": False, "until": len(until.encode("utf-16-le")) // 2, "kind": error.kind,
                            "why": str(error)}}  # fmt: skip
    return {"verdict": {"right": True, "why": "a whole story of storyworld"}}
