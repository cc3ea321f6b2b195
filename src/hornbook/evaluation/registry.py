"""Which corpora have an evaluation of their own, beside the loss: those whose true distribution is known.

`data.corpus` of a recipe is the name, and the corpus names its evaluation (data/corpora/registry.py): a module with an
`EVALUATOR`, which is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hornbook.data.corpora.registry import CORPORA, find_corpus

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer


class CorpusMetrics(Protocol):
    """What an evaluation found."""

    def to_dict(self) -> dict[str, Any]:
        """Return the measures as values for JSON."""
        ...

    def lines(self) -> list[str]:
        """Return the measures as lines for a person."""
        ...


@dataclass(frozen=True)
class CorpusEvaluator:
    """The evaluation of one corpus."""

    evaluate: Callable[..., Any]
    """(model, tokenizer, data section, validation documents, *, num_written, seed, console) → `CorpusMetrics`."""
    save: Callable[[Any, Path], Path]
    """Keeps the metrics in a run's folder for its report; returns the file."""
    documents: Callable[[str], list[str]]
    """Cuts a text of the corpus into its documents."""
    obstacle: Callable[[Tokenizer, Mapping[str, Any]], str | None]
    """(tokenizer, the run's `data.json`) → why this run cannot be evaluated, as a sentence, or None."""


def find_evaluator(corpus: str | None) -> CorpusEvaluator | None:
    """Return the evaluation of a corpus, or None where it has none of its own."""
    module = find_corpus(corpus).evaluator if corpus in CORPORA else None
    return None if module is None else importlib.import_module(module).EVALUATOR
