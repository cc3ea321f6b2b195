"""Five trainers of the same byte-level BPE, each one idea faster than the one before: a ladder to read and to time.

    naive        count every pair anew after each merge
    incremental  keep the pair counts; touch only the words that hold the merged pair
    heap         find the best pair in a heap instead of scanning all of them
    parallel     count the pre-tokens in several processes
    native       the same steps in C++, on threads: what `hb.train_bpe` does

The first four are plain Python over plain data (symbols are byte strings, words are lists of them). All five follow the
rules of `reference.py` and give the same merges; `run` checks that they do. docs/ladder.md walks through them.

Left out: files that do not fit in memory (the native rung streams them, the Python ones read the text at once), and
free patterns' own parallel path.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from hornbook.errors import HornbookError, TokenizerError
from hornbook.tokenizer import reference
from hornbook.tokenizer.reference import Pair, merge
from hornbook.tokenizer.special import check_special_tokens

__all__ = ["RUNGS", "Rung", "count_parallel", "merge_heap", "merge_incremental", "merge_naive", "run"]


# --- naive ----------------------------------------------------------------------------------------------------------


def merge_naive(counts: dict[bytes, int], num_merges: int) -> list[Pair]:
    """Count every pair of every word, take the best, merge it everywhere; again.

    Each merge costs a pass over all words: time grows as words × merges.
    """
    words = {word: [bytes([byte]) for byte in word] for word in counts}
    merges: list[Pair] = []
    while len(merges) < num_merges:
        pairs: Counter[Pair] = Counter()
        for word, symbols in words.items():
            for pair in itertools.pairwise(symbols):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = {word: merge(symbols, best) for word, symbols in words.items()}
    return merges


# --- incremental ----------------------------------------------------------------------------------------------------


class PairIndex:
    """Words as symbols, the count of every pair, and which words hold it; kept true from merge to merge."""

    def __init__(self, counts: dict[bytes, int]) -> None:
        self.words = [[bytes([byte]) for byte in word] for word in counts]
        self.word_counts = list(counts.values())
        self.pair_counts: Counter[Pair] = Counter()
        self.words_with: defaultdict[Pair, set[int]] = defaultdict(set)
        for index in range(len(self.words)):
            self._add(index, +1)

    def _add(self, index: int, sign: int) -> None:
        for pair in itertools.pairwise(self.words[index]):
            self.pair_counts[pair] += sign * self.word_counts[index]
            if sign > 0:
                self.words_with[pair].add(index)

    def merge(self, pair: Pair) -> set[Pair]:
        """Merge `pair` in the words that hold it, and return the pairs whose counts may have changed."""
        changed: set[Pair] = set()
        for index in self.words_with.pop(pair):
            changed.update(itertools.pairwise(self.words[index]))
            self._add(index, -1)
            self.words[index] = merge(self.words[index], pair)
            self._add(index, +1)
            changed.update(itertools.pairwise(self.words[index]))
        for gone in [pair for pair in changed if not self.pair_counts[pair]]:
            # A pair that has vanished would slow down every later search for the best one.
            del self.pair_counts[gone]
            self.words_with.pop(gone, None)
        return changed


def merge_incremental(counts: dict[bytes, int], num_merges: int) -> list[Pair]:
    """Change the counts only where a merge has changed a word; still scan all pairs for the best.

    Each merge costs the words that it touches, and one look at every pair.
    """
    index = PairIndex(counts)
    merges: list[Pair] = []
    while len(merges) < num_merges and index.pair_counts:
        best = max(index.pair_counts, key=lambda pair: (index.pair_counts[pair], pair))
        merges.append(best)
        index.merge(best)
    return merges


# --- heap -----------------------------------------------------------------------------------------------------------


class Candidate(NamedTuple):
    """A pair with a count that it once had. The heap's smallest is the best: highest count, then the greatest pair."""

    times: int
    pair: Pair

    def __lt__(self, other: tuple) -> bool:
        return tuple.__gt__(self, other)


