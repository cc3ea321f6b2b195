"""Batches of windows from token data: random windows or epochs without replacement, seeded, any position in O(1).

Batch number `index` is a function of (data, seed, index) alone: nothing is carried from one batch to the next, so a
resumed run continues at any step without replaying, and a batch can be left out without moving the others.

- "random" (CS336 handout §5.1): starts uniform over all windows, from the counter-based Philox generator.
- "epochs": the data is cut into windows that share no target; a keyed permutation (permutation.py) visits each once per
  epoch without a table of them. From epoch to epoch the cut moves, so that the fewer than T targets of a file that fit
  into no window are others each time.
- "documents": as "epochs", but a window begins where a document does: with the first one that the window before does
  not hold whole (greedy). A document longer than a window goes on in the next. What a window has of its last document
  is seen again in the next window; the last fewer than T targets of a file are left out.

Windows never cross from one file into the next. Left out: shuffling buffers, document packing, worker processes
(gathering a batch costs less than handing it to another process).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from hornbook.data.permutation import permute, philox
from hornbook.data.token_data import TokenData, send, windows
from hornbook.errors import ConfigError, DataError
from hornbook.format import counted

if TYPE_CHECKING:
    from hornbook.tokenizer.token_file import TokenFile


# Starts are drawn for about so many windows at once: the set-up of a generator costs more than a batch's numbers.
WINDOWS_PER_DRAW = 8192
# Ids that are looked through for separators at a time.
IDS_PER_SEARCH = 1 << 24


class BatchSampler:
    """The order in which training sees the data.

    Args:
        data: the tokens.
        batch_size: B, windows per batch.
        context_length: T.
        seed: decides the order; the same seed gives the same batches on every machine.
        order: "random", "epochs" or "documents".
        separator: the id that begins a document; "documents" needs it.

    Raises:
        DataError: no file holds a whole window of T + 1 tokens.
        ConfigError: "documents" without a separator.
    """

    def __init__(
        self,
        data: TokenData,
        batch_size: int,
        context_length: int,
        seed: int,
        order: Literal["random", "epochs", "documents"] = "random",
        separator: int | None = None,
    ):
        if order not in ("random", "epochs", "documents"):
            raise ConfigError(f"order = {order!r} is not one of 'random', 'epochs', 'documents'")
        self.data, self.batch_size, self.context_length = data, batch_size, context_length
        self.seed, self.order = seed, order
        lengths = np.array([len(array) for array in data.arrays], np.int64)
        T = context_length
        if order == "documents":
            if separator is None:
                raise ConfigError("order = 'documents' needs the id of the token that begins a document")
            self._aligned = [aligned_starts(array, T, separator) for array in data.arrays]
            per_file = np.array([len(starts) for starts in self._aligned], np.int64)
        else:
            per_file = np.maximum(lengths - T, 0) if order == "random" else np.maximum(lengths - 1, 0) // T
        if per_file.sum() == 0:
            raise DataError(
                f"the longest token file has {counted(lengths.max(), 'token')}, too few for one window of "
                f"context_length + 1 = {T + 1}; give more text or a smaller --model.context-length"
            )
        self._ends = np.cumsum(per_file)
        self._slack = np.maximum(lengths - 1, 0) - per_file * T  # targets of a file that fit into no window
        self._batches_per_draw = max(1, WINDOWS_PER_DRAW // batch_size)
        self._drawn: tuple[int, Any] | None = None

    @property
    def num_windows(self) -> int:
        """Windows to choose from ("random") or windows in one epoch (the others)."""
        return int(self._ends[-1])

    def epoch(self, index: int) -> float:
        """Return how many times the data has been gone through before batch `index`."""
        if self.order != "random":
            return index * self.batch_size / self.num_windows
        return index * self.batch_size * self.context_length / max(1, len(self.data))

    def starts(self, index: int) -> tuple[Int[np.ndarray, "B"], Int[np.ndarray, "B"]]:
        """Return the file number and the position in it where each window of batch `index` starts."""
        draw, row = divmod(index, self._batches_per_draw)
        if self._drawn is None or self._drawn[0] != draw:
            self._drawn = (draw, self._draw(draw))
        file, start = self._drawn[1]
        rows = slice(row * self.batch_size, (row + 1) * self.batch_size)
        return file[rows], start[rows]

    def batch(
        self, index: int, device: torch.device | str = "cpu", rows: slice = slice(None)
    ) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]:
        """Return batch number `index`.

        Args:
            index: 0, 1, 2, …
            device: where the result goes.
            rows: the part of the batch to return, for accumulation and for several processes.

        Returns:
            Inputs and targets, int64; a target is the token after its input.
        """
        file, start = self.starts(index)
        where = (file[rows], start[rows], self.context_length + 1)
        if self.data.copied_on(device):
            both = self.data.gather_copy(*where)
            return both[:, :-1], both[:, 1:]
        return _to_tensors(self.data.gather(*where), device)

    def _draw(self, draw: int) -> tuple[np.ndarray, np.ndarray]:
        count = self._batches_per_draw * self.batch_size
        if self.order == "random":
            window = philox(self.seed, draw).integers(0, self.num_windows, count, dtype=np.int64)
            return self._locate(window)
        position = draw * count + np.arange(count, dtype=np.int64)
        epoch, place = np.divmod(position, self.num_windows)
        file = np.empty(count, np.int64)
        start = np.empty(count, np.int64)
        for number in np.unique(epoch):
            rows = epoch == number
            window = permute(place[rows], self.num_windows, self.seed, int(number))
            file[rows], start[rows] = self._locate(window, int(number))
        return file, start

    def _locate(self, window: np.ndarray, epoch: int = 0) -> tuple[np.ndarray, np.ndarray]:
        file = np.searchsorted(self._ends, window, side="right")
        within = window - np.concatenate(([0], self._ends[:-1]))[file]
        if self.order == "random":
            return file, within
        if self.order == "documents":
            start = np.empty(len(window), np.int64)
            for number in np.unique(file):
                start[file == number] = self._aligned[number][within[file == number]]
            return file, start
        offset = philox(self.seed ^ 0x5EED, epoch).integers(0, self._slack + 1)  # (files,)
        return file, within * self.context_length + offset[file]


def aligned_starts(ids: np.ndarray, context_length: int, separator: int) -> Int[np.ndarray, "W"]:
    """Return where windows of T + 1 ids begin so that each begins a document and they are as few as hold all of them.

    Args:
        ids: of one file.
        context_length: T.
        separator: the id that begins a document; what stands before the first one is a document too.
    """
    T, last = context_length, len(ids) - context_length - 1
    blocks = range(0, len(ids), IDS_PER_SEARCH)
    found = [np.flatnonzero(ids[first : first + IDS_PER_SEARCH] == separator) + first for first in blocks]
    documents = array("q", np.concatenate([[0], *found]).astype(np.int64).tobytes())
    starts = array("q")
    start = place = 0
    while start <= last:
        starts.append(start)
        # The last document that begins within the window may go on behind it: the next window begins with it.
        place = bisect_right(documents, start + T, place) - 1
        start = documents[place] if documents[place] > start else start + T
    return np.array(starts, np.int64)


def get_batch(
    tokens: np.ndarray | Tensor | TokenFile,
    batch_size: int,
    context_length: int,
    device: torch.device | str,
    generator: torch.Generator | None = None,
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]:
    """Draw a batch of random windows (CS336 handout §5.1).

    Args:
        tokens: n ids in one dimension (array, memory map or token file).
        batch_size: B.
        context_length: T.
        device: where the result goes.
        generator: a CPU generator; None: torch's global one.

    Returns:
        Inputs and targets, int64 (B, T); starts are uniform over 0 … n − T − 1.

    Raises:
        DataError: fewer than T + 1 tokens.
    """
    ids = np.asarray(getattr(tokens, "ids", tokens))
    if ids.ndim != 1:
        raise DataError(f"tokens of shape {ids.shape} are not a sequence; wanted one dimension")
    if len(ids) <= context_length:
        raise DataError(
            f"{counted(len(ids), 'token')} are too few for one window of context_length + 1 = {context_length + 1}"
        )
    start = torch.randint(0, len(ids) - context_length, (batch_size,), generator=generator).numpy()
    return _to_tensors(windows(ids, context_length + 1)[start], device)


def _to_tensors(rows: np.ndarray, device: torch.device | str) -> tuple[Tensor, Tensor]:
    device = torch.device(device)
    both = send(torch.from_numpy(rows.astype(np.int64)), device)  # (B, T + 1)
    return both[:, :-1], both[:, 1:]
