"""What every tokenizer format reads to and writes from, and what the readers share.

`TokenizerParts` is plain data, checked, without a native object. Every reader takes hostile files: whatever is in them,
the answer is parts that can be used or a `FormatError`, and the memory stays a small multiple of the file's size.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.encodings import read_text
from hornbook.errors import FormatError
from hornbook.syntax import no_key_twice, trouble
from hornbook.tokenizer.formats.byte_map import to_bytes, to_text
from hornbook.tokenizer.patterns import find_pattern

MOST_BYTES = 1 << 27
"""Of a file; a tokenizer.json of 256,000 entries has 33 MB."""


@dataclass(frozen=True, kw_only=True)
class TokenizerParts:
    """What a tokenizer is made of. Building one checks it, and raises FormatError for what cannot be a tokenizer."""

    vocab: dict[int, bytes]
    """id → bytes. Ids may have holes; the 256 single bytes are all there; special tokens are entries too."""
    merges: list[tuple[bytes, bytes]]
    """In order of creation. A pair's two sides and its result are entries."""
    special_tokens: dict[str, int] = field(default_factory=dict)
    """Special token → id, in order of id."""
    pattern: str = "gpt2"
    """Name or regular expression, see `patterns.find_pattern`."""
    assumed: str = field(default="", compare=False)
    """What the file did not say, or says and is passed over, in one sentence; empty for what hornbook wrote."""

    def __post_init__(self) -> None:
        # A published expression in place of its name is the same tokenizer, and so is another order of the tokens.
        object.__setattr__(self, "special_tokens", dict(sorted(self.special_tokens.items(), key=lambda item: item[1])))
        object.__setattr__(self, "pattern", find_pattern(self.pattern).text)
        _check_ids(self.vocab)
        for token, token_id in self.special_tokens.items():
            if not token or self.vocab.get(token_id) != token.encode("utf-8", errors="surrogatepass"):
                raise FormatError(f"the special token {token!r} has id {token_id}, which is another entry")
        special_ids = set(self.special_tokens.values())
        symbols: dict[bytes, int] = {}
        for token_id, token in self.vocab.items():
            if token_id not in special_ids and symbols.setdefault(token, token_id) != token_id:
                raise FormatError(f"the entries {symbols[token]} and {token_id} have the same bytes {token!r}")
        every = symbols.keys() | {token.encode() for token in self.special_tokens}
        for byte in range(256):
            if bytes([byte]) not in every:
                raise FormatError(f"the byte 0x{byte:02x} has no entry: a byte-level vocabulary needs all 256")
        known = {bytes([byte]) for byte in range(256)}
        for index, (left, right) in enumerate(self.merges):
            for side in (left, right):
                if side not in known:
                    raise FormatError(
                        f"merge {index} joins {left!r} and {right!r}, but no earlier merge makes {side!r}"
                    )
            if left + right not in every:
                raise FormatError(f"merge {index} makes {left + right!r}, which is not in the vocabulary")
            known.add(left + right)


def _check_ids(vocab: dict[int, bytes]) -> None:
    # A table by id is the natural thing to build; a bound keeps one huge id from asking for gigabytes.
    limit = 4 * len(vocab) + 65_536
    for token_id, token in vocab.items():
        if not 0 <= token_id < limit:
            raise FormatError(
                f"the entry {token!r} has id {token_id}; ids of {len(vocab)} entries lie in 0…{limit - 1}"
            )
        if not token:
            raise FormatError(f"the entry {token_id} is empty")


def checked_parts(file: Path, **parts: Any) -> TokenizerParts:
    """Build `TokenizerParts`, naming `file` in the complaint."""
    try:
        return TokenizerParts(**parts)
    except ValueError as error:
        raise FormatError(f"{file}: {error}") from None


def load_json(file: Path) -> Any:
    """Read a JSON file strictly: UTF-8, no key twice, no NaN. Raises FormatError or OSError."""
    content = read_text(file, FormatError, MOST_BYTES)
    try:
        return json.loads(
            content,
            object_pairs_hook=no_key_twice,
            parse_constant=_no_constant,
            parse_int=_small_int,
        )
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{file} is not the JSON of a tokenizer: {trouble(error, content)}") from None


def _no_constant(name: str) -> Any:
    raise FormatError(f"{name} is not a JSON value")


def _small_int(digits: str) -> int:
    # Python converts long digit strings in quadratic time; no id has more than a few digits.
    if len(digits) > 20:
        raise FormatError(f"the number {digits[:20]}… is too long")
    return int(digits)


