"""Special tokens: what may be one, which ids they get, and a text cut at them, whole or as a stream.

A special token is found leftmost first and, at one place, the longest (CS336 handout §2.6.2). In UTF-8 that is the same
over bytes as over characters: a well-formed token cannot begin inside a character.

Left out: special tokens that swallow the white space around them, as other libraries have.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

from hornbook.errors import TokenizerError, did_you_mean
from hornbook.tokenizer.utf8 import encoded

END_OF_TEXT = "<|endoftext|>"
"""What stands between two documents unless something else is asked for: GPT-2's."""


AllowedSpecial = Literal["all", "none"] | Collection[str]
"""Which special tokens of a text become their ids; the others are ordinary text."""


def check_special_tokens(special_tokens: Sequence[str]) -> None:
    """Refuse special tokens that cannot be told apart from nothing or from each other.

    Raises:
        TokenizerError: an empty or repeated special token, or one that UTF-8 cannot hold.
    """
    for token in special_tokens:
        if not isinstance(token, str) or not token:
            raise TokenizerError(f"a special token is a non-empty str, not {token!r}")
        encoded(token)
        if special_tokens.count(token) > 1:
            raise TokenizerError(
                f"the special token {token!r} is given {special_tokens.count(token)} times; once is enough"
            )


def chosen(allowed_special: AllowedSpecial, special_tokens: Sequence[str]) -> list[int]:
    """Return the indices of the special tokens that count as such. Raises TokenizerError for any other name."""
    if isinstance(allowed_special, str):
        if allowed_special not in ("all", "none"):
            raise TokenizerError(
                f'allowed_special is "all", "none" or a collection of special tokens, not {allowed_special!r}'
            )
        return list(range(len(special_tokens))) if allowed_special == "all" else []
    for token in allowed_special:
        if token not in special_tokens:
            hint = did_you_mean(str(token), special_tokens)
            raise TokenizerError(f"{token!r} is not a special token of this tokenizer{hint}")
    return [index for index, token in enumerate(special_tokens) if token in allowed_special]


def place_special(vocab: dict[int, bytes], special_tokens: Sequence[str]) -> dict[str, int]:
    """Find the lowest id of each special token's bytes; append to `vocab` at max id + 1 those that it lacks."""
    lowest: dict[bytes, int] = {}
    for token_id in sorted(vocab):
        lowest.setdefault(vocab[token_id], token_id)
    ids: dict[str, int] = {}
    for token in special_tokens:
        content = token.encode("utf-8", errors="surrogatepass")
        if content not in lowest:
            lowest[content] = max(vocab) + 1
            vocab[lowest[content]] = content
        ids[token] = lowest[content]
    return ids


def finder(special_tokens: Sequence[str]) -> re.Pattern[str]:
    """Return the expression that finds special tokens in a str; without any it finds nothing."""
    return _finders(tuple(special_tokens))[0]


def byte_finder(special_tokens: Sequence[str]) -> re.Pattern[bytes]:
    """Return the expression that finds special tokens in UTF-8; without any it finds nothing."""
    return _finders(tuple(special_tokens))[1]


@functools.lru_cache(maxsize=64)
def _finders(special_tokens: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[bytes]]:
    longest_first = sorted(special_tokens, key=len, reverse=True)
    expression = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(expression), re.compile(expression.encode())


def split_special(text: str, special_tokens: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield (piece, is it special) in order; joined, the pieces are the text. Pieces are not empty."""
    start = 0
    for match in finder(special_tokens).finditer(text):
        if start < match.start():
            yield text[start : match.start()], False
        yield match.group(), True
        start = match.end()
    if start < len(text):
        yield text[start:], False


def documents_of(chunks: Iterable[bytes], special_tokens: Sequence[str]) -> Iterator[tuple[bytes, bool]]:
    """Cut a text that comes in chunks as `split_special` cuts it whole: yield (stretch, is it special).

    A stretch is yielded when the special token that ends it is certain: when no longer one can begin at its place,
    whatever follows. Each byte is searched once, and again where a token might lie across two chunks; in memory is one
    stretch at a time, and without special tokens the whole text.

    Args:
        chunks: well-formed UTF-8, cut anywhere, also inside a character.
        special_tokens: may be none.
    """
    stretch: list[bytes] = []
    for piece, is_special in itertools.chain(byte_pieces(chunks, special_tokens), [(b"", True)]):
        if not is_special:
            stretch.append(piece)
            continue
        text, stretch = b"".join(stretch), []  # one copy of a long stretch, not two
        if text:
            yield text, False
        if piece:
            yield piece, True


def byte_pieces(chunks: Iterable[bytes], special_tokens: Sequence[str]) -> Iterator[tuple[bytes, bool]]:
    """As `documents_of`, with a stretch in as many pieces as it comes in, some of them empty: a chunk in memory."""
    find = byte_finder(special_tokens)
    longest = max((len(token.encode()) for token in special_tokens), default=1)
    window = b""  # the end of the text so far, where a token may have begun
    for chunk in itertools.chain(chunks, [None]):
        window += chunk or b""
        settled = len(window) - (0 if chunk is None else longest - 1)
        start = 0
        for match in find.finditer(window):
            if match.start() >= settled:
                break
            yield window[start : match.start()], False
            yield match.group(), True
            start = match.end()
        end = max(start, settled)
        yield window[start:end], False
        window = window[end:]
