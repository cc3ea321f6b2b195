"""Which window comes when: the n-th window of an order is a function of (files, seed, n) alone.

`WindowOrder` has all files as one source, `Mixture` each file as a source of its own: the windows come in blocks, in
each of which every source has exactly its share, in an order drawn for the block; each source goes through its own
windows at its own pace. Left out: which windows make a batch (sampler.py), and reading them (token_data.py).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int

from hornbook.data.permutation import permute, permute_blocks, philox
from hornbook.data.sections import whole_shares
from hornbook.errors import ConfigError, DataError
from hornbook.format import counted

# Ids that are looked through for separators at a time.
IDS_PER_SEARCH = 1 << 24

Order = Literal["random", "epochs", "documents"]


class WindowOrder:
    """The windows of some files in the order in which training sees them.

    Args:
        arrays: the ids of each file.
        context_length: T.
        seed: decides the order.
        order: "random", "epochs" or "documents" (sampler.py).
        separator: the id that begins a document; "documents" needs it.
        per_draw: windows that one generator draws in "random" order.

    Attributes:
        size: windows to choose from ("random") or windows in one epoch (the others).

    Raises:
        DataError: no file holds a whole window of T + 1 tokens.
        ConfigError: "documents" without a separator.
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        context_length: int,
        seed: int,
        order: Order,
        separator: int | None,
        per_draw: int,
    ):
        self.context_length, self.seed, self.order, self.per_draw = context_length, seed, order, per_draw
        lengths = np.array([len(array) for array in arrays], np.int64)
        T = context_length
        if order == "documents":
            if separator is None:
                raise ConfigError("order = 'documents' needs the id of the token that begins a document")
            self._aligned = [aligned_starts(array, T, separator) for array in arrays]
            per_file = np.array([len(starts) for starts in self._aligned], np.int64)
        else:
            per_file = np.maximum(lengths - T, 0) if order == "random" else np.maximum(lengths - 1, 0) // T
        if per_file.sum() == 0:
            raise DataError(
                f"the longest token file has {counted(lengths.max(), 'token')}, too few for one window of "
                f"context_length + 1 = {T + 1}; give more text or a smaller --model.context-length"
            )
        self.size, self._num_tokens = int(per_file.sum()), int(lengths.sum())
        self._ends = np.cumsum(per_file)
        self._slack = np.maximum(lengths - 1, 0) - per_file * T  # targets of a file that fit into no window

    def epochs(self, windows: float) -> list[float]:
        """Return how many times the first `windows` windows go through each source: here the one."""
        return [windows / self.size if self.order != "random" else windows * self.context_length / self._num_tokens]

    def at(self, position: Int[np.ndarray, "N"]) -> tuple[Int[np.ndarray, "N"], Int[np.ndarray, "N"]]:
        """Return file and start of the windows at these positions of the order."""
        random = self.order == "random"
        part, place = np.divmod(position, self.per_draw if random else self.size)
        file, start = np.empty_like(position), np.empty_like(position)
        for number in np.unique(part).tolist():
            rows = part == number
            if random:
                drawn = philox(self.seed, number).integers(0, self.size, self.per_draw, dtype=np.int64)
                window = drawn[place[rows]]
            else:
                window = permute(place[rows], self.size, self.seed, number)
            file[rows], start[rows] = self._locate(window, number)
        return file, start

    def _locate(self, window: np.ndarray, epoch: int) -> tuple[np.ndarray, np.ndarray]:
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


class Mixture:
    """Several sources, each a file with its own `WindowOrder`, in exact shares.

    Args:
        arrays: the ids of each source.
        weights: of each source; the block is as long as the smallest whole numbers in their ratio together.
        context_length, seed, order, separator, per_draw: as of `WindowOrder`.

    Attributes:
        size: windows of all sources.

    Raises:
        DataError: a source does not hold a whole window of T + 1 tokens.
        ConfigError: as `WindowOrder` and `whole_shares`.
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        weights: Sequence[float],
        context_length: int,
        seed: int,
        order: Order,
        separator: int | None,
        per_draw: int,
    ):
        self.seed, self.shares = seed, np.array(whole_shares(weights), np.int64)
        self._ends = np.cumsum(self.shares)
        seeds = philox(seed, 1).integers(0, 2**63, len(arrays))  # equal sources are not seen in step
        self.sources: list[WindowOrder] = []
        for ids, own in zip(arrays, seeds.tolist(), strict=True):
            try:
                self.sources.append(WindowOrder([ids], context_length, own, order, separator, per_draw))
            except DataError as error:
                raise DataError(f"source {len(self.sources) + 1} of data.mixture: {error}") from None
        self.size = sum(source.size for source in self.sources)

    def epochs(self, windows: float) -> list[float]:
        """Return how many times the first `windows` windows go through each source, blocks taken as even."""
        parts = windows * self.shares / self.shares.sum()
        return [source.epochs(float(part))[0] for source, part in zip(self.sources, parts, strict=True)]

    def at(self, position: Int[np.ndarray, "N"]) -> tuple[Int[np.ndarray, "N"], Int[np.ndarray, "N"]]:
        """Return file (the source) and start of the windows at these positions, N in a row."""
        length = int(self._ends[-1])
        block, place = np.divmod(position, length)
        first = int(block[0])
        turn = permute_blocks(first, int(block[-1]) - first + 1, length, self.seed)[block - first, place]
        file = np.searchsorted(self._ends, turn, side="right")
        # The turns of a source within a block are numbered, and so are its windows from block to block.
        own = block * self.shares[file] + turn - (self._ends - self.shares)[file]
        start = np.empty_like(position)
        for number, source in enumerate(self.sources):
            rows = file == number
            start[rows] = source.at(own[rows])[1]
        return file, start


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
