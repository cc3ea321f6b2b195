"""tiktoken's ranks: one line per entry, `base64(bytes) rank`, lowest rank merges first.

Follows `tiktoken/load.py` (0.14). A ranks file says neither the pattern nor the special tokens; tiktoken keeps both in
code. Beside a file of ours lies `NAME.tiktoken.json` with what `tiktoken.Encoding` takes besides (pat_str,
special_tokens); for files that have tiktoken's own names (`cl100k_base.tiktoken`) both are known here.

A rank is id and priority in one, and any two neighbours whose bytes together are an entry may merge; hornbook has a
list of merges. The two give the same ids exactly when every entry, encoded by ranks alone, ends in one last merge of
two lower entries: the steps inside a stretch of bytes that becomes an entry are the same wherever it stands.
`merges_of_ranks` finds these last merges, or refuses; when writing, they must be the tokenizer's own. See
docs/formats/tiktoken.md.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import io
import os
from collections.abc import Mapping
from pathlib import Path

from hornbook.encodings import read_whole
from hornbook.errors import FormatError
from hornbook.fileio import canonical_json, finish_together, write_together
from hornbook.tokenizer.formats.parts import MOST_BYTES, TokenizerParts, checked_parts, ordinary_entries, read_settings
from hornbook.tokenizer.patterns import NAMED, find_pattern

_LONGEST = 65_536  # bytes of an entry; finding its last merge takes a hundred times its size
_GPT2_SPECIAL = {"<|endoftext|>": 50256}
_PUBLISHED: dict[str, tuple[str, dict[str, int]]] = {
    "gpt2": ("gpt2", _GPT2_SPECIAL),
    "r50k_base": ("gpt2", _GPT2_SPECIAL),
    "p50k_base": ("gpt2", _GPT2_SPECIAL),
    "cl100k_base": (
        "cl100k",
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "o200k_base": ("o200k", {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}),
}


def settings_beside(path: str | os.PathLike[str]) -> Path:
    """Return where the pattern and the special tokens of a ranks file lie: its name with `.json` added."""
    return Path(f"{os.fspath(path)}.json")


def read_tiktoken(
    path: str | os.PathLike[str],
    special_tokens: Mapping[str, int] | None = None,
    pattern: str | None = None,
) -> TokenizerParts:
    """Read a ranks file.

    Args:
        path: the file. What it does not say is taken from the arguments, else from the settings beside it, else from
            its name where that is one of tiktoken's.
        special_tokens: special token → id.
        pattern: name or regular expression.

    Raises:
        FormatError: not this format, not a tokenizer, no pattern known, or ranks that no list of merges can follow.
        OSError: the file cannot be read.
    """
    file = Path(path)
    finish_together(file, settings_beside(file))
    if pattern is None or special_tokens is None:
        known_pattern, known_special = _settings(file)
        pattern = known_pattern if pattern is None else pattern
        special_tokens = known_special if special_tokens is None else special_tokens
    if pattern is None:
        raise FormatError(
            f"{file} holds ranks only and does not say how text is split: pass pattern= "
            f"({', '.join(NAMED)} or a regular expression) or put its settings into {settings_beside(file).name}"
        )
    ranks = _read_ranks(file)
    try:
        merges = merges_of_ranks(ranks)
    except FormatError as error:
        raise FormatError(f"{file}: {error}") from None
    vocab = {rank: token for token, rank in ranks.items()}
    for token, token_id in special_tokens.items():
        if token_id in vocab:
            raise FormatError(
                f"{file}: the special token {token!r} has id {token_id}, which is the entry {vocab[token_id]!r}"
            )
        vocab[token_id] = token.encode("utf-8", errors="surrogatepass")
    return checked_parts(file, vocab=vocab, merges=merges, special_tokens=dict(special_tokens), pattern=pattern)


def _settings(file: Path) -> tuple[str | None, dict[str, int]]:
    beside = settings_beside(file)
    if not beside.exists():
        return _PUBLISHED.get(file.name.removesuffix(".tiktoken"), (None, {}))
    return read_settings(beside, "pat_str")


def _read_ranks(file: Path) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    tokens: dict[int, bytes] = {}
    with io.BytesIO(read_whole(file, FormatError, MOST_BYTES)) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            words = line.split()
            try:
                encoded, digits = words
                token = base64.b64decode(encoded, validate=True)
            except (ValueError, binascii.Error):
                raise FormatError(
                    f"{file}, line {number}: {line[:40]!r} is not `base64 rank` (cut short, or another file?)"
                ) from None
            if not digits.isdigit() or len(digits) > 10:
                raise FormatError(f"{file}, line {number}: the rank {digits[:20]!r} is not a number that an id can be")
            rank = int(digits)
            if len(token) > _LONGEST:
                raise FormatError(f"{file}, line {number}: an entry of {len(token)} bytes; at most {_LONGEST} are read")
            if token in ranks:
                raise FormatError(f"{file}, line {number}: the entry {token!r} is given twice")
            if rank in tokens:
                raise FormatError(f"{file}, line {number}: the rank {rank} is given twice")
            ranks[token], tokens[rank] = rank, token
    if not ranks:
        raise FormatError(f"{file} has no entries")
    return ranks


def merges_of_ranks(ranks: Mapping[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Return the list of merges that encodes as `ranks` do, in order.

    Raises:
        FormatError: an entry that is not the merge of two entries of lower rank (single bytes count as lowest).
    """
    merges: list[tuple[bytes, bytes]] = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) < 2:
            continue
        if len(token) > _LONGEST:
            raise FormatError(f"an entry of {len(token)} bytes is too long for a ranks file: use hornbook's own format")
        parts = _encode_below(token, rank, ranks)
        if len(parts) != 2:
            raise FormatError(
                f"the entry {token!r} (rank {rank}) comes out as {len(parts)} pieces by the ranks below it, so no "
                "merge of two entries makes it, and hornbook encodes by merges alone"
            )
        merges.append((parts[0], parts[1]))
    return merges


