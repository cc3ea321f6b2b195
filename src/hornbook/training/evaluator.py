"""What a run measures between updates: the validation loss, and a sample of what the model writes.

Both read the model and leave it as it was; the loop (loop.py) says when, and what becomes of the results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from hornbook.data.prepare import Dataset
from hornbook.data.token_data import TokenData
from hornbook.evaluation.loss import Evaluation, evaluate
from hornbook.generation.decode import generate
from hornbook.models.transformer import TransformerLM
from hornbook.training.config import TrainConfig

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer


TEMPERATURE, TOP_P = 0.8, 0.95


class Evaluator:
    """Measures the model of one run.

    Args:
        config: the recipe.
        dataset: its data.
    """

    def __init__(self, config: TrainConfig, dataset: Dataset):
        self.config = config
        self.tokenizer: Tokenizer | None = dataset.tokenizer
        self.data = TokenData.open(dataset.validation, config.model.vocab_size, verify=config.data.verify)

    def evaluate(self, model: TransformerLM, progress: Callable[[int], None], stop: Callable[[], bool]) -> Evaluation:
        """Return the model's loss on the validation set. Raises Interrupted where `stop` says so."""
        section, training = self.config.evaluation, self.config.training
        return evaluate(
            model,
            self.data,
            section.batch_size or max(1, training.batch_size // training.gradient_accumulation),
            section.context_length,
            max_tokens=section.max_tokens,
            progress=progress,
            stop=stop,
        )

    def sample(self, model: TransformerLM, tokenizer: Tokenizer) -> str | None:
        """Return what the model writes after the prompt, or from the start of a document; None without either."""
        section, separator = self.config.evaluation, self.config.tokenizer.separator
        end = tokenizer.special_token_ids.get(separator) if separator else None
        ids = tokenizer.encode(section.prompt) if section.prompt else ([end] if end is not None else [])
        if not ids:
            return None
        generator = torch.Generator().manual_seed(self.config.training.seed)
        new = generate(
            model, ids, section.sample_tokens, temperature=TEMPERATURE, top_p=TOP_P, stop_token=end,
            generator=generator, overflow="slide",
        )  # fmt: skip
        return tokenizer.decode(new.tolist())
