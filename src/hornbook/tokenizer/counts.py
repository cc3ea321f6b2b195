"""Counts of pre-tokens: all that training needs to know of a text, made from files or streams.

The native core counts files in blocks on several threads; a pattern that it does not scan is cut by the `regex`
library, in processes. Memory grows with the distinct pre-tokens, not with the text.

Left out: dropping rare pre-tokens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from hornbook.errors import FormatError, TokenizerError
from hornbook.tokenizer import _core, regex_pool
from hornbook.tokenizer.counts_file import MOST_BYTES, read_counts, write_counts
from hornbook.tokenizer.patterns import UNICODE_VERSION, find_pattern, is_native
from hornbook.tokenizer.special import check_special_tokens
from hornbook.tokenizer.text import (
    Source,
    file_paths,
    is_chunks,
    read_file,
    resolve_threads,
    safe_blocks,
    with_progress,
)
from hornbook.tokenizer.utf8 import Errors, check_errors, checked, encoded

Progress = Callable[[int, int], Any]


class PretokenCounts:
    """How often each distinct pre-token occurs: all that training needs to know of a text.

    Counts of parts, made on any machine, merge into the counts of the whole. Made by `count_pretokens` or `load`.

    Attributes:
        pattern: name or regular expression that cut the text.
        special_tokens: what was cut out and not counted.
    """

    def __init__(self, pattern: str = "gpt2", special_tokens: Sequence[str] = ()) -> None:
        self.pattern = find_pattern(pattern).text
        self.special_tokens = list(special_tokens)
        check_special_tokens(self.special_tokens)
        self.phases: dict[str, float] = {}
        self._native = _core.Counts()

    def __len__(self) -> int:
        """Return the number of distinct pre-tokens."""
        return len(self._native)

    def total(self) -> int:
        """Return the number of pre-tokens in the text, repetitions counted."""
        return self._native.total()

    def items(self) -> list[tuple[bytes, int]]:
        """Return (pre-token, count), ascending by the pre-token's bytes."""
        return self._native.items()

    def add(self, pretoken: bytes, count: int = 1) -> None:
        """Count a pre-token of your own cutting. Raises TokenizerError for an empty one or a count below 1.

        Counts are exact up to 2^63 − 1; DataError: this one would be above.
        """
        if not pretoken or not 0 < count < 2**63:
            raise TokenizerError(f"a pre-token has bytes and a count of at least 1, not {pretoken!r} × {count}")
        self._native.add(pretoken, count)

    def add_text(self, text: str) -> None:
        """Count a text in memory, as if it were one more file."""
        self.add_blocks([encoded(text)])

    def add_blocks(self, blocks: Iterable[bytes], num_threads: int = 1) -> None:
        """Count a text in blocks of well-formed UTF-8 cut by `text.safe_blocks`, on threads (or in processes)."""
        if is_native(self.pattern):
            _count_blocks(self._native, blocks, self.pattern, self.special_tokens, num_threads)
        else:
            for words in regex_pool.count(blocks, self.pattern, self.special_tokens, num_threads):
                for pretoken, count in words.items():
                    self._native.add(pretoken, count)

    def merge(self, other: PretokenCounts) -> None:
        """Add the counts of another text, cut in the same way.

        Raises:
            TokenizerError: the other was cut by another pattern or at other special tokens.
            DataError: a count would be above 2^63 − 1; the others may have been added already.
        """
        if (self.pattern, set(self.special_tokens)) != (other.pattern, set(other.special_tokens)):
            raise TokenizerError(
                f"counts by pattern {other.pattern!r} and special tokens {other.special_tokens} cannot be merged with "
                f"counts by {self.pattern!r} and {self.special_tokens}: count the text again"
            )
        self._native.merge(other._native)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the counts (docs/formats/pretoken_counts.md), sorted, in one step. Raises OSError."""
        fields = {
            "pattern": self.pattern,
            "special_tokens": self.special_tokens,
            "unicode_version": UNICODE_VERSION,
        }
        write_counts(path, *self._native.export(), fields)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, most_bytes: int = MOST_BYTES) -> PretokenCounts:
        """Read counts; a file of more than `most_bytes` is refused, as five times its size is held in memory.

        Raises:
            FormatError: not this format, damaged, too large, or by another Unicode version.
            OSError: the file cannot be read.
        """
        fields, words = read_counts(path, most_bytes)
        if fields["unicode_version"] != UNICODE_VERSION:
            raise FormatError(
                f"{path} was counted by Unicode {fields['unicode_version']!r}, this hornbook cuts by {UNICODE_VERSION}"
            )
        try:
            counts = cls(fields["pattern"], fields["special_tokens"])
        except TokenizerError as error:
            raise FormatError(f"{path}: {error}") from None
        for word, count in words:
            counts._native.add(word, count)
        return counts


def count_pretokens(
    source: Source,
    special_tokens: Sequence[str] = (),
    *,
    pattern: str = "gpt2",
    num_threads: int | None = None,
    errors: Errors = "strict",
    progress: Progress | None = None,
) -> PretokenCounts:
    """Count the pre-tokens of one or more UTF-8 files.

    Args:
        source: path or list of paths; or the text itself as a stream: any other iterable of chunks of str or bytes,
            such as a `hornbook.data.text_reader.TextReader`.
        special_tokens: cut the text, longest first, and are not counted.
        pattern: `gpt2`, `cl100k`, `o200k`, or a regular expression (which the `regex` library runs, in processes).
        num_threads: None: as many as this process has cores. The result does not depend on it.
        errors: "strict" or "replace", for malformed UTF-8.
        progress: called now and then with (bytes done, bytes in all).

    Returns:
        The counts; `phases` says how many seconds each part took.

    Raises:
        DataError: malformed UTF-8 with errors="strict" (names file and byte offset).
        TokenizerError: an empty or repeated special token, or a pattern that cannot be used.
        OSError: a file that is missing or cannot be read.
    """
    check_errors(errors)
    counts, threads = PretokenCounts(pattern, special_tokens), resolve_threads(num_threads)
    if is_chunks(source):
        counts.add_blocks(
            safe_blocks(checked(with_progress(source, progress), errors), pattern, special_tokens), threads
        )
        return counts
    paths = file_paths(source)
    total = sum(path.stat().st_size for path in paths)
    if is_native(pattern):
        report = None if progress is None else lambda done: progress(done, total)
        counts.phases = counts._native.count_files(
            [str(path) for path in paths], counts.pattern, counts.special_tokens, threads, errors == "replace", report
        )
    else:
        counts.add_blocks(_blocks_of_files(paths, total, counts, errors, progress), threads)
    return counts


def _blocks_of_files(
    paths: Sequence[Path], total: int, counts: PretokenCounts, errors: Errors, progress: Progress | None
) -> Iterator[bytes]:
    before = 0
    for path in paths:
        report = None if progress is None else lambda done, _, before=before: progress(before + done, total)
        chunks = checked(with_progress(read_file(path), report), errors, path)
        yield from safe_blocks(chunks, counts.pattern, counts.special_tokens)
        before += path.stat().st_size


def _count_blocks(
    total: _core.Counts, blocks: Iterable[bytes], pattern: str, special_tokens: list[str], threads: int
) -> None:
    if threads == 1:
        for block in blocks:
            total.add_text(block, pattern, special_tokens)
        return
    # Each thread counts into a table of its own; `total` is the first of them.
    idle: SimpleQueue[_core.Counts] = SimpleQueue()
    tables = [total, *(_core.Counts() for _ in range(threads - 1))]
    for table in tables:
        idle.put(table)

    def work(block: bytes) -> None:
        table = idle.get()
        try:
            table.add_text(block, pattern, special_tokens)
        finally:
            idle.put(table)

    under_way: set[Future[None]] = set()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="hornbook-count")
    try:
        for block in blocks:
            if len(under_way) > 2 * threads:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
            under_way.add(pool.submit(work, block))
        for future in under_way:
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)  # after an interrupt only the blocks that are being counted are waited for
    for table in tables[1:]:
        total.merge(table)
