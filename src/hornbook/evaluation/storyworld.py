"""How close a model is to the best possible on storyworld, whose true probabilities are known.

`evaluate_on_storyworld` is what `hornbook eval` and the demo print, and what the report page shows. Whole validation
stories are compared with their true entropy (`score_stories`): each is read from its start within one context, as the
corpus has it, after the separator and with its line ends, and the model's nats over all of its tokens and the separator
that ends it are set against −ln p of the story, which storyworld's own parser computes. Both are divided by the same
bytes, so that in expectation their ratio is at least 1 for any model. Stories that the model writes are read by the
parser (`assess_samples`). Left out: stories longer than the context; how many there were is part of the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hornbook.data.corpora import storyworld
from hornbook.data.sections import DataSection
from hornbook.data.split import FEW_DOCUMENTS
from hornbook.errors import DataError, FormatError
from hornbook.evaluation.registry import CorpusEvaluator
from hornbook.fileio import atomic_write, canonical_json, read_json_object
from hornbook.format import counted
from hornbook.generation.decode import generate
from hornbook.models.transformer import TransformerLM
from hornbook.nn.dropout import evaluating
from hornbook.nn.plain import cross_entropy
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.tracking.console import Console
from hornbook.tracking.run import SUMMARY_FILE

FLOOR = "entropy_floor_bits_per_byte"


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


@dataclass(frozen=True)
class StoryworldMetrics:
    """A model of storyworld against its corpus."""

    level: str
    """The level that it was trained on."""
    score: StoryScore | None
    """Whole validation stories against their true entropy; None where none was measured, or none fits the context."""
    written: storyworld.Assessment | None
    """What the parser says of the model's stories; None where none was written."""
    texts: tuple[str, ...] = ()
    """The model's stories."""

    def to_dict(self) -> dict[str, Any]:
        """Return the measures as values for JSON: what `summary.json` keeps (docs/formats/run.md)."""
        values: dict[str, Any] = {"level": self.level}
        if self.score is not None:
            values |= {
                FLOOR: self.score.floor_bits_per_byte,
                "story_bits_per_byte": self.score.bits_per_byte,
                "ratio_to_floor": self.score.ratio,
                "stories_measured": self.score.num_stories,
                "stories_too_long": self.score.num_too_long,
            }
        return values if self.written is None else values | {"written": self.written.to_dict()}

    def lines(self) -> list[str]:
        """Return the measures as lines for a person."""
        lines = []
        if (s := self.score) is not None:
            long = f" ({s.num_too_long} more do not fit into the context)" if s.num_too_long else ""
            lines.append(
                f"{s.num_stories} whole stories{long}: {s.bits_per_byte:.4f} bits per byte, true entropy "
                f"{s.floor_bits_per_byte:.4f}: {s.ratio:.3f} × the floor"
            )
        if (w := self.written) is not None:
            lines.append(
                f"stories that storyworld's parser accepts: {w.num_valid} of {w.num_samples} ({w.valid_share:.0%})"
            )
            failures = sorted((-n, kind) for kind, n in w.failures.items() if n)
            if failures:
                lines.append(
                    "where the others stop being stories: "
                    + ", ".join(f"{kind} {-n}" for n, kind in failures)
                    + f"; a sample is a story through {w.mean_valid_prefix:.0%} of its length on average"
                )
            if w.num_valid:
                shapes = sum(count > 0 for count in w.plot_counts.values())
                lines.append(
                    f"of the accepted ones {w.novelty:.0%} are not in the training text; {shapes} of "
                    f"{len(w.plot_counts)} plots, distance from their true shares {w.plot_distance:.2f} "
                    f"(by chance alone about {w.plot_distance_by_chance:.2f})"
                )
        return lines


def evaluate_on_storyworld(
    model: TransformerLM,
    tokenizer: Tokenizer,
    data: DataSection,
    validation: Sequence[str],
    *,
    num_written: int,
    seed: int,
    console: Console,
) -> StoryworldMetrics:
    """Measure a model that was trained on storyworld.

    Args:
        model: in evaluation mode.
        tokenizer: its own, with `<|endoftext|>`.
        data: the section that it was trained with; says the level, and which stories it has seen.
        validation: whole stories of that level to measure against their true entropy; none: that is left out.
        num_written: stories that it is to write; 0: that is left out.
        seed: of the writing.
        console: shows how far it is.

    Raises:
        StoryError: a validation story is not one of this version of storyworld.
        DataError: the tokenizer has no separator.
    """
    level, score, written = data.corpus_level, None, None
    texts: list[str] = []
    if validation:
        with console.stage(f"measuring {len(validation)} stories against their true entropy", len(validation)) as stage:
            try:
                score = score_stories(model, tokenizer, validation, level, progress=stage.update)
            except NoStoryFitsError as error:
                stage.update(text=str(error))
    if num_written:
        with console.stage(f"writing {counted(num_written, 'story')}", num_written) as stage:
            texts = sample_stories(model, tokenizer, num_written, seed=seed, progress=stage.update)
        with console.stage("parsing them, and looking for them in the training text"):
            written = assess_samples(texts, data)
    return StoryworldMetrics(level, score, written, tuple(texts))


def assess_samples(texts: Sequence[str], data: DataSection) -> storyworld.Assessment:
    """Parse texts, and look for them among the stories that training saw.

    The corpus is generated anew for that, so it needs no file and takes memory for the texts only.

    Args:
        texts: one per sample, without separators.
        data: the section that the model was trained with.
    """
    corpus = storyworld.corpus_bytes(data.corpus_bytes, data.corpus_seed, data.corpus_level)
    places, total = storyworld.first_places(texts, corpus)
    if data.validation_text or total < FEW_DOCUMENTS:
        seen = total
    else:
        seen = total - math.ceil(data.validation * total)
    known = {text for text, place in places.items() if place < seen}
    return storyworld.assess(texts, data.corpus_level, known)


def save_metrics(metrics: StoryworldMetrics, run: Path) -> Path:
    """Put metrics into a run's `summary.json`, beside what stands there; return the file. Raises OSError."""
    path = run / SUMMARY_FILE
    try:
        before = read_json_object(path)
    except (OSError, FormatError):
        before = {}
    # The report draws this line; a study's own, over all of the validation text, is the better one.
    floor = {} if metrics.score is None else {FLOOR: metrics.score.floor_bits_per_byte}
    atomic_write(path, canonical_json({**floor, **before, "storyworld": metrics.to_dict()}))
    return path


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


def _obstacle(tokenizer: Tokenizer, record: Mapping[str, Any]) -> str | None:
    if END_OF_TEXT not in tokenizer.special_token_ids:
        return f"the tokenizer has no special token {END_OF_TEXT}, so the model cannot write whole stories"
    version = record.get("storyworld", storyworld.VERSION)
    if version != storyworld.VERSION:
        return (
            f"the run was trained on version {version} of storyworld and this is {storyworld.VERSION}, whose parser "
            "does not know its stories; train it anew to have them measured"
        )
    return None


EVALUATOR = CorpusEvaluator(evaluate_on_storyworld, save_metrics, storyworld.split_stories, _obstacle)
