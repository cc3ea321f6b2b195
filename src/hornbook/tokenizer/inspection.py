"""A tokenizer looked at: its longest tokens, how a word came to be merged, how a text splits, how well it compresses.

Everything here is plain data for the command line (and for you) to show; nothing prints. Left out: statistics of how a
vocabulary was trained, which the trainer reports itself.
"""

from __future__ import annotations

import itertools
import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from hornbook.tokenizer.patterns import split
from hornbook.tokenizer.special import split_special
from hornbook.tokenizer.text import batches

FEWEST_BYTES = 5_000_000
"""Text below which no throughput is said: the clock would see cold caches and little else."""
PILE_BYTES = 825e9
"""Size of the Pile (Gao et al., 2020), which the CS336 handout asks the encoding time of."""


class TokenizerLike(Protocol):
    """What is used of a `hornbook.Tokenizer`."""

    vocab: dict[int, bytes]
    merges: list[tuple[bytes, bytes]]
    special_tokens: list[str]
    pattern: str

    def encode(self, text: str) -> list[int]: ...

    def encode_array(self, text: bytes, num_threads: int = 1) -> np.ndarray: ...

    def encode_pretokens(self, pretokens: Sequence[bytes]) -> np.ndarray: ...


@dataclass(frozen=True)
class TokenRow:
    """One entry of the vocabulary."""

    id: int
    content: bytes
    count: int | None
    """How often it occurs in the text that was looked at; None without a text."""


def token_counts(tokenizer: TokenizerLike, texts: Iterable[bytes]) -> np.ndarray:
    """Return how often each id occurs in `texts`, as an array over ids."""
    counts = np.zeros(max(tokenizer.vocab) + 1, dtype=np.int64)
    for text in texts:
        counts += np.bincount(tokenizer.encode_array(text), minlength=len(counts))
    return counts


def longest_tokens(
    tokenizer: TokenizerLike, number: int = 20, counts: np.ndarray | None = None, *, letters: bool = False
) -> list[TokenRow]:
    """Return the ordinary entries with the most bytes, the longest first, among equals by id.

    Args:
        tokenizer: whose vocabulary.
        number: how many.
        counts: by id, what each occurs; None: not counted.
        letters: only entries made of letters, a space before them aside (runs of blanks and rules are often longest).
    """
    special = {token.encode() for token in tokenizer.special_tokens}
    rows = sorted(
        (-len(content), token_id)
        for token_id, content in tokenizer.vocab.items()
        if content not in special and (not letters or content.decode(errors="replace").removeprefix(" ").isalpha())
    )
    return [
        TokenRow(token_id, tokenizer.vocab[token_id], None if counts is None else int(counts[token_id]))
        for _, token_id in rows[:number]
    ]


class Overlap(NamedTuple):
    """How many entries two vocabularies share, by their bytes."""

    both: int
    only_first: int
    only_second: int


def overlap(first: TokenizerLike, second: TokenizerLike) -> Overlap:
    """Return how the vocabularies of two tokenizers overlap."""
    one, other = set(first.vocab.values()), set(second.vocab.values())
    return Overlap(len(one & other), len(one - other), len(other - one))


@dataclass(frozen=True)
class MergeNode:
    """A symbol, and the merge that made it: its place in the list of merges and its two sides. Bytes have none."""

    content: bytes
    merge: int | None = None
    left: MergeNode | None = None
    right: MergeNode | None = None

    def lines(self, ids: Mapping[bytes, int], prefix: str = "", branch: str = "") -> list[str]:
        """Return the tree as lines of text with its ids and merge numbers."""
        made = "" if self.merge is None else f"   merge {self.merge}"
        here = [f"{prefix}{branch}{readable(self.content)}   id {ids.get(self.content, '-')}{made}"]
        below = prefix + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        for side, mark in ((self.left, "├─ "), (self.right, "└─ ")):
            if side is not None:
                here += side.lines(ids, below, mark)
        return here


def merge_trees(tokenizer: TokenizerLike, word: str) -> list[MergeNode]:
    """Return how the merges build the tokens of `word`, one tree per token, special tokens as leaves."""
    ranks: dict[tuple[bytes, bytes], list[int]] = {}
    for rank, pair in enumerate(tokenizer.merges):
        ranks.setdefault(pair, []).append(rank)
    trees: list[MergeNode] = []
    for piece, is_special in split_special(word, tokenizer.special_tokens):
        if is_special:
            trees.append(MergeNode(piece.encode()))
            continue
        for pretoken in split(piece, tokenizer.pattern):
            trees += _grow(pretoken.encode(), ranks)
    return trees


