"""Byte-level BPE as it is defined, in the plainest Python that says it: the oracle of every fast path.

Follows the CS336 Assignment 1 handout (§2.4 training, §2.6 encoding) and the rules that hornbook fixes where the
handout is silent: symbols are byte strings; the most frequent pair wins and, among equals, the greatest by Python's
ordering of `(bytes, bytes)`; ids go to the special tokens, then the 256 bytes, then new symbols in order of creation; a
merge whose result already is a symbol is recorded but takes no id. Nothing here is fast: pairs are recounted after
every merge.

The pre-tokenizer is the `regex` library, whose Unicode may be newer than the 16.0 of the native scanners: compare the
two on texts of code points that 16.0 assigns. Left out: files larger than memory, threads, streaming.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

from hornbook.errors import TokenizerError
from hornbook.format import counted
from hornbook.tokenizer.patterns import split
from hornbook.tokenizer.special import check_special_tokens
from hornbook.tokenizer.utf8 import encoded

Pair = tuple[bytes, bytes]


def split_special(text: str, special_tokens: Sequence[str]) -> list[tuple[str, bool]]:
    """Cut a text at its special tokens: leftmost first and, at one place, the longest.

    Returns:
        (piece, is it special) in order; joined, the pieces are the text. Pieces are not empty.
    """
    places = {token: text.find(token) for token in special_tokens}  # where each stands next; below 0: nowhere
    pieces: list[tuple[str, bool]] = []
    start = 0
    while ahead := [token for token in special_tokens if places[token] >= 0]:
        first = min(ahead, key=lambda token: (places[token], -len(token)))
        pieces += [(text[start : places[first]], False), (first, True)]
        start = places[first] + len(first)
        places |= {token: text.find(token, start) for token in ahead if places[token] < start}
    return [piece for piece in [*pieces, (text[start:], False)] if piece[0]]


def count_pretokens(text: str | bytes, special_tokens: Sequence[str] = (), pattern: str = "gpt2") -> Counter[bytes]:
    """Count the pre-tokens of a text, special tokens cut out.

    Args:
        text: str, or bytes; a byte that is in no well-formed UTF-8 sequence is one character of class "other".
        special_tokens: cut the text, never counted.
        pattern: see `hornbook.tokenizer.patterns`.

    Returns:
        UTF-8 bytes of the pre-token → how often it occurs.
    """
    check_special_tokens(special_tokens)
    counts: Counter[bytes] = Counter()
    for piece, is_special in split_special(_as_str(text), special_tokens):
        if not is_special:
            counts.update(_as_bytes(pretoken) for pretoken in split(piece, pattern))
    return counts


def train_bpe(
    text: str | bytes, vocab_size: int, special_tokens: Sequence[str] = (), pattern: str = "gpt2"
) -> tuple[dict[int, bytes], list[Pair]]:
    """Train byte-level BPE on one text. Arguments as in `count_pretokens` and `train_from_counts`."""
    return train_from_counts(count_pretokens(text, special_tokens, pattern), vocab_size, special_tokens)


def train_from_counts(
    counts: dict[bytes, int], vocab_size: int, special_tokens: Sequence[str] = ()
) -> tuple[dict[int, bytes], list[Pair]]:
    """Train byte-level BPE on counted pre-tokens.

    Args:
        counts: bytes of a pre-token → count.
        vocab_size: stop when the vocabulary has so many entries (or earlier, when no pair is left).
        special_tokens: the first ids, in this order.

    Returns:
        vocab (id → bytes) and merges in order of creation.

    Raises:
        TokenizerError: `vocab_size` below 256 + the special tokens; an empty or repeated special token.
    """
    check_special_tokens(special_tokens)
    smallest = 256 + len(special_tokens)
    if vocab_size < smallest:
        raise TokenizerError(
            f"vocab_size {vocab_size} is too small: 256 bytes and {counted(len(special_tokens), 'special token')} "
            f"need at least {smallest}"
        )
    entries = [token.encode() for token in special_tokens] + [bytes([byte]) for byte in range(256)]
    symbols = {bytes([byte]) for byte in range(256)}
    words = [([bytes([byte]) for byte in word], count) for word, count in counts.items()]
    merges: list[Pair] = []
    while len(entries) < vocab_size:
        pairs: Counter[Pair] = Counter()
        for word, count in words:
            for pair in itertools.pairwise(word):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = [(merge_pair(word, best), count) for word, count in words]
        symbol = best[0] + best[1]
        if symbol not in symbols:
            symbols.add(symbol)
            entries.append(symbol)
    return dict(enumerate(entries)), merges


def merge_pair(word: list[bytes], pair: Pair) -> list[bytes]:
    """Replace `pair` by one symbol wherever it stands in `word`, left to right, without overlap."""
    merged: list[bytes] = []
    position = 0
    while position < len(word):
        if tuple(word[position : position + 2]) == pair:
            merged.append(pair[0] + pair[1])
            position += 2
        else:
            merged.append(word[position])
            position += 1
    return merged


class ReferenceTokenizer:
    """Encode and decode by the definition: each merge in order of creation, once, over the whole pre-token.

    Args:
        vocab: id → bytes, the 256 single bytes among them.
        merges: in order of creation.
        special_tokens: those that `vocab` lacks are appended at max id + 1 in the order given. A special token owns the
            lowest id of its bytes; an ordinary symbol of the same bytes has the next one, or shares it.
        pattern: see `hornbook.tokenizer.patterns`.
    """

    def __init__(
        self,
        vocab: dict[int, bytes],
        merges: Iterable[Pair],
        special_tokens: Sequence[str] | None = None,
        *,
        pattern: str = "gpt2",
    ) -> None:
        self.special_tokens = list(special_tokens or [])
        check_special_tokens(self.special_tokens)
        self.vocab = dict(vocab)
        self.merges = list(merges)
        self.pattern = pattern
        ids: dict[bytes, list[int]] = {}
        for token_id in sorted(self.vocab):
            ids.setdefault(self.vocab[token_id], []).append(token_id)
        for token in self.special_tokens:
            if token.encode() not in ids:
                token_id = max(self.vocab) + 1
                self.vocab[token_id] = token.encode()
                ids[token.encode()] = [token_id]
        self.special_token_ids = {token: ids[token.encode()][0] for token in self.special_tokens}
        self._symbol_ids = {symbol: owners[-1] for symbol, owners in ids.items()}

    def encode(self, text: str | bytes) -> list[int]:
        """Return the ids of a text, special tokens as their own.

        Raises:
            TokenizerError: a lone surrogate in a str.
        """
        ids: list[int] = []
        for piece, is_special in split_special(_as_str(text), self.special_tokens):
            if is_special:
                ids.append(self.special_token_ids[piece])
            else:
                for pretoken in split(piece, self.pattern):
                    ids.extend(self.encode_pretoken(_as_bytes(pretoken)))
        return ids

    def encode_pretoken(self, pretoken: bytes) -> list[int]:
        """Return the ids of one pre-token: its bytes, with every merge applied in order of creation."""
        word = [bytes([byte]) for byte in pretoken]
        for pair in self.merges:
            word = merge_pair(word, pair)
        return [self._symbol_ids[symbol] for symbol in word]

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of `ids`. Raises TokenizerError for an unknown id."""
        parts: list[bytes] = []
        for token_id in ids:
            if token_id not in self.vocab:
                raise TokenizerError(
                    f"there is no token with id {token_id} (the vocabulary has {len(self.vocab)} entries)"
                )
            parts.append(self.vocab[token_id])
        return b"".join(parts)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`, malformed bytes as U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")


def _as_str(text: str | bytes) -> str:
    if isinstance(text, bytes):
        # Each byte that belongs to no well-formed sequence becomes one lone surrogate: of no class, hence "other".
        return text.decode("utf-8", errors="surrogateescape")
    encoded(text)
    return text


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")
