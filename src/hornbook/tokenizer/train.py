"""Training a byte-level BPE: counts of pre-tokens → vocabulary and merges, by the native core.

The rule (CS336 handout §2.4) is written in plain Python in `reference.py`, and the tests hold this to it.

Left out: dropping rare pairs, a limit on token length, and training that goes on from given merges.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hornbook.errors import DataError, TokenizerError
from hornbook.format import counted
from hornbook.tokenizer import _core
from hornbook.tokenizer.counts import PretokenCounts, Progress, count_pretokens
from hornbook.tokenizer.special import check_special_tokens
from hornbook.tokenizer.text import Source, file_paths, is_chunks, resolve_threads
from hornbook.tokenizer.utf8 import Errors

logger = logging.getLogger("hornbook")


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
    check_vocab_size(vocab_size, special_tokens)
    if not is_chunks(input_path):
        paths = file_paths(input_path)
        if not any(path.stat().st_size for path in paths):
            raise DataError(f"there is nothing to train on: {', '.join(map(str, paths))} is empty")
    counts = count_pretokens(
        input_path, special_tokens, pattern=pattern, num_threads=num_threads, errors=errors, progress=progress
    )
    return train_counts(counts, vocab_size, special_tokens, progress, num_threads=num_threads, consume=True)


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
    check_vocab_size(vocab_size, special)
    return train_counts(counts, vocab_size, special, progress, consume=False)


def train_counts(
    counts: PretokenCounts,
    vocab_size: int,
    special_tokens: Sequence[str],
    progress: Progress | None,
    *,
    num_threads: int | None = None,
    consume: bool,
) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """Run the merges; `counts.phases` gets their times. With `consume` the counts are used up, which saves a copy."""
    num_symbols = vocab_size - len(special_tokens)
    total = num_symbols - 256
    report = None if progress is None else lambda done: progress(done, total)
    symbols, merges, phases = _core.train(counts._native, num_symbols, resolve_threads(num_threads), consume, report)
    counts.phases |= phases
    vocab = dict(enumerate([token.encode() for token in special_tokens] + symbols))
    if len(vocab) < vocab_size:
        logger.warning(shortfall(len(vocab), vocab_size))
    if progress is not None:
        progress(total, total)
    return vocab, merges


def shortfall(entries: int, asked: int) -> str:
    """Return the sentence about a text whose merges end before the vocabulary is full."""
    return f"the text yields {entries:,} entries, fewer than the {asked:,} asked for: no pair is left to merge"


def check_vocab_size(vocab_size: int, special_tokens: Sequence[str]) -> None:
    """Raise TokenizerError for a size that does not hold the special tokens and the 256 bytes."""
    check_special_tokens(special_tokens)
    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int):
        raise TokenizerError(f"vocab_size is a whole number, not {vocab_size!r}")
    smallest = 256 + len(special_tokens)
    if not smallest <= vocab_size < 2**31:
        raise TokenizerError(
            f"vocab_size {vocab_size} is too {'small' if vocab_size < smallest else 'large'}: 256 bytes and "
            f"{counted(len(special_tokens), 'special token')} need at least {smallest}"
        )
