"""Accuracy on cloze items: in how many of them a model finds the right continuation more probable than the wrong one.

Measured as EleutherAI's lm-evaluation-harness measures a multiple choice (`acc`): the log probabilities of a
continuation's tokens are added up, the tokens being those that the whole text is cut into, less those of the context;
what is too long for the model loses its beginning. `write_harness_task` writes the same items for that harness. Left
out: scores per length, which compare continuations that differ in more than a word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from hornbook.data.corpora.storyworld.cloze import ClozeItem
from hornbook.fileio import atomic_write, new_folder
from hornbook.models.transformer import TransformerLM
from hornbook.nn.plain import at_least_float32
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tokenizer.tokenizer import Tokenizer

START = f"{END_OF_TEXT}\n"
"""What stands before a story in the corpus, and before a context here."""
TASK = """task: storyworld_cloze
custom_dataset: !function storyworld_cloze.questions
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{context}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: label
target_delimiter: ""
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1
  level: {level}
  items: {items}
"""
# A path in a task file is looked for in the harness's working folder; of a function's module it knows the place.
QUESTIONS = '''"""Reads the questions that lie beside this file, wherever that is."""

from pathlib import Path

from datasets import load_dataset


def questions(**_):
    """Return the questions as lm-evaluation-harness wants them."""
    return load_dataset("json", data_files={"test": str(Path(__file__).with_name("cloze.jsonl").resolve())})
'''


@dataclass(frozen=True)
class ClozeScore:
    """How a model did on cloze items."""

    accuracy: float
    """Share of the items answered right; 0.5 is chance."""
    num_items: int
    """How many there were."""

    @property
    def standard_error(self) -> float:
        """Of the accuracy, by how many items there were."""
        return (self.accuracy * (1 - self.accuracy) / self.num_items) ** 0.5

    def to_dict(self) -> dict[str, float]:
        """Return the score as a run's `summary.json` keeps it."""
        return {"cloze_accuracy": self.accuracy, "cloze_items": self.num_items}

    def line(self) -> str:
        """Return the score as a line for a person."""
        return (
            f"cloze: {self.accuracy:.3f} ± {self.standard_error:.3f} of {self.num_items} questions right "
            "(which of two sentences goes on with the story? 0.5 is chance)"
        )


@torch.no_grad()
def evaluate_cloze(
    model: TransformerLM,
    tokenizer: Tokenizer,
    items: Sequence[ClozeItem],
    *,
    batch_size: int = 32,
    progress: Callable[[int], None] = lambda done: None,
) -> ClozeScore:
    """Answer cloze items with a model.

    Args:
        model: in evaluation mode.
        tokenizer: its own.
        items: at least one.
        batch_size: continuations per forward pass; changes time and memory only.
        progress: is called with the number of items done.
    """
    rows = [_row(tokenizer, item.context, choice, model) for item in items for choice in item.choices]
    scores = [0.0] * len(rows)
    # Rows of like length share a batch, so that little is padding.
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    for first in range(0, len(order), batch_size):
        batch = order[first : first + batch_size]
        longest = max(len(rows[i][0]) for i in batch)
        padded = [rows[i][0] + [0] * (longest - len(rows[i][0])) for i in batch]
        ids = torch.tensor(padded, device=next(model.parameters()).device)  # (B, T + 1)
        logits = at_least_float32(model(ids[:, :-1])).log_softmax(-1)  # (B, T, V)
        chosen = logits.gather(-1, ids[:, 1:, None]).squeeze(-1)  # (B, T)
        for row, i in zip(chosen, batch, strict=True):
            tokens, length = rows[i]
            scores[i] = float(row[len(tokens) - 1 - length : len(tokens) - 1].sum())
        progress(min(first + batch_size, len(order)) // 2)
    pairs = zip(scores[::2], scores[1::2], items, strict=True)
    right = sum((first < second) == bool(item.label) for first, second, item in pairs)
    return ClozeScore(right / len(items), len(items))


def _row(tokenizer: Tokenizer, context: str, choice: str, model: TransformerLM) -> tuple[list[int], int]:
    """Return the last tokens of context and choice that the model can read, and how many of them are the choice's."""
    whole = tokenizer.encode(START + context + choice)
    length = len(whole) - len(tokenizer.encode(START + context))
    return whole[-(model.config.context_length + 1) :], length


def write_harness_task(folder: Path, items: Sequence[ClozeItem], level: str) -> Path:
    """Write items and a task `storyworld_cloze` for lm-evaluation-harness (`--include_path FOLDER`); return its file.

    Args:
        folder: a new one; it may be moved afterwards.
        items: the questions.
        level: of the stories, for the task's metadata.

    Raises:
        FileExistsError: the folder is there already and not empty.
        OSError: a file cannot be written.
    """
    lines = [
        {"context": START + item.context, "choices": item.choices, "label": item.label, "kind": item.kind}
        for item in items
    ]
    with new_folder(folder) as place:
        atomic_write(place / "cloze.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        atomic_write(place / "storyworld_cloze.py", QUESTIONS)
        atomic_write(place / "storyworld_cloze.yaml", TASK.format(level=level, items=len(items)))
    return folder / "storyworld_cloze.yaml"
