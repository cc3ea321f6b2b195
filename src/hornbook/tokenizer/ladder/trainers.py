"""The merges of BPE in plain Python, three times, each one idea faster: naive, incremental, heap.

Plain data: symbols are byte strings, words are lists of them. All follow the rules of `reference.py`. Left out: files
that do not fit in memory.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from typing import NamedTuple

from hornbook.tokenizer.reference import Pair, merge_pair

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
        words = {word: merge_pair(symbols, best) for word, symbols in words.items()}
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
            self.words[index] = merge_pair(self.words[index], pair)
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
