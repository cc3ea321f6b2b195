"""A model's probabilities of whole stories against their true entropy, and stories that it writes from their start."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from hornbook.data.corpora import storyworld
from hornbook.errors import DataError
from hornbook.generation.decode import generate
from hornbook.models.transformer import TransformerLM
from hornbook.nn.dropout import evaluating
from hornbook.nn.plain import cross_entropy
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tokenizer.tokenizer import Tokenizer


class NoStoryFitsError(DataError):
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
        NoStoryFitsError: no story fits into the context.
        DataError: the tokenizer has no separator.
        StoryError: a text is not a story of this level.
    """
    device = next(model.parameters()).device
    rows = [_ids(tokenizer, story) for story in stories]
    fitting = [i for i, row in enumerate(rows) if len(row) - 1 <= model.config.context_length]
    if not fitting:
        raise NoStoryFitsError(
            f"none of {len(stories)} stories fits into the context of {model.config.context_length} tokens; "
            "measure with a longer context_length or an easier level"
        )
    # Stories of like length share a batch, so that little is padding.
    fitting.sort(key=lambda i: len(rows[i]))
    nats = 0.0
    with evaluating(model):
        for first in range(0, len(fitting), batch_size):
            batch = [rows[i] for i in fitting[first : first + batch_size]]
            longest = max(map(len, batch))
            ids = torch.tensor([row + [row[-1]] * (longest - len(row)) for row in batch], device=device)  # (B, T + 1)
            logits = model(ids[:, :-1])
            for row, row_logits in zip(batch, logits, strict=True):
                targets = torch.tensor(row[1:], device=device)
                nats += float(cross_entropy(row_logits[: len(targets)].float(), targets)) * len(targets)
            progress(min(first + batch_size, len(fitting)))
    true_nats = -sum(storyworld.log_probability(stories[i], level) for i in fitting)
    num_bytes = sum(len(stories[i].encode()) + len("\n\n") for i in fitting)
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
    most = model.config.context_length - len(prompt)
    generator = torch.Generator().manual_seed(seed)
    stories: list[str] = []
    while len(stories) < count:
        rows = [prompt] * min(batch_size, count - len(stories))
        new = generate(model, rows, most, stop_token=separator, generator=generator)
        stories += [tokenizer.decode(row.tolist()).strip("\n") for row in new]
        progress(len(stories))
    return stories


def _ids(tokenizer: Tokenizer, story: str) -> list[int]:
    separator = _separator(tokenizer)
    return [separator, *tokenizer.encode(f"\n{story}\n"), separator]


def _separator(tokenizer: Tokenizer) -> int:
    ids = tokenizer.special_token_ids
    if END_OF_TEXT not in ids:
        raise DataError(f"the tokenizer has no special token {END_OF_TEXT}, so it cannot mark where a story ends")
    return ids[END_OF_TEXT]
