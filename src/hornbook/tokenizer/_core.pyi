# Written by tools/write_stubs.py; do not edit.
"""
hornbook's native core: scanning, counting, training and encoding of byte-level BPE.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray

native_patterns: tuple = ("gpt2", "cl100k", "o200k")

unicode_version: str = "16.0.0"

def char_class(code: int) -> int: ...
def variant() -> str:
    """The instruction set that the loops over text use now."""

def set_variant(name: str) -> bool:
    """Use nothing wider; False (and no change) where the machine lacks it."""

def available_cores() -> int: ...
def scan(
    text: str | bytes, pattern: str, one_by_one: bool = False
) -> tuple[Annotated[NDArray[numpy.uint32], dict(shape=(None,), order="C")], int | None]: ...

class Counts:
    """Distinct pre-tokens (bytes) and how often each occurs (64 bits)."""

    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    def total(self) -> int: ...
    def memory(self) -> int: ...
    def add(self, word: bytes, count: int) -> None: ...
    def add_text(self, text: str | bytes, pattern: str, special_tokens: Sequence[str]) -> None: ...
    def count_files(
        self,
        paths: Sequence[str],
        pattern: str,
        special_tokens: Sequence[str],
        threads: int,
        replace: bool,
        progress: Callable[[int], object] | None,
    ) -> dict[str, float]: ...
    def merge(self, other: Counts) -> None: ...
    def items(self) -> list[tuple[bytes, int]]:
        """All (word, count), ascending by word."""

    def export(
        self,
    ) -> tuple[
        bytes,
        Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C")],
        Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C")],
    ]:
        """Sorted: the words one after the other, their lengths, their counts."""

def train(
    counts: Counts, max_symbols: int, threads: int, consume: bool, progress: Callable[[int], object] | None
) -> tuple[list[bytes], list[tuple[bytes, bytes]], dict[str, float]]: ...
def last_cut(text: bytes, start: int, special_tokens: Sequence[str]) -> int:
    """
    The last place after `start` where the text may be divided whatever follows, or `start`.
    """

def set_first_threshold(threshold: int) -> None:
    """For tests: the rarest pairs kept at the start; 0 chooses."""

class Encoder16:
    """Text to ids, for one vocabulary."""

    def __init__(
        self,
        vocab: dict[int, bytes],
        merges: Sequence[tuple[bytes, bytes]],
        specials: Sequence[tuple[str, int]],
        pattern: str,
        cache_bytes: int,
    ) -> None: ...
    def encode(self, text: str | bytes, allowed: Sequence[int] | None = None) -> list[int]: ...
    def encode_array(
        self, text: str | bytes, allowed: Sequence[int] | None = None, threads: int = 1
    ) -> Annotated[NDArray[numpy.uint16], dict(shape=(None,), order="C")]: ...
    def encode_batch(
        self, texts: Sequence[str | bytes], allowed: Sequence[int] | None, threads: int
    ) -> list[Annotated[NDArray[numpy.uint16], dict(shape=(None,), order="C")]]: ...
    def encode_pieces(
        self, text: bytes, ends: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", writable=False)]
    ) -> Annotated[NDArray[numpy.uint16], dict(shape=(None,), order="C")]: ...
    def encode_file(
        self, path: str, threads: int, replace: bool, progress: Callable[[int], object] | None
    ) -> Annotated[NDArray[numpy.uint16], dict(shape=(None,), order="C")]: ...
    def encode_file_to(
        self, path: str, descriptor: int, threads: int, replace: bool, progress: Callable[[int], object] | None
    ) -> tuple[int, int, int]: ...
    def set_cache_bytes(self, limit: int) -> None: ...
    def cache_memory(self) -> int: ...

class Encoder32:
    """Text to ids, for one vocabulary."""

    def __init__(
        self,
        vocab: dict[int, bytes],
        merges: Sequence[tuple[bytes, bytes]],
        specials: Sequence[tuple[str, int]],
        pattern: str,
        cache_bytes: int,
    ) -> None: ...
    def encode(self, text: str | bytes, allowed: Sequence[int] | None = None) -> list[int]: ...
    def encode_array(
        self, text: str | bytes, allowed: Sequence[int] | None = None, threads: int = 1
    ) -> Annotated[NDArray[numpy.uint32], dict(shape=(None,), order="C")]: ...
    def encode_batch(
        self, texts: Sequence[str | bytes], allowed: Sequence[int] | None, threads: int
    ) -> list[Annotated[NDArray[numpy.uint32], dict(shape=(None,), order="C")]]: ...
    def encode_pieces(
        self, text: bytes, ends: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", writable=False)]
    ) -> Annotated[NDArray[numpy.uint32], dict(shape=(None,), order="C")]: ...
    def encode_file(
        self, path: str, threads: int, replace: bool, progress: Callable[[int], object] | None
    ) -> Annotated[NDArray[numpy.uint32], dict(shape=(None,), order="C")]: ...
    def encode_file_to(
        self, path: str, descriptor: int, threads: int, replace: bool, progress: Callable[[int], object] | None
    ) -> tuple[int, int, int]: ...
    def set_cache_bytes(self, limit: int) -> None: ...
    def cache_memory(self) -> int: ...
