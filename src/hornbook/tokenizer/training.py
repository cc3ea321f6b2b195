"""Training a byte-level BPE: files → counts of pre-tokens → vocabulary and merges.

The rule (CS336 handout §2.4) is said in plain Python by `reference.py`, and the tests hold this to it. The native core
counts files in blocks on several threads and runs the merges; a pattern that the core does not scan is cut by the
`regex` library here. Memory grows with the distinct pre-tokens, not with the text.

Left out: dropping rare pairs, a limit on token length, and training that goes on from given merges.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from hornbook.errors import DataError, FormatError, TokenizerError
from hornbook.tokenizer import _core, free_pattern, streams
from hornbook.tokenizer.patterns import UNICODE_VERSION, resolve, split
from hornbook.tokenizer.special import check_special_tokens, documents_of, split_special
from hornbook.tokenizer.utf8 import Errors, check_errors, checked, encoded

__all__ = ["PretokenCounts", "count_pretokens", "train_bpe", "train_bpe_from_counts"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Source = Paths | Iterable[str | bytes]
Progress = Callable[[int, int], Any]

logger = logging.getLogger("hornbook")


class PretokenCounts:
    """How often each distinct pre-token occurs: all that training needs to know of a text.

    Counts of parts, made on any machine, merge into the counts of the whole. Made by `count_pretokens` or `load`.

    Attributes:
        pattern: name or regular expression that cut the text.
        special_tokens: what was cut out and not counted.
    """

    def __init__(self, pattern: str = "gpt2", special_tokens: Sequence[str] = ()) -> None:
        self.pattern = resolve(pattern).text
        self.special_tokens = list(special_tokens)
        check_special_tokens(self.special_tokens)
        self.phases: dict[str, float] = {}
        self._native = _core.Counts()

    def __len__(self) -> int:
        """Return the number of distinct pre-tokens."""
        return len(self._native)

    def total(self) -> int:
        """Return the number of pre-tokens."""
        return self._native.total()

    def items(self) -> list[tuple[bytes, int]]:
        """Return (pre-token, count), ascending by the pre-token's bytes."""
        return self._native.items()

    def add(self, pretoken: bytes, count: int = 1) -> None:
        """Count a pre-token of your own cutting. Raises TokenizerError for an empty one or a count below 1."""
        if not pretoken or not 0 < count < 2**63:
            raise TokenizerError(f"a pre-token has bytes and a count of at least 1, not {pretoken!r} × {count}")
        self._native.add(pretoken, count)

    def add_text(self, text: str) -> None:
        """Count a text in memory, as if it were one more file."""
        content = encoded(text)
        if resolve(self.pattern).name in _core.native_patterns:
            self._native.add_text(content, self.pattern, self.special_tokens)
            return
        for piece, is_special in split_special(text, self.special_tokens):
            if not is_special:
                for pretoken, count in Counter(split(piece, self.pattern)).items():
                    self._native.add(pretoken.encode(), count)

    def merge(self, other: PretokenCounts) -> None:
        """Add the counts of another text, cut in the same way.

        Raises:
            TokenizerError: the other was cut by another pattern or at other special tokens.
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
        from hornbook.tokenizer.counts_file import write_counts

        words, lengths, counts = self._native.export()
        write_counts(path, words, lengths, counts, fields)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PretokenCounts:
        """Read counts.

        Raises:
            FormatError: not this format, damaged, or by another Unicode version.
            OSError: the file cannot be read.
        """
        from hornbook.tokenizer.counts_file import read_counts

        fields, words = read_counts(path)
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
            such as a `hornbook.data.text_reader.Corpus`.
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
    counts = PretokenCounts(pattern, special_tokens)
    if _is_stream(source):
        _count_stream(counts, source, _threads(num_threads), errors, progress)
        return counts
    paths = _paths(source)
    check_errors(errors)
    total = sum(path.stat().st_size for path in paths)
    report = None if progress is None else lambda done: progress(done, total)
    if resolve(pattern).name in _core.native_patterns:
        names = [str(path) for path in paths]
        counts.phases = counts._native.count_files(
            names, counts.pattern, counts.special_tokens, _threads(num_threads), errors == "replace", report
        )
        return counts
    done = 0
    processes = _threads(num_threads) if total >= free_pattern.SMALL else 1
    for path in paths:
        pieces = documents_of(checked(streams.read_file(path), errors, path), counts.special_tokens)
        _count_free(counts, pieces, processes, report, done)
        done += path.stat().st_size
        if report is not None:
            report(done)
    return counts


def _count_free(
    counts: PretokenCounts,
    pieces: Iterable[tuple[bytes, bool]],
    processes: int,
    report: Callable[[int], Any] | None,
    done: int,
) -> None:
    def told() -> Iterator[bytes]:
        held = done
        for batch in free_pattern.batches(pieces):
            yield batch
            held += len(batch)
            if report is not None:
                report(held)

    if processes == 1:
        for batch in told():
            counts.add_text(batch.decode())
        return
    words = free_pattern.count(told(), counts.pattern, counts.special_tokens, processes)
    for pretoken, count in words.items():
        counts._native.add(pretoken, count)


def _count_stream(
    counts: PretokenCounts, chunks: Iterable[str | bytes], threads: int, errors: Errors, progress: Progress | None
) -> None:
    check_errors(errors)
    source = streams.reported(chunks, progress)
    if resolve(counts.pattern).name in _core.native_patterns:
        streams.count_stream(counts._native, source, counts.pattern, counts.special_tokens, threads, errors)
    else:
        pieces = documents_of(checked(source, errors), counts.special_tokens)
        _count_free(counts, pieces, threads, None, 0)


def train_bpe(
    input_path: Source,
    vocab_size: int,
    special_tokens: Sequence[str] = (),
    *,
    pattern: str = "gpt2",
    num_threads: int | None = None,
    errors: Errors = "strict",
    progress: Progress | None = None,
) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """Train a byte-level BPE on one or more UTF-8 files.

    Args:
        input_path: path or list of paths, or a stream of text, as in `count_pretokens`.
        vocab_size: entries wanted, special tokens and the 256 bytes included. A small text may yield fewer.
        special_tokens: get the first ids in this order; they cut the text and are not trained on.
        pattern: see `count_pretokens`.
        num_threads: None: as many as this process has cores. The result does not depend on it.
        errors: "strict" or "replace", for malformed UTF-8.
        progress: called now and then with (done, total): bytes while counting, then merges.

    Returns:
        vocab (id → bytes: special tokens, the 256 bytes, new symbols in order of creation) and the merges in order of
        creation.

    Raises:
        TokenizerError: `vocab_size` below 256 + the special tokens; an empty or repeated special token.
        DataError: malformed UTF-8, or files with nothing in them.
        OSError: a file that is missing or cannot be read.

    Example:
        >>> vocab, merges = train_bpe("tinystories.txt", 10_000, ["<|endoftext|>"])
    """
    _check_size(vocab_size, special_tokens)
    if not _is_stream(input_path):
        paths = _paths(input_path)
        if not any(path.stat().st_size for path in paths):
            raise DataError(f"there is nothing to train on: {', '.join(map(str, paths))} is empty")
    counts = count_pretokens(
        input_path, special_tokens, pattern=pattern, num_threads=num_threads, errors=errors, progress=progress
    )
    return _train(counts, vocab_size, special_tokens, progress, num_threads=num_threads, consume=True)


def train_bpe_from_counts(
    counts: PretokenCounts,
    vocab_size: int,
    special_tokens: Sequence[str] | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """Train on counted pre-tokens; arguments and results as of `train_bpe`.

    Args:
        counts: left as they are.
        vocab_size: entries wanted.
        special_tokens: None takes those that the counts were cut at.
        progress: called now and then with (merges done, merges in all).

    Raises:
        TokenizerError: as `train_bpe`.
    """
    special = counts.special_tokens if special_tokens is None else special_tokens
    _check_size(vocab_size, special)
    return _train(counts, vocab_size, special, progress, consume=False)


def _train(
    counts: PretokenCounts,
    vocab_size: int,
    special_tokens: Sequence[str],
    progress: Progress | None,
    *,
    num_threads: int | None = None,
    consume: bool,
) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    num_symbols = vocab_size - len(special_tokens)
    total = num_symbols - 256
    report = None if progress is None else lambda done: progress(done, total)
    symbols, merges, phases = _core.train(counts._native, num_symbols, _threads(num_threads), consume, report)
    counts.phases |= phases
    vocab = dict(enumerate([token.encode() for token in special_tokens] + symbols))
    if len(vocab) < vocab_size:
        logger.warning(
            "the text yields a vocabulary of %d entries, fewer than the %d asked for: no pair is left to merge",
            len(vocab),
            vocab_size,
        )
    if progress is not None:
        progress(total, total)
    return vocab, merges


def _is_stream(source: Source) -> TypeGuard[Iterable[str | bytes]]:
    return not isinstance(source, str | os.PathLike | list | tuple)


def _paths(source: Any) -> list[Path]:
    paths = [Path(source)] if isinstance(source, str | os.PathLike) else [Path(path) for path in source]
    if not paths:
        raise DataError("there is no file to read; name at least one")
    return paths


def _threads(num_threads: int | None) -> int:
    if num_threads is None:
        return _core.available_cores()
    if isinstance(num_threads, bool) or not isinstance(num_threads, int) or num_threads < 1:
        raise TokenizerError(f"num_threads is a whole number of at least 1, or None, not {num_threads!r}")
    return min(num_threads, 256)


def _check_size(vocab_size: int, special_tokens: Sequence[str]) -> None:
    check_special_tokens(special_tokens)
    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int):
        raise TokenizerError(f"vocab_size is a whole number, not {vocab_size!r}")
    smallest = 256 + len(special_tokens)
    if not smallest <= vocab_size < 2**31:
        raise TokenizerError(
            f"vocab_size {vocab_size} is too {'small' if vocab_size < smallest else 'large'}: 256 bytes and "
            f"{len(special_tokens)} special tokens need at least {smallest}"
        )
