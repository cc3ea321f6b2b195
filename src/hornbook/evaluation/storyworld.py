"""What a run on storyworld is worth, by storyworld's own instruments: the one place where they are asked.

`judge_run` is what `hornbook eval` and the demo print, and what the report page shows: whole validation stories against
their true entropy (stories.py), and stories that the model writes, judged by the parser. `judge_texts` alone is for
samples made in another way, as the study of sampling makes them. Left out: any other corpus; there is no parser of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.data.corpora import storyworld
from hornbook.data.sections import DataSection
from hornbook.data.split import FEW_DOCUMENTS
from hornbook.evaluation.stories import NoneFits, StoryScore, sample_stories, score_stories
from hornbook.fileio import atomic_write, canonical_json
from hornbook.models.transformer import TransformerLM
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.tracking.console import Console

__all__ = ["Judgement", "judge_run", "judge_texts", "keep"]

SUMMARY_FILE = "summary.json"
FLOOR = "entropy_floor_bits_per_byte"


@dataclass(frozen=True)
class Judgement:
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
        tree: dict[str, Any] = {"level": self.level}
        if self.score is not None:
            tree |= {
                FLOOR: self.score.floor_bits_per_byte,
                "story_bits_per_byte": self.score.bits_per_byte,
                "ratio_to_floor": self.score.ratio,
                "stories_measured": self.score.num_stories,
                "stories_too_long": self.score.num_too_long,
            }
        return tree if self.written is None else tree | {"written": self.written.to_dict()}

    def lines(self) -> list[str]:
        """Return the measures as lines for a person."""
        said = []
        if (s := self.score) is not None:
            long = f" ({s.num_too_long} more do not fit into the context)" if s.num_too_long else ""
            said.append(
                f"{s.num_stories} whole stories{long}: {s.bits_per_byte:.4f} bits per byte, true entropy "
                f"{s.floor_bits_per_byte:.4f}: {s.ratio:.3f} × the floor"
            )
        if (w := self.written) is not None:
            said.append(
                f"stories that storyworld's parser accepts: {w.num_valid} of {w.num_samples} ({w.valid_share:.0%})"
            )
            failures = sorted((-n, kind) for kind, n in w.failures.items() if n)
            if failures:
                said.append(
                    "where the others stop being stories: "
                    + ", ".join(f"{kind} {-n}" for n, kind in failures)
                    + f"; a sample is a story through {w.mean_valid_prefix:.0%} of its length on average"
                )
            if w.num_valid:
                shapes = sum(count > 0 for count in w.plot_counts.values())
                said.append(
                    f"of the accepted ones {w.novelty:.0%} are not in the training text; {shapes} of "
                    f"{len(w.plot_counts)} plots, distance from their true shares {w.plot_distance:.2f} "
                    f"(by chance alone about {w.plot_distance_by_chance:.2f})"
                )
        return said


def judge_run(
    model: TransformerLM,
    tokenizer: Tokenizer,
    data: DataSection,
    validation: Sequence[str],
    *,
    num_written: int,
    seed: int,
    console: Console,
) -> Judgement:
    """Judge a model that was trained on storyworld.

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
            except NoneFits as error:
                stage.update(text=str(error))
    if num_written:
        with console.stage(f"writing {num_written} stories", num_written) as stage:
            texts = sample_stories(model, tokenizer, num_written, seed=seed, progress=stage.update)
        with console.stage("parsing them, and looking for them in the training text"):
            written = judge_texts(texts, data)
    return Judgement(level, score, written, tuple(texts))


def judge_texts(texts: Sequence[str], data: DataSection) -> storyworld.Assessment:
    """Judge texts by the parser, and look for them among the stories that training saw.

    The corpus is told anew for that, so it needs no file and takes memory for the texts only.

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


def keep(judgement: Judgement, run: Path) -> Path:
    """Lay a judgement into a run's `summary.json`, beside what stands there; return the file. Raises OSError."""
    path = run / SUMMARY_FILE
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        before = {}
    tree = judgement.to_dict()
    # The report draws this line; a study's own, over all of the validation text, is the better one.
    floor = {} if judgement.score is None else {FLOOR: judgement.score.floor_bits_per_byte}
    atomic_write(path, canonical_json({**floor, **(before if isinstance(before, dict) else {}), "storyworld": tree}))
    return path
