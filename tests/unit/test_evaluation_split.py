"""An evaluation divided over processes has the same bits as that of one, whatever their number."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from hornbook.data.token_data import TokenData
from hornbook.evaluation.loss import Interrupted, evaluate
from hornbook.models.config import ModelConfig
from hornbook.models.transformer import TransformerLM

MODEL = TransformerLM(ModelConfig(vocab_size=50, context_length=8, d_model=16, num_layers=1, num_heads=2))
DATA = [np.random.default_rng(n).integers(0, 50, size).astype(np.uint16) for n, size in enumerate((200, 77, 3))]


class Processes:
    """Threads, each with its rank, that sum what they bring."""

    def __init__(self, size):
        self.size, self._barrier, self._brought = size, threading.Barrier(size), {}
        self._local = threading.local()

    @property
    def rank(self):
        return self._local.rank

    def total(self, *numbers):
        self._brought[self.rank] = numbers
        self._barrier.wait(20)
        sums = [sum(column) for column in zip(*(self._brought[r] for r in range(self.size)), strict=True)]
        self._barrier.wait(20)
        return sums

    def run(self, task):
        def one(rank):
            self._local.rank = rank
            return task(rank)

        with ThreadPoolExecutor(self.size) as pool:
            return list(pool.map(one, range(self.size)))


@pytest.mark.parametrize("size", [2, 3, 40])
@pytest.mark.parametrize("settings", [{}, {"sample": 11, "and_rest": True}, {"max_tokens": 60}], ids=str)
def test_the_split_does_not_show(size, settings):
    torch.set_num_threads(1)
    data, processes = TokenData(DATA), Processes(size)  # type: ignore[arg-type]
    alone = evaluate(MODEL, data, 3, 8, **settings)

    def together(_rank):
        return evaluate(copy.deepcopy(MODEL), TokenData(DATA), 3, 8, processes=processes, **settings)  # type: ignore[arg-type]

    assert processes.run(together) == [alone] * size


def test_a_stop_in_one_process_stops_all():
    processes = Processes(2)

    def together(rank):
        model, data = copy.deepcopy(MODEL), TokenData(DATA)  # type: ignore[arg-type]
        try:
            evaluate(model, data, 3, 8, processes=processes, stop=lambda: rank == 1)  # type: ignore[arg-type]
        except Interrupted:
            return "stopped"

    assert processes.run(together) == ["stopped"] * 2
