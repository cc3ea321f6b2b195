"""Batches of windows from token data: random windows or epochs without replacement, seeded, any position in O(1).

Batch number `index` is a function of (data, seed, index) alone: nothing is carried from one batch to the next, so a
resumed run continues at any step without replaying, and a batch can be left out without moving the others.

- "random" (CS336 handout §5.1): starts uniform over all windows, from the counter-based Philox generator.
- "epochs": the data is cut into windows that share no target; a keyed permutation (a Feistel network with cycle
  walking, Black & Rogaway 2002) visits each once per epoch without a table of them. From epoch to epoch the cut
  moves, so that the fewer than T targets of a file that fit into no window are others each time.

Windows never cross from one file into the next. Data stays memory-mapped; pages are handed back to the system while
reading large files, so memory does not grow. Left out: shuffling buffers, document packing, worker processes (gathering
a batch costs less than handing it to another process).
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from hornbook.errors import ConfigError, DataError

if TYPE_CHECKING:
    from hornbook.tokenizer.token_file import TokenFile

__all__ = ["BatchSampler", "TokenData", "check_ids", "get_batch"]

# Starts are drawn for about so many windows at once: the set-up of a generator costs more than a batch's numbers.
WINDOWS_PER_DRAW = 8192
# Mapped pages are handed back after so many windows, in files of at least so many bytes.
WINDOWS_PER_RELEASE = 4096
RELEASE_ABOVE = 1 << 29
# Ids that go to an accelerator at a time.
COPIED_AT_ONCE = 1 << 25


class TokenData:
    """Token ids from one or more files, as one data set.

    Args:
        arrays: one-dimensional arrays of unsigned ids, memory-mapped or not.
        num_bytes: UTF-8 bytes of the ordinary text behind the ids, where known; for bits per byte.
    """

    def __init__(self, arrays: Sequence[np.ndarray], num_bytes: int | None = None):
        if not arrays:
            raise DataError("there is no token file to read; name at least one")
        self.num_bytes = num_bytes
        self.maps = [getattr(array, "_mmap", None) if array.nbytes >= RELEASE_ABOVE else None for array in arrays]
        for mapped in self.maps:
            if mapped is not None and hasattr(mapped, "madvise"):
                mapped.madvise(mmap.MADV_RANDOM)  # windows are far apart: reading ahead would fetch what nobody wants
        # Plain views: indexing a numpy.memmap costs several times as much.
        self.arrays = [np.asarray(array) for array in arrays]
        self._gathered = 0
        self._copy: Tensor | None = None
        self._firsts = np.cumsum([0, *map(len, self.arrays)])  # where each file begins in the copy

    @classmethod
    def open(cls, paths: Sequence[str | Path], vocab_size: int | None = None, *, verify: bool = False) -> TokenData:
        """Open token files as one data set.

        Args:
            paths: token files, in order.
            vocab_size: V of the model; ids are checked against it. None: no check.
            verify: check all ids, not a sample.

        Raises:
            DataError: an id outside the vocabulary.
            FormatError: a file that is not a token file.
            OSError: a file that cannot be read.
        """
        from hornbook.tokenizer.token_file import TokenFile

        files: list[TokenFile] = [TokenFile.open(path) for path in paths]
        if vocab_size is not None:
            for path, file in zip(paths, files, strict=True):
                check_ids(file.ids, vocab_size, str(path), exact=verify)
        counts = [(file.manifest or {}).get("num_bytes") for file in files]
        total = None if None in counts else sum(int(count) for count in counts if count is not None)
        return cls([file.ids for file in files], total)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return sum(len(array) for array in self.arrays)

    def gather(self, file: Int[np.ndarray, "B"], start: Int[np.ndarray, "B"], length: int) -> Int[np.ndarray, "B L"]:
        """Return `length` ids from each start, in the files' own type."""
        if len(self.arrays) == 1:
            out = _windows(self.arrays[0], length)[start]
        else:
            out = np.empty((len(start), length), np.result_type(*self.arrays))
            for number in np.unique(file):
                rows = file == number
                out[rows] = _windows(self.arrays[number], length)[start[rows]]
        self._gathered += len(start)
        if self._gathered >= WINDOWS_PER_RELEASE:
            self._release()
        return out

    def copy_to(self, device: torch.device, most: int) -> bool:
        """Keep all ids on an accelerator too, so that a batch needs only its starts sent there.

        Args:
            device: where.
            most: bytes that the copy may take.

        Returns:
            Whether they fit; False leaves everything as it was.
        """
        # Signed types of the same width: accelerators index few others. `gather_copy` reads the bits as they are.
        kind = torch.int16 if all(array.itemsize <= 2 for array in self.arrays) else torch.int32
        if len(self) * kind.itemsize > most:
            return False
        self._copy = torch.empty(len(self), dtype=kind, device=device)
        wide = np.dtype(f"u{kind.itemsize}")
        for first, array in zip(self._firsts, self.arrays, strict=False):
            for begin in range(0, len(array), COPIED_AT_ONCE):
                part = array[begin : begin + COPIED_AT_ONCE].astype(wide)
                there = self._copy[first + begin : first + begin + len(part)]
                there.copy_(torch.from_numpy(part.view(f"i{kind.itemsize}")))
        return True

    def copied_on(self, device: torch.device | str) -> bool:
        """Return whether there is a copy on this kind of device."""
        return self._copy is not None and self._copy.device.type == torch.device(device).type

    def gather_copy(self, file: Int[np.ndarray, "B"], start: Int[np.ndarray, "B"], length: int) -> Int[Tensor, "B L"]:
        """Return what `gather` does from the copy that `copy_to` made, as int64; the device is not waited for."""
        assert self._copy is not None
        first = _send(torch.from_numpy(self._firsts[file] + start), self._copy.device)
        places = first[:, None] + torch.arange(length, device=self._copy.device)
        return self._copy[places].long() & (1 << 8 * self._copy.itemsize) - 1

    def _release(self) -> None:
        """Unmap the pages read so far; they stay in the system's cache, and reading them again only maps them."""
        self._gathered = 0
        for mapped in self.maps:
            if mapped is not None and hasattr(mapped, "madvise"):
                mapped.madvise(mmap.MADV_DONTNEED)


