"""Token ids of one or more files as one data set: memory-mapped, checked against a vocabulary, windows on demand.

Data stays memory-mapped; pages are handed back to the system while large files are read, so memory does not grow. On an
accelerator a copy may stand beside it. Left out: which windows training sees (sampler.py).
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from hornbook.errors import DataError
from hornbook.tokenizer.token_file import TokenFile

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
            verify: check all ids, not a sample, and their SHA-256.

        Raises:
            DataError: an id outside the vocabulary.
            FormatError: a file that is not a token file, or does not hold the ids that its manifest describes.
            OSError: a file that cannot be read.
        """
        files = [TokenFile.open(path) for path in paths]
        for file in files if verify else ():
            file.verify()
        if vocab_size is not None:
            for path, file in zip(paths, files, strict=True):
                check_in_vocabulary(file.ids, vocab_size, str(path), exact=verify)
        counts = [(file.manifest or {}).get("num_bytes") for file in files]
        total = None if None in counts else sum(int(count) for count in counts if count is not None)
        return cls([file.ids for file in files], total)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return sum(len(array) for array in self.arrays)

    @property
    def num_targets(self) -> int:
        """Tokens that can be predicted: all but the first of each file."""
        return sum(max(0, len(array) - 1) for array in self.arrays)

    def gather(self, file: Int[np.ndarray, "B"], start: Int[np.ndarray, "B"], length: int) -> Int[np.ndarray, "B L"]:
        """Return `length` ids from each start, in the files' own type."""
        if len(self.arrays) == 1:
            out = windows(self.arrays[0], length)[start]
        else:
            out = np.empty((len(start), length), np.result_type(*self.arrays))
            for number in np.unique(file):
                rows = file == number
                out[rows] = windows(self.arrays[number], length)[start[rows]]
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
        first = to_device(torch.from_numpy(self._firsts[file] + start), self._copy.device)
        places = first[:, None] + torch.arange(length, device=self._copy.device)
        return self._copy[places].long() & (1 << 8 * self._copy.itemsize) - 1

    def _release(self) -> None:
        """Unmap the pages read so far; they stay in the system's cache, and reading them again only maps them."""
        self._gathered = 0
        for mapped in self.maps:
            if mapped is not None and hasattr(mapped, "madvise"):
                mapped.madvise(mmap.MADV_DONTNEED)


def check_in_vocabulary(ids: np.ndarray, vocab_size: int, name: str, *, exact: bool = False) -> None:
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


def windows(ids: np.ndarray, length: int) -> np.ndarray:
    """Return a view of every window of `length` ids, one per row; indexing rows copies only those."""
    stride = ids.strides[0]
    return np.lib.stride_tricks.as_strided(ids, (len(ids) - length + 1, length), (stride, stride), writeable=False)


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device; a GPU is not waited for."""
    if device.type == "cuda" and torch.cuda.is_available():
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