def merge_heap(counts: dict[bytes, int], num_merges: int) -> list[Pair]:
    """Keep the pairs in a heap; an entry whose count is out of date is dropped when it comes up.

    Every changed pair is pushed anew with its present count, so the true one is always there.
    """
    index = PairIndex(counts)
    heap = [Candidate(count, pair) for pair, count in index.pair_counts.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while len(merges) < num_merges and heap:
        count, best = heapq.heappop(heap)
        if index.pair_counts.get(best) != count:
            continue
        merges.append(best)
        for pair in index.merge(best):
            if pair in index.pair_counts:
                heapq.heappush(heap, Candidate(index.pair_counts[pair], pair))
    return merges


# --- parallel -------------------------------------------------------------------------------------------------------


def count_plain(path: Path, special_tokens: Sequence[str], pattern: str) -> Counter[bytes]:
    """Count the pre-tokens of a file with one call of the `regex` library's iterator per piece."""
    return reference.count_pretokens(path.read_bytes(), special_tokens, pattern)


def count_parallel(path: Path, special_tokens: Sequence[str], pattern: str, processes: int = 0) -> Counter[bytes]:
    """Cut the file where special tokens begin, count each part in a process of its own, add up.

    A special token ends every pre-token before it, so no pre-token is cut. Without special tokens there is nowhere to
    cut, and one process does it all.

    Args:
        path: the file.
        special_tokens: where it may be cut.
        pattern: see `hornbook.tokenizer.patterns`.
        processes: how many; 0 for one per processor.
    """
    cuts = _cuts(path, special_tokens, processes or os.cpu_count() or 1)
    workers = [
        _start("count", str(path), str(start), str(stop), pattern, *special_tokens)
        for start, stop in itertools.pairwise(cuts)
    ]
    total: Counter[bytes] = Counter()
    for worker in workers:
        for word, count in _result(worker).items():
            total[word.encode("latin-1")] += count
    return total


def _cuts(path: Path, special_tokens: Sequence[str], parts: int) -> list[int]:
    # The first special token after each of the evenly spaced places, looked for in windows that overlap by its length.
    size = path.stat().st_size
    marks = [token.encode() for token in special_tokens]
    window, overlap = 1 << 16, max(map(len, marks), default=1) - 1
    cuts = {0, size}
    with path.open("rb") as file:
        for part in range(1, parts):
            position = size * part // parts
            while marks and position < size:
                file.seek(position)
                block = file.read(window + overlap)
                places = [place for place in map(block.find, marks) if place >= 0]
                if places:
                    cuts.add(position + min(places))
                    break
                position += window
    return sorted(cuts)


def _count_part(path: str, start: str, stop: str, pattern: str, *special_tokens: str) -> dict[str, int]:
    with open(path, "rb") as file:  # noqa: PTH123
        file.seek(int(start))
        content = file.read(int(stop) - int(start))
    counts = reference.count_pretokens(content, special_tokens, pattern)
    return {word.decode("latin-1"): count for word, count in counts.items()}


# --- native ---------------------------------------------------------------------------------------------------------


def _count_native(path: Path, special_tokens: Sequence[str], pattern: str):
    from hornbook.tokenizer import training

    return training.count_pretokens(path, list(special_tokens), pattern=pattern)


def _merge_native(counts, num_merges: int) -> list[Pair]:
    from hornbook.tokenizer.training import train_bpe_from_counts

    # Training never makes the same bytes twice (tests/property/test_reference_properties.py), so merges are entries.
    return train_bpe_from_counts(counts, 256 + num_merges, [])[1]


# --- the ladder -----------------------------------------------------------------------------------------------------

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
    special_tokens: Sequence[str] = ("<|endoftext|>",),
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
        done.append(Rung(name, **_result(_start("rung", name, str(path), str(num_merges), pattern, *special_tokens))))
        if progress:
            progress(done[-1])
        if done[-1].merges_sha256 != done[0].merges_sha256:
            raise TokenizerError(
                f"the merges of {name} differ from those of {done[0].name}: this is a defect of hornbook"
            )
    return done


def _climb(name: str, path: str, num_merges: str, pattern: str, *special_tokens: str) -> dict[str, object]:
    from hornbook.fileio import sha256_bytes

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


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    # A fresh interpreter, not multiprocessing: it works from any script and notebook, and its memory is its own.
    command = [sys.executable, "-m", "hornbook.tokenizer.ladder", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _result(worker: subprocess.Popen[bytes]) -> dict:
    answer, complaint = worker.communicate()
    if worker.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines() or ["killed"]
        raise TokenizerError(f"a process of the ladder ended with code {worker.returncode}: {lines[-1]}")
    return json.loads(answer)


def _main(arguments: list[str]) -> int:
    work, *rest = arguments
    try:
        json.dump({"rung": _climb, "count": _count_part}[work](*rest), sys.stdout)
    except (HornbookError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
