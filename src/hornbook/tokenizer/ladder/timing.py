"""The five trainers run on one file, each in a process of its own, timed, and their merges compared.

The Python trainers read the file at once; the native one streams it.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from hornbook.errors import TokenizerError
from hornbook.fileio import sha256_bytes
from hornbook.tokenizer.counts import count_pretokens
from hornbook.tokenizer.ladder.parallel import answer, count_parallel, count_plain, result_of, start_process
from hornbook.tokenizer.ladder.trainers import merge_heap, merge_incremental, merge_naive
from hornbook.tokenizer.reference import Pair
from hornbook.tokenizer.special import END_OF_TEXT, check_special_tokens
from hornbook.tokenizer.train import train_bpe_from_counts

SHORTEST = 0.1
"""Seconds below which a time is mostly that of starting (threads, tables, first use): it ranks no trainer."""


def _count_native(path: Path, special_tokens: Sequence[str], pattern: str):
    return count_pretokens(path, list(special_tokens), pattern=pattern)


def _merge_native(counts, num_merges: int) -> list[Pair]:
    # Training never makes the same bytes twice (tests/property/test_reference_properties.py), so merges are entries.
    return train_bpe_from_counts(counts, 256 + num_merges, [])[1]


RUNGS: dict[str, tuple[Callable, Callable]] = {
    "naive": (count_plain, merge_naive),
    "incremental": (count_plain, merge_incremental),
    "heap": (count_plain, merge_heap),
    "parallel": (count_parallel, merge_heap),
    "native": (_count_native, _merge_native),
}
"""Name → (how it counts, how it merges), from the bottom."""


class Rung(NamedTuple):
    """What one trainer took."""

    name: str
    count_seconds: float
    merge_seconds: float
    cpu_seconds: float
    """Processor time of both, of its workers' too: what a busy machine distorts least."""
    peak_mb: float
    """Peak resident memory in 10⁶ bytes of a fresh process that did only this; of its workers' too, added up."""
    merges_sha256: str

    @property
    def total_seconds(self) -> float:
        """Counting and merging; the start of the process is not in it."""
        return self.count_seconds + self.merge_seconds


def run(
    path: str | os.PathLike[str],
    vocab_size: int,
    special_tokens: Sequence[str] = (END_OF_TEXT,),
    *,
    pattern: str = "gpt2",
    rungs: Sequence[str] = tuple(RUNGS),
    progress: Callable[[Rung], None] | None = None,
) -> list[Rung]:
    """Train on one file with every rung, each in a process of its own, and compare their merges.

    Args:
        path: text; the Python rungs read it whole.
        vocab_size: 256 + special tokens + merges.
        special_tokens: cut the text and the ids.
        pattern: see `hornbook.tokenizer.patterns`.
        rungs: which of `RUNGS`, in this order.
        progress: called after each rung.

    Raises:
        TokenizerError: an unknown rung, or a rung whose merges differ (a defect).
        OSError: the file cannot be read.
    """
    check_special_tokens(special_tokens)
    num_merges = vocab_size - 256 - len(special_tokens)
    if num_merges < 0:
        raise TokenizerError(f"vocab_size {vocab_size} is too small: at least {256 + len(special_tokens)} is needed")
    Path(path).open("rb").close()
    done: list[Rung] = []
    for name in rungs:
        if name not in RUNGS:
            raise TokenizerError(f"there is no rung {name!r}: use {', '.join(RUNGS)}")
        done.append(
            Rung(name, **result_of(start_process(__name__, name, str(path), str(num_merges), pattern, *special_tokens)))
        )
        if progress:
            progress(done[-1])
        if done[-1].merges_sha256 != done[0].merges_sha256:
            raise TokenizerError(
                f"the merges of {name} differ from those of {done[0].name}: this is a defect of hornbook"
            )
    return done


def _measure(name: str, path: str, num_merges: str, pattern: str, *special_tokens: str) -> dict[str, object]:
    count, merge_all = RUNGS[name]
    start, busy = time.perf_counter(), _processor_seconds()
    counts = count(Path(path), special_tokens, pattern)
    counted = time.perf_counter()
    merges = merge_all(counts, int(num_merges))
    stop = time.perf_counter()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The system keeps the largest child's peak only; the parts are even, so each has about that.
    workers = (os.cpu_count() or 1) * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "count_seconds": counted - start,
        "merge_seconds": stop - counted,
        "cpu_seconds": _processor_seconds() - busy,
        "peak_mb": (own + workers) * (1 if sys.platform == "darwin" else 1024) / 1e6,
        "merges_sha256": sha256_bytes(repr(merges).encode()),
    }


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    sys.exit(answer(_measure, sys.argv[1:]))