def _encode_below(token: bytes, limit: int, ranks: Mapping[bytes, int]) -> list[bytes]:
    # tiktoken's own encoding of `token` with only the ranks under `limit`, single bytes to start with: a heap of
    # (rank, position), stale entries passed over, so that a hostile entry of a megabyte takes n log n.
    end = list(range(1, len(token) + 1))  # where the piece that starts here ends; 0 once it has been swallowed
    before = list(range(-1, len(token) - 1))  # where the piece before the one that starts here starts
    heap: list[tuple[int, int, int]] = []

    def offer(start: int) -> None:
        middle = end[start]
        if middle < len(token):
            rank = ranks.get(token[start : end[middle]])
            if rank is not None and rank < limit:
                heapq.heappush(heap, (rank, start, end[middle]))

    for start in range(len(token) - 1):
        offer(start)
    while heap:
        _, start, stop = heapq.heappop(heap)
        middle = end[start]
        if not middle or middle == len(token) or end[middle] != stop or stop == middle:
            continue
        end[start], end[middle] = stop, 0
        if stop < len(token):
            before[stop] = start
        offer(start)
        if before[start] >= 0:
            offer(before[start])
    starts = [start for start in range(len(token)) if end[start]]
    return [token[start : end[start]] for start in starts]


def write_tiktoken(parts: TokenizerParts, path: str | os.PathLike[str]) -> None:
    """Write a ranks file and its settings beside it.

    Raises:
        FormatError: ids by which tiktoken would merge in another order, or entries that merges do not reach.
        OSError: a file cannot be written.
    """
    ranks = {token: token_id for token_id, token in sorted(ordinary_entries(parts).items())}
    if merges_of_ranks(ranks) != parts.merges:
        raise FormatError(
            "tiktoken merges by id, and the ids of this tokenizer do not follow its list of merges (a result made "
            "twice, or ids in another order): save in hornbook's own format"
        )
    expression = find_pattern(parts.pattern).expression
    settings = {"pat_str": expression, "special_tokens": parts.special_tokens}
    lines = (b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks.items())
    write_together({Path(path): b"".join(lines).decode(), settings_beside(path): canonical_json(settings)})
