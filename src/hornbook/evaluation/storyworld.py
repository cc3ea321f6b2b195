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
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.data.corpora import storyworld
from hornbook.data.corpora.storyworld.cloze import cloze_items
from hornbook.data.sections import DataSection
from hornbook.data.split import FEW_DOCUMENTS
from hornbook.data.stream import document_key, draw
from hornbook.errors import FormatError
from hornbook.evaluation.cloze import ClozeScore, evaluate_cloze
from hornbook.evaluation.registry import CorpusEvaluator
from hornbook.evaluation.story_score import NoStoryFitsError, StoryScore, sample_stories, score_stories
from hornbook.fileio import atomic_write, canonical_json, read_json_object
from hornbook.format import counted
from hornbook.models.transformer import TransformerLM
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.tracking.console import Console
from hornbook.tracking.run import SUMMARY_FILE

CLOZE_ITEMS = 400
FLOOR = "entropy_floor_bits_per_byte"


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
    cloze: ClozeScore | None = None
    """Its answers to cloze items; None where it was asked none."""

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
        if self.cloze is not None:
            values |= self.cloze.to_dict()
        return values if self.written is None else values | {"written": self.written.to_dict()}

    def lines(self) -> list[str]:
        """Return the measures as lines for a person: first what is graded, last how near it came to the floor."""
        lines = [] if self.written is None else self._written_lines(self.written)
        if self.cloze is not None:
            lines.insert(1, self.cloze.line())
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
        return lines

    @staticmethod
    def _written_lines(w: storyworld.Assessment) -> list[str]:
        lines = [
            f"sentences that parse as part of a story: {w.num_right_sentences:,} of {w.num_sentences:,} "
            f"({w.sentence_share:.0%})"
        ]
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

    def best_story(self) -> str:
        """Return the first story that the parser accepts, else the one that it could follow furthest; empty without."""
        if self.written is None or not self.texts:
            return ""
        stories = [text.strip() for text in self.texts]
        accepted = [story for story, verdict in zip(stories, self.written.verdicts, strict=True) if not verdict]
        follows = [len(s) * share for s, share in zip(stories, self.written.valid_prefixes, strict=True)]
        return accepted[0] if accepted else stories[follows.index(max(follows))]


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
    with console.stage("answering cloze questions", CLOZE_ITEMS) as stage:
        items = cloze_items(CLOZE_ITEMS, level)
        cloze = evaluate_cloze(model, tokenizer, items, progress=stage.update)
    return StoryworldMetrics(level, score, written, tuple(texts), cloze)


def assess_samples(texts: Sequence[str], data: DataSection) -> storyworld.Assessment:
    """Parse texts, and look for them among the stories that training saw.

    The corpus is generated anew for that, so it needs no file and takes memory for the texts only.

    Args:
        texts: one per sample, without separators.
        data: the section that the model was trained with.
    """
    keys = array("Q")

    def corpus() -> Iterator[bytes]:
        for piece in storyworld.corpus_bytes(data.corpus_bytes, data.corpus_seed, data.corpus_level):
            stories = map(bytes.strip, piece.split(END_OF_TEXT.encode()))
            keys.extend(document_key(story, data.validation_seed) for story in stories if story)
            yield piece

    places, total = storyworld.first_places(texts, corpus())
    if data.validation_text or total < FEW_DOCUMENTS:
        held_out = np.zeros(total, bool)
    elif data.validation_from == "seeded":
        held_out = draw(keys, data.validation)
    else:
        held_out = np.arange(total) >= total - math.ceil(data.validation * total)
    known = {text for text, place in places.items() if not held_out[place]}
    return storyworld.assess(texts, data.corpus_level, known)


def save_metrics(metrics: StoryworldMetrics, run: Path) -> Path:
    """Put metrics into a run's `summary.json`, beside what stands there; return the file. Raises OSError."""
    # The report draws this line; a study's own, over all of the validation text, is the better one.
    floor = {} if metrics.score is None else {FLOOR: metrics.score.floor_bits_per_byte}
    return _save(run, floor, metrics.to_dict())


def save_cloze(score: ClozeScore, run: Path) -> Path:
    """Put answers to cloze items beside what a run's `summary.json` has of storyworld; as `save_metrics`."""
    before = _summary(run).get("storyworld")
    return _save(run, {}, {**(before if isinstance(before, Mapping) else {}), **score.to_dict()})


def _summary(run: Path) -> dict[str, Any]:
    try:
        return read_json_object(run / SUMMARY_FILE)
    except (OSError, FormatError):
        return {}


def _save(run: Path, defaults: Mapping[str, Any], values: Mapping[str, Any]) -> Path:
    path = run / SUMMARY_FILE
    atomic_write(path, canonical_json({**defaults, **_summary(run), "storyworld": values}))
    return path


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