def _grow(pretoken: bytes, ranks: Mapping[tuple[bytes, bytes], Sequence[int]]) -> list[MergeNode]:
    # Each merge once, in order, as in reference.py; `done` is the last one that had its turn.
    nodes = [MergeNode(bytes([byte])) for byte in pretoken]
    done = -1
    while True:
        open_merges = []
        for left, right in itertools.pairwise(nodes):
            places = ranks.get((left.content, right.content), ())
            open_merges += places[bisect_right(places, done) :][:1]
        if not open_merges:
            return nodes
        done = min(open_merges)
        merged: list[MergeNode] = []
        while nodes:
            node = nodes.pop(0)
            if nodes and done in ranks.get((node.content, nodes[0].content), ()):
                other = nodes.pop(0)
                node = MergeNode(node.content + other.content, done, node, other)
            merged.append(node)
        nodes = merged


def readable(content: bytes) -> str:
    r"""Return bytes as text that shows what is in them: spaces as `·`, what is no character as `\xNN`."""
    text = content.decode("utf-8", errors="backslashreplace")
    return "".join("·" if c == " " else c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, width: int = 60) -> str:
    """Return `text`, its middle left out where it is longer than `width`."""
    return text if len(text) <= width else f"{text[: width - 12]}…{text[-11:]}"


@dataclass(frozen=True)
class Piece:
    """One token of a text."""

    id: int
    content: bytes
    pretoken: int
    """Number of the pre-token that it is in; special tokens count as one."""
    special: bool


def split_text(tokenizer: TokenizerLike, text: str) -> list[Piece]:
    """Return the tokens of `text` with the pre-tokens that they lie in."""
    pieces: list[Piece] = []
    number = 0
    for stretch, is_special in split_special(text, tokenizer.special_tokens):
        for pretoken in [stretch] if is_special else split(stretch, tokenizer.pattern):
            for token_id in tokenizer.encode(pretoken):
                pieces.append(Piece(token_id, tokenizer.vocab[token_id], number, is_special))
            number += 1
    return pieces


@dataclass(frozen=True)
class Compression:
    """How a tokenizer does on a text. Separators are not in it: neither their bytes nor their tokens."""

    num_bytes: int
    num_tokens: int
    seconds: float

    @property
    def bytes_per_token(self) -> float:
        """UTF-8 bytes per token; the higher, the shorter the sequences."""
        return self.num_bytes / max(1, self.num_tokens)

    @property
    def mb_per_second(self) -> float | None:
        """10⁶ bytes encoded per second; None: too little text to say."""
        return None if self.num_bytes < FEWEST_BYTES else self.num_bytes / 1e6 / max(self.seconds, 1e-9)

    @property
    def pile_hours(self) -> float | None:
        """Hours to encode 825 GB at this speed; None: too little text to say."""
        return None if self.mb_per_second is None else PILE_BYTES / 1e6 / self.mb_per_second / 3600

    def __add__(self, other: Compression) -> Compression:
        return Compression(
            self.num_bytes + other.num_bytes, self.num_tokens + other.num_tokens, self.seconds + other.seconds
        )


def compression(tokenizer: TokenizerLike, documents: Iterable[bytes], num_threads: int = 1) -> Compression:
    """Encode documents and add up bytes, tokens and the time inside the encoder."""
    total = Compression(0, 0, 0.0)
    for batch in batches(documents, 1 << 20):
        start = time.perf_counter()
        tokens = sum(len(tokenizer.encode_array(document, num_threads)) for document in batch)
        total += Compression(sum(map(len, batch)), tokens, time.perf_counter() - start)
    return total


def compression_of_counts(tokenizer: TokenizerLike, counts: Any) -> Compression:
    """Return the compression of a whole corpus from its counted pre-tokens: each is encoded once and weighed.

    Args:
        tokenizer: one with the pattern that cut the pre-tokens.
        counts: `hornbook.PretokenCounts`.
    """
    total = Compression(0, 0, 0.0)
    lengths = np.zeros(max(tokenizer.vocab) + 1, dtype=np.int64)
    for token_id, content in tokenizer.vocab.items():
        lengths[token_id] = len(content)
    items = counts.items()
    for begin in range(0, len(items), 100_000):
        words = [word for word, _ in items[begin : begin + 100_000]]
        weights = np.array([count for _, count in items[begin : begin + 100_000]], dtype=np.int64)
        sizes = np.array([len(word) for word in words], dtype=np.int64)
        ids = tokenizer.encode_pretokens(words)
        # A token belongs to the pre-token at or before whose end it ends.
        owner = np.searchsorted(np.cumsum(sizes), np.cumsum(lengths[ids]), side="left")
        total += Compression(int(weights @ sizes), int(weights[owner].sum()), 0.0)
    return total
