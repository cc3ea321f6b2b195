"""One completion while it is being written: its window, its draws, its text, and the pieces that go out.

A window slides as in `generate`: when the context is full, the newer half is read again from position 0. The draws come
from a generator of the sequence's own, row by row, so that they depend on its seed alone. Log-probabilities are those
of the model itself, before temperature and top-p, as OpenAI's are; in float64, by NumPy, row by row.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hornbook.generation.decode import grown
from hornbook.generation.sampling import sample_row
from hornbook.models.kv_cache import ReadPart
from hornbook.serve.text import CompletionText

TokenBytes = Callable[[int], bytes]


@dataclass(frozen=True, kw_only=True)
class CompletionSettings:
    """How a completion is written; the ranges are `check_sampling`'s and serve/schema.py's."""

    max_tokens: int = 16
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None
    seed: int | None = None
    """None: one that nobody knows."""
    stops: tuple[str, ...] = ()
    stop_token: int | None = None
    logprobs: int | None = None
    """So many alternatives beside each token's log-probability; None: no log-probabilities."""
    echo: bool = False
    """Send the prompt first."""


@dataclass(frozen=True)
class TokenScore:
    """A token, its log-probability (None for a text's first) and the most probable ones in its place."""

    token: int
    offset: int
    """Where it begins in the text, in characters."""
    logprob: float | None
    alternatives: tuple[tuple[int, float], ...] = ()


@dataclass
class WrittenPiece:
    """What a sequence has to send."""

    text: str = ""
    scores: list[TokenScore] = field(default_factory=list)
    finish: str | None = None
    """"stop", "length", or "cancelled"; with the last piece."""
    error: str | None = None
    """A sentence, where the sequence could not be written to its end."""


class Sequence:
    """A prompt and what is written after it.

    Args:
        prompt: its token ids, 1 to context.
        settings: how to go on.
        token_bytes: the bytes of a token id.
        context: of the model.
        deadline: in `time.monotonic()` seconds.
    """

    def __init__(
        self,
        prompt: list[int],
        settings: CompletionSettings,
        token_bytes: TokenBytes,
        context: int,
        deadline: float = np.inf,
    ):
        self.prompt, self.settings, self.context, self.deadline = prompt, settings, context, deadline
        self.written = 0
        self.cancelled = False
        self.submitted = time.monotonic()
        self.last_piece: float | None = None
        self.owner: Any = None  # whom its pieces go to
        self._token_bytes = token_bytes
        self._window, self._read = list(prompt), 0
        seed = secrets.randbits(63) if settings.seed is None else settings.seed
        self._generator = torch.Generator().manual_seed(seed)
        self._text = CompletionText(settings.stops)
        self._before = 0  # characters of the prompt in what is sent
        self._scores: list[TokenScore] = []
        self._echoing = settings.echo
        self._scores_prompt = settings.echo and settings.logprobs is not None
        self._prompt_text = CompletionText()
        self._prompt_scores: list[TokenScore] = []

    def unread(self) -> int:
        """Return how many tokens of the window the model has not read."""
        return len(self._window) - self._read

    def starts_anew(self) -> bool:
        """Whether its slot has to be empty for the next part."""
        return self._read == 0

    def next_part(self, row: int, most: int) -> ReadPart:
        """Return the next tokens to read, at most so many."""
        ids = self._window[self._read : self._read + most]
        last = self._read + len(ids) == len(self._window)
        return ReadPart(row, ids, len(ids) if self._scores_prompt else int(last))

    def accept(self, part: ReadPart, logits: Tensor) -> WrittenPiece | None:
        """Take the logits wanted of a part that was read; return what is to be sent.

        Raises HornbookError where logits are not numbers.
        """
        if self._scores_prompt:
            self._score_prompt(logits)
        self._read += len(part.ids)
        if self._read < len(self._window):
            return None
        piece = self._echo() if self._echoing else WrittenPiece()
        if self.settings.max_tokens == 0:
            piece.finish = "length"
            return piece
        self._write(logits[-1:], piece)
        return piece

    def _write(self, logits: Tensor, piece: WrittenPiece) -> None:
        s = self.settings
        token = sample_row(logits[0].numpy(), s.temperature, s.top_p, s.top_k, self._generator)
        if token == s.stop_token:
            self._finish("stop", piece)
            return
        self.written += 1
        if s.logprobs is not None:
            self._scores.append(_score(token, self._before + len(self._text.text), logits[0], s.logprobs))
        piece.text += self._text.add(self._token_bytes(token))
        if self._text.stopped or self.written == s.max_tokens:
            self._finish("stop" if self._text.stopped else "length", piece)
            return
        self._release(piece, self._before + self._text.sent)
        self._window = grown(self._window, token, self.context)
        if len(self._window) <= self._read:
            self._read = 0

    def _finish(self, reason: str, piece: WrittenPiece) -> None:
        piece.text += self._text.finish()
        # A stop string may come out of the half character that ends a text; the reason is the same then.
        piece.finish = "stop" if self._text.stopped else reason
        self._release(piece, self._before + len(self._text.text) + (not self._text.stopped))

    def _release(self, piece: WrittenPiece, until: int) -> None:
        """Move the scores of the tokens that begin before a place in the text into the piece."""
        count = sum(1 for score in self._scores if score.offset < until)
        piece.scores += self._scores[:count]
        del self._scores[:count]

    def _echo(self) -> WrittenPiece:
        self._echoing = self._scores_prompt = False
        text = CompletionText()
        pieces = [text.add(self._token_bytes(token)) for token in self.prompt]
        piece = WrittenPiece("".join(pieces) + text.finish(), self._prompt_scores)
        self._before = len(piece.text)
        return piece

    def _score_prompt(self, logits: Tensor) -> None:
        """Score the prompt's tokens that follow those just read (and its first, which follows none)."""
        if self._read == 0:
            self._prompt_scores.append(TokenScore(self.prompt[0], 0, None))
        for row, at in zip(logits, range(self._read, len(self.prompt) - 1), strict=False):
            self._prompt_text.add(self._token_bytes(self.prompt[at]))
            offset = len(self._prompt_text.text)
            self._prompt_scores.append(_score(self.prompt[at + 1], offset, row, self.settings.logprobs or 0))


def _score(token: int, offset: int, logits: Tensor, alternatives: int) -> TokenScore:
    values = logits.detach().numpy().astype(np.float64)
    peak = values.max()
    logprobs = values - (peak + np.log(np.exp(values - peak).sum()))
    best = np.argpartition(-logprobs, min(alternatives, len(logprobs) - 1))[:alternatives]
    best = sorted(best.tolist(), key=lambda i: (-logprobs[i], i))
    return TokenScore(token, offset, float(logprobs[token]), tuple((i, float(logprobs[i])) for i in best))