def of_type(value: Any, kind: type, file: Path, where: str) -> Any:
    """Return `value` if it is a `kind`, else raise FormatError."""
    if not isinstance(value, kind):
        raise FormatError(f"{file}: {where} is {type(value).__name__} where {kind.__name__} was expected")
    return value


def read_entry(text: Any, file: Path) -> bytes:
    """Read an entry written in byte characters. Raises FormatError."""
    token = to_bytes(text) if isinstance(text, str) else None
    if token is None:
        raise FormatError(f"{file}: the entry {text!r} is not written in GPT-2's byte characters")
    return token


def read_vocab(entries: dict[str, Any], plain: Collection[str], file: Path) -> dict[int, bytes]:
    """Read entries written token → id.

    Args:
        entries: as the file has them.
        plain: tokens written as text; the others are in byte characters where each of their characters is one.
        file: named in the complaint.

    Raises:
        FormatError: no entries, an id that is none or that is given twice.
    """
    vocab: dict[int, bytes] = {}
    for text, token_id in entries.items():
        if type(token_id) is not int:
            raise FormatError(f"{file}: the token {text!r} has id {token_id!r} where a whole number was expected")
        if token_id in vocab:
            raise FormatError(f"{file}: the id {token_id} is given twice, the second time to {text!r}")
        token = None if text in plain else to_bytes(text)
        vocab[token_id] = text.encode("utf-8", errors="surrogatepass") if token is None else token
    if not vocab:
        raise FormatError(f"{file} has no entries")
    return vocab


def read_settings(file: Path, pattern_key: str) -> tuple[str, dict[str, int]]:
    """Read what lies beside a format that lacks it: the pattern, and special token → id. Raises FormatError."""
    settings = of_type(load_json(file), dict, file, "the file")
    pattern = of_type(settings.get(pattern_key), str, file, pattern_key)
    special = of_type(settings.get("special_tokens"), dict, file, "special_tokens")
    for token, token_id in special.items():
        if type(token_id) is not int:
            raise FormatError(
                f"{file}: the special token {token!r} has id {token_id!r} where a whole number was expected"
            )
    return pattern, special


def read_merges(lines: Iterable[Any], file: Path) -> list[tuple[bytes, bytes]]:
    """Read merges, each written as `left right` in byte characters. Raises FormatError."""
    merges: list[tuple[bytes, bytes]] = []
    for number, line in enumerate(lines):
        sides = line.split(" ") if isinstance(line, str) else []
        if len(sides) != 2 or not all(sides):
            raise FormatError(
                f"{file}: merge {number} is {line!r} where two tokens with one space between were expected"
            )
        merges.append((read_entry(sides[0], file), read_entry(sides[1], file)))
    return merges


def ordinary_entries(parts: TokenizerParts) -> dict[int, bytes]:
    """Return the entries that merging makes: all but the special tokens'.

    Raises:
        FormatError: a special token that shares its id with a byte or a merged symbol; only the own format holds that.
    """
    special = {token_id: token for token, token_id in parts.special_tokens.items()}
    ordinary = {token_id: token for token_id, token in parts.vocab.items() if token_id not in special}
    made = set(ordinary.values())
    results = {left + right for left, right in parts.merges}
    for token_id, token in special.items():
        content = token.encode()
        if (len(content) == 1 or content in results) and content not in made:
            raise FormatError(
                f"the special token {token!r} shares its id {token_id} with an ordinary entry: "
                "use hornbook's own format"
            )
    return ordinary


def unique_keys(parts: TokenizerParts, what: str) -> dict[str, int]:
    """Return the entries as text → id, in order of id: special tokens as they are, others in byte characters.

    Args:
        parts: the tokenizer.
        what: the file that will hold the keys, for the complaint.

    Raises:
        FormatError: two entries would have the same key, or a special token would be decoded as other bytes.
    """
    names = {token_id: token for token, token_id in parts.special_tokens.items()}
    keys: dict[str, int] = {}
    for token_id in sorted(parts.vocab):
        key = names.get(token_id) or to_text(parts.vocab[token_id])
        if key in keys:
            raise FormatError(
                f"the entries {keys[key]} and {token_id} are both written {key!r}, and {what} can hold it once: "
                "save in hornbook's own format, or train without that special token"
            )
        keys[key] = token_id
    for token in parts.special_tokens:
        if to_bytes(token) not in (None, token.encode()):
            raise FormatError(
                f"the special token {token!r} is made of byte characters: programs that read {what} decode it as "
                f"{to_bytes(token)!r}. Save in hornbook's own format, or train with another special token"
            )
    return keys