class BatchSampler:
    """The order in which training sees the data.

    Args:
        data: the tokens.
        batch_size: B, windows per batch.
        context_length: T.
        seed: decides the order; the same seed gives the same batches on every machine.
        order: "random" or "epochs".

    Raises:
        DataError: no file holds a whole window of T + 1 tokens.
    """

    def __init__(
        self,
        data: TokenData,
        batch_size: int,
        context_length: int,
        seed: int,
        order: Literal["random", "epochs"] = "random",
    ):
        if order not in ("random", "epochs"):
            raise ConfigError(f"order = {order!r} is not one of 'random', 'epochs'")
        self.data, self.batch_size, self.context_length = data, batch_size, context_length
        self.seed, self.order = seed, order
        lengths = np.array([len(array) for array in data.arrays], np.int64)
        T = context_length
        per_file = np.maximum(lengths - T, 0) if order == "random" else np.maximum(lengths - 1, 0) // T
        if per_file.sum() == 0:
            raise DataError(
                f"the longest token file has {lengths.max():,} tokens, too few for one window of context_length + 1 = "
                f"{T + 1}; give more text or a smaller --model.context-length"
            )
        self._ends = np.cumsum(per_file)
        self._slack = np.maximum(lengths - 1, 0) - per_file * T  # targets of a file that fit into no window
        self._batches_per_draw = max(1, WINDOWS_PER_DRAW // batch_size)
        self._drawn: tuple[int, Any] | None = None

    @property
    def num_windows(self) -> int:
        """Windows to choose from ("random") or windows in one epoch ("epochs")."""
        return int(self._ends[-1])

    def epoch(self, index: int) -> float:
        """Return how many times the data has been gone through before batch `index`."""
        if self.order == "epochs":
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
            window = _philox(self.seed, draw).integers(0, self.num_windows, count, dtype=np.int64)
            return self._locate(window)
        position = draw * count + np.arange(count, dtype=np.int64)
        epoch, place = np.divmod(position, self.num_windows)
        file = np.empty(count, np.int64)
        start = np.empty(count, np.int64)
        for number in np.unique(epoch):
            rows = epoch == number
            window = _permute(place[rows], self.num_windows, self.seed, int(number))
            file[rows], start[rows] = self._locate(window, int(number))
        return file, start

    def _locate(self, window: np.ndarray, epoch: int = 0) -> tuple[np.ndarray, np.ndarray]:
        file = np.searchsorted(self._ends, window, side="right")
        within = window - np.concatenate(([0], self._ends[:-1]))[file]
        if self.order == "random":
            return file, within
        offset = _philox(self.seed ^ 0x5EED, epoch).integers(0, self._slack + 1)  # (files,)
        return file, within * self.context_length + offset[file]


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
        raise DataError(f"{len(ids)} tokens are too few for one window of context_length + 1 = {context_length + 1}")
    start = torch.randint(0, len(ids) - context_length, (batch_size,), generator=generator).numpy()
    return _to_tensors(_windows(ids, context_length + 1)[start], device)


def check_ids(ids: np.ndarray, vocab_size: int, name: str, *, exact: bool = False) -> None:
    """Check ids against the vocabulary.

    Args:
        ids: unsigned ids in one dimension.
        vocab_size: V; every id must be smaller.
        name: of the file, for the message.
        exact: look at all of them; otherwise at the first, the last and evenly spread blocks (about a million ids).

    Raises:
        DataError: an id of V or more, with its position.
    """
    block = 1 << 22 if exact else 1 << 14
    count = -(-len(ids) // block)
    chosen = range(count) if exact else np.unique(np.linspace(0, count - 1, min(count, 64)).astype(int))
    for number in chosen:
        part = ids[int(number) * block : (int(number) + 1) * block]
        if len(part) and int(part.max()) >= vocab_size:
            position = int(number) * block + int(np.argmax(part >= vocab_size))
            raise DataError(
                f"{name}: the token at position {position:,} has id {int(ids[position])}, but the vocabulary has "
                f"{vocab_size:,} entries; encode the text with the tokenizer of this model"
            )


def _windows(ids: np.ndarray, length: int) -> np.ndarray:
    """Return a view of every window of `length` ids, one per row; indexing rows copies only those."""
    stride = ids.strides[0]
    return np.lib.stride_tricks.as_strided(ids, (len(ids) - length + 1, length), (stride, stride), writeable=False)


def _to_tensors(windows: np.ndarray, device: torch.device | str) -> tuple[Tensor, Tensor]:
    device = torch.device(device)
    both = _send(torch.from_numpy(windows.astype(np.int64)), device)  # (B, T + 1)
    return both[:, :-1], both[:, 1:]


def _send(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device; a GPU is not waited for."""
    if device.type == "cuda" and torch.cuda.is_available():
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def _philox(seed: int, counter: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed & (2**64 - 1), counter=[0, 0, 0, counter]))


def _permute(place: np.ndarray, size: int, seed: int, epoch: int, rounds: int = 6) -> np.ndarray:
    """Return where the places 0 … size−1 go under the permutation that (seed, epoch) names.

    A Feistel network over Z_a × Z_b with a · b just above `size`, so that almost no place has to be walked on.
    """
    a = math.isqrt(size - 1) + 1
    b = -(-size // a)
    keys = _philox(seed, epoch).integers(0, 2**64, rounds, dtype=np.uint64)
    value = place.astype(np.uint64)
    outside = np.arange(len(value))
    while len(outside):  # cycle walking: apply again where the result fell outside 0 … size−1
        left, right = np.divmod(value[outside], np.uint64(b))
        for number, key in enumerate(keys):
            if number % 2:
                right = (right + _mix(left ^ key) % np.uint64(b)) % np.uint64(b)
            else:
                left = (left + _mix(right ^ key) % np.uint64(a)) % np.uint64(a)
        value[outside] = left * np.uint64(b) + right
        outside = outside[value[outside] >= size]
    return value.astype(np.int64)


def _mix(x: np.ndarray) -> np.ndarray:
    """Return splitmix64's finaliser (Steele et al. 2014) of 64-bit words."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
