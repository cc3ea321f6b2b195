"""hornbook's own format: a folder with one JSON file, written in one atomic step, which says everything.

Pattern, Unicode version, special tokens with their ids, entries in order of their ids, merges in order of creation: see
docs/formats/tokenizer.md.
"""

from __future__ import annotations

import os
from pathlib import Path

from hornbook.errors import FormatError
from hornbook.fileio import atomic_write, canonical_json, sha256_bytes
from hornbook.tokenizer.formats.byte_map import to_text
from hornbook.tokenizer.formats.parts import TokenizerParts, checked_parts, load_json, of_type, read_entry, read_merges
from hornbook.tokenizer.patterns import UNICODE_VERSION

FILE_NAME = "hornbook-tokenizer.json"
TRAINING_FILE = "training.json"
"""Beside it, what training took; no part of the tokenizer."""
_FORMAT, _VERSION = "hornbook-tokenizer", 1
_KEYS = {"format", "version", "unicode_version", "pattern", "special_tokens", "vocab", "merges"}


def fingerprint(parts: TokenizerParts) -> str:
    """Return the SHA-256 of the own format's content: equal exactly for tokenizers that give the same ids and texts."""
    return sha256_bytes(_content(parts).encode())


def write_own(parts: TokenizerParts, path: str | os.PathLike[str]) -> None:
    """Write the own format into the folder `path` in one atomic step; the folder is made where it is missing.

    Raises:
        OSError: the folder cannot be made or written.
    """
    atomic_write(Path(path) / FILE_NAME, _content(parts))


def _content(parts: TokenizerParts) -> str:
    entries: list[str | None] = [None] * (max(parts.vocab) + 1)
    for token_id, token in parts.vocab.items():
        entries[token_id] = to_text(token)
    return canonical_json(
        {
            "format": _FORMAT,
            "version": _VERSION,
            "unicode_version": UNICODE_VERSION,
            "pattern": parts.pattern,
            "special_tokens": [[token, token_id] for token, token_id in parts.special_tokens.items()],
            "vocab": entries,
            "merges": [f"{to_text(left)} {to_text(right)}" for left, right in parts.merges],
        }
    )


def read_own(path: str | os.PathLike[str]) -> TokenizerParts:
    """Read the own format from the folder `path`, or from the file in it.

    Raises:
        FormatError: not this format, of a newer version, damaged, or not a tokenizer.
        OSError: the file cannot be read.
    """
    file = Path(path)
    file = file / FILE_NAME if file.is_dir() else file
    fields = load_json(file)
    if not isinstance(fields, dict) or fields.get("format") != _FORMAT:
        raise FormatError(f'{file} is not a hornbook tokenizer (no "format": "{_FORMAT}")')
    if fields.get("version") != _VERSION:
        raise FormatError(f"{file} has version {fields.get('version')!r}; this hornbook reads version {_VERSION}")
    if fields.keys() != _KEYS:
        raise FormatError(f"{file} has keys {sorted(fields)} where {sorted(_KEYS)} were expected")
    if fields["unicode_version"] != UNICODE_VERSION:
        raise FormatError(
            f"{file} was made with Unicode {fields['unicode_version']!r} and this hornbook scans by {UNICODE_VERSION}: "
            "ids could differ"
        )
    entries = of_type(fields["vocab"], list, file, "vocab")
    vocab = {index: read_entry(text, file) for index, text in enumerate(entries) if text is not None}
    merges = read_merges(of_type(fields["merges"], list, file, "merges"), file)
    special: dict[str, int] = {}
    for item in of_type(fields["special_tokens"], list, file, "special_tokens"):
        match item:
            case [str(token), int(token_id)] if token not in special:
                special[token] = token_id
            case _:
                raise FormatError(
                    f"{file}: special_tokens has {item!r} where [token, id] was expected, each token once"
                )
    pattern = of_type(fields["pattern"], str, file, "pattern")
    return checked_parts(file, vocab=vocab, merges=merges, special_tokens=special, pattern=pattern)
