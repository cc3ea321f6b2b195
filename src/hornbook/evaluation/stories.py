"""How close a model is to the best possible on storyworld, whose true probabilities are known.

Each story is read from its start within one context, as the corpus has it: after the separator, with its line
ends. The model's nats over all of a story's tokens and the separator that ends it are compared with −ln p of the story,
which storyworld's own parser computes. Both are divided by the same bytes, so that in expectation their ratio is at
least 1 for any model. Left out: stories longer than the context; how many there were is part of the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from hornbook.data.corpora import storyworld
from hornbook.errors import DataError
from hornbook.generation.decode import generate
from hornbook.models.transformer import TransformerLM
from hornbook.nn.plain import cross_entropy
from hornbook.tokenizer.tokenizer import Tokenizer

__all__ = ["NoneFits", "StoryScore", "sample_stories", "score_stories", "split_documents"]

SEPARATOR = "<|endoftext|>"


class NoneFits(DataError):  # noqa: N818
    """The context is too short for every one of the stories."""


@dataclass(frozen=True)
class StoryScore:
    """A model against the entropy of the stories it was measured on."""

    bits_per_byte: float
    """The model's."""
    floor_bits_per_byte: float
    """−log2 p of the same stories per byte: what no model beats in expectation."""
    num_stories: int
    """Stories measured."""
    num_too_long: int
    """Stories passed over because they do not fit into one context."""

    @property
    def ratio(self) -> float:
        """The model's bits over the floor's; 1 is perfect."""
        return self.bits_per_byte / self.floor_bits_per_byte

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self) | {"ratio": self.ratio}


def split_documents(text: str) -> list[str]:
    """Return the documents of a text that a line `<|endoftext|>` separates, without the line ends around them."""
    return [document for piece in text.split(SEPARATOR) if (document := piece.strip("\n"))]


@torch.no_grad()
def score_stories(
    model: TransformerLM,
    tokenizer: Tokenizer,
    stories: Sequence[str],
    level: str,
    *,
    batch_size: int = 32,
    progress: Callable[[int], None] = lambda done: None,
) -> StoryScore:
    """Measure a model on stories.

    Args:
        model: read in evaluation mode and left as it was.
        tokenizer: the model's; it must have `<|endoftext|>`.
        stories: their texts, as storyworld writes them.
        level: the storyworld level that they are of.
        batch_size: stories per forward pass; changes time and memory only.
        progress: is called with the number of stories done.

    Raises:
        NoneFits: no story fits into the context.
        DataError: the tokenizer has no separator.
        StoryError: a text is not a story of this level.
    """
    device = next(model.parameters()).device
    rows = [_ids(tokenizer, story) for story in stories]
    fitting = [i for i, row in enumerate(rows) if len(row) - 1 <= model.config.context_length]
    if not fitting:
        raise NoneFits(
            f"none of {len(stories)} stories fits into the context of {model.config.context_length} tokens; "
            "measure with a longer context_length or an easier level"
        )
    # Stories of like length share a batch, so that little is padding.
    fitting.sort(key=lambda i: len(rows[i]))
    nats, was_training = 0.0, model.training
    model.eval()
    try:
        for first in range(0, len(fitting), batch_size):
            batch = [rows[i] for i in fitting[first : first + batch_size]]
            longest = max(map(len, batch))
            ids = torch.tensor([row + [row[-1]] * (longest - len(row)) for row in batch], device=device)  # (B, T + 1)
            logits = model(ids[:, :-1])
            for row, row_logits in zip(batch, logits, strict=True):
                targets = torch.tensor(row[1:], device=device)
                nats += float(cross_entropy(row_logits[: len(targets)].float(), targets)) * len(targets)
            progress(min(first + batch_size, len(fitting)))
    finally:
        model.train(was_training)
    true_nats = -sum(storyworld.log_probability(stories[i], level) for i in fitting)
    num_bytes = sum(len(_document(stories[i]).encode()) for i in fitting)
    per_byte = 1 / math.log(2) / num_bytes
    return StoryScore(nats * per_byte, true_nats * per_byte, len(fitting), len(stories) - len(fitting))


def sample_stories(
    model: TransformerLM,
    tokenizer: Tokenizer,
    count: int,
    *,
    seed: int,
    batch_size: int = 50,
    progress: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """Let a model write `count` stories from their start at temperature 1, each until its end or the context's.

    Raises:
        DataError: the tokenizer has no `<|endoftext|>`.
    """
    separator = _separator(tokenizer)
    prompt = [separator, *tokenizer.encode("\n")]
    room = model.config.context_length - len(prompt)
    generator = torch.Generator().manual_seed(seed)
    stories: list[str] = []
    while len(stories) < count:
        rows = [prompt] * min(batch_size, count - len(stories))
        new = generate(model, rows, room, stop_token=separator, generator=generator)
        stories += [tokenizer.decode(row.tolist()).strip("\n") for row in new]
        progress(len(stories))
    return stories


def _document(story: str) -> str:
    return f"\n{story}\n"


def _ids(tokenizer: Tokenizer, story: str) -> list[int]:
    separator = _separator(tokenizer)
    return [separator, *tokenizer.encode(_document(story)), separator]


def _separator(tokenizer: Tokenizer) -> int:
    ids = tokenizer.special_token_ids
    if SEPARATOR not in ids:
        raise DataError(f"the tokenizer has no special token {SEPARATOR}, so it cannot mark where a story ends")
    return ids[SEPARATOR]
