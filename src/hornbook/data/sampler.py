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
- "one-batch": the first batch of "random" at every step. A model that can learn soon has it by heart.

With weights the files are the sources of a mixture, each with its own order and epochs (window_order.py).

Windows never cross from one file into the next. Left out: shuffling buffers, document packing, worker processes
(gathering a batch costs less than handing it to another process).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from hornbook.data.token_data import TokenData, to_device, windows
from hornbook.data.window_order import Mixture, Order, WindowOrder
from hornbook.errors import ConfigError, DataError
from hornbook.format import counted

if TYPE_CHECKING:
    from hornbook.tokenizer.token_file import TokenFile


# Starts are drawn for about so many windows at once: the set-up of a generator costs more than a batch's numbers.
WINDOWS_PER_DRAW = 8192


class BatchSampler:
    """The order in which training sees the data.

    Args:
        data: the tokens.
        batch_size: B, windows per batch.
        context_length: T.
        seed: decides the order; the same seed gives the same batches on every machine.
        order: "random", "epochs", "documents" or "one-batch".
        separator: the id that begins a document; "documents" needs it.
        weights: of each file, which is then a source of a mixture; none: all files are one source.

    Raises:
        DataError: no file, or not every source, holds a whole window of T + 1 tokens.
        ConfigError: "documents" without a separator, or weights without a common measure.
    """

    def __init__(
        self,
        data: TokenData,
        batch_size: int,
        context_length: int,
        seed: int,
        order: Order | Literal["one-batch"] = "random",
        separator: int | None = None,
        weights: Sequence[float] = (),
    ):
        if order not in ("random", "epochs", "documents", "one-batch"):
            raise ConfigError(f"order = {order!r} is not one of 'random', 'epochs', 'documents', 'one-batch'")
        self.data, self.batch_size, self.context_length = data, batch_size, context_length
        self.seed, self.order = seed, order
        self._batches_per_draw = max(1, WINDOWS_PER_DRAW // batch_size)
        drawn: Order = "random" if order == "one-batch" else order
        how = (context_length, seed, drawn, separator, self._batches_per_draw * batch_size)
        self._windows = Mixture(data.arrays, weights, *how) if weights else WindowOrder(data.arrays, *how)
        self._drawn: tuple[int, Any] | None = None

    @property
    def num_windows(self) -> int:
        """Windows to choose from ("random") or windows in one epoch (the others)."""
        return self._windows.size

    def epochs(self, index: int) -> list[float]:
        """Return how many times each source (without weights: the data) has been gone through before batch `index`."""
        index = min(index, 1) if self.order == "one-batch" else index
        return self._windows.epochs(index * self.batch_size)

    def starts(self, index: int) -> tuple[Int[np.ndarray, "B"], Int[np.ndarray, "B"]]:
        """Return the file number and the position in it where each window of batch `index` starts."""
        draw, row = divmod(0 if self.order == "one-batch" else index, self._batches_per_draw)
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
        return self._windows.at(draw * count + np.arange(count, dtype=np.int64))


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
    both = to_device(torch.from_numpy(rows.astype(np.int64)), device)  # (B, T + 1)
    return both[:, :-1], both[:, 1:]
