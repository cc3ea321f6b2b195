"""The file of pre-token counts: a header in JSON, then counts, lengths and bytes in sorted order.

The specification is docs/formats/pretoken_counts.md. A reader takes hostile files: sizes are checked before anything is
built, the payload against its SHA-256, and the order of the words, which makes equal counts equal files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.encodings import read_whole
from hornbook.errors import FormatError
from hornbook.fileio import open_atomic, sha256_bytes

MAGIC = b"HBCOUNTS"
VERSION = 1
MOST_BYTES = 1 << 30
"""Of a file: some 40 million kinds of pre-tokens, which take five times that in memory."""
_BLOCK = 1 << 16  # of numbers that are Python objects at a time
_TYPES = {
    "version": int,
    "num_words": int,
    "num_bytes": int,
    "sha256": str,
    "pattern": str,
    "special_tokens": list,
    "unicode_version": str,
}


def write_counts(
    path: str | os.PathLike[str], words: bytes, lengths: np.ndarray, counts: np.ndarray, fields: Mapping[str, Any]
) -> None:
    """Write counts in one step.

    Args:
        path: the file.
        words: all pre-tokens in ascending order, one after the other.
        lengths: bytes of each.
        counts: how often each occurs.
        fields: pattern, special_tokens, unicode_version.

    Raises:
        OSError: the file cannot be written.
    """
    payload = counts.astype("<u8").tobytes() + lengths.astype("<u8").tobytes() + words
    header = {
        "version": VERSION,
        "num_words": len(lengths),
        "num_bytes": len(words),
        "sha256": sha256_bytes(payload),
        **fields,
    }
    text = json.dumps(header, sort_keys=True, ensure_ascii=False).encode()
    with open_atomic(path) as file:
        file.write(MAGIC + len(text).to_bytes(8, "little") + text)
        file.write(payload)


def read_counts(
    path: str | os.PathLike[str], most_bytes: int = MOST_BYTES
) -> tuple[dict[str, Any], Iterator[tuple[bytes, int]]]:
    """Read counts: the header's fields, and (pre-token, count) in ascending order.

    Raises:
        FormatError: not this format, damaged, or of more than `most_bytes`.
        OSError: the file cannot be read.
    """
    file = Path(path)
    content = read_whole(file, FormatError, most_bytes)
    if content[:8] != MAGIC:
        raise FormatError(f"{file} is not a file of pre-token counts (it does not begin with {MAGIC.decode()})")
    end = 16 + int.from_bytes(content[8:16], "little")
    if end > len(content):
        raise FormatError(f"{file} was cut short: its header alone needs {end:,} bytes, it has {len(content):,}")
    try:
        fields = json.loads(content[16:end])
    except (ValueError, RecursionError):
        raise FormatError(f"{file} has a damaged header: it is not JSON") from None
    if not isinstance(fields, dict) or any(type(fields.get(key)) is not kind for key, kind in _TYPES.items()):
        raise FormatError(f"{file} has a damaged header: it needs {', '.join(sorted(_TYPES))}")
    if fields["version"] != VERSION:
        raise FormatError(f"{file} has version {fields['version']}; this hornbook reads version {VERSION}")
    if not all(isinstance(token, str) for token in fields["special_tokens"]):
        raise FormatError(f"{file} has a damaged header: special_tokens holds something else than strings")
    number, size = fields["num_words"], fields["num_bytes"]
    if number < 0 or size < 0 or len(content) - end != 16 * number + size:
        raise FormatError(f"{file} has {len(content) - end:,} bytes after the header, {16 * number + size:,} expected")
    payload = memoryview(content)[end:]  # not copied: a file may be large
    if sha256_bytes(payload) != fields["sha256"]:
        raise FormatError(f"{file} is damaged: its content has another SHA-256 than its header says")
    counts = np.frombuffer(content, "<u8", number, end)
    lengths = np.frombuffer(content, "<u8", number, end + 8 * number)
    if number and (int(lengths.min()) < 1 or int(lengths.max()) > size or int(counts.min()) < 1):
        raise FormatError(f"{file} is damaged: an empty pre-token, or a count of 0")
    if number and int(counts.max()) >= 2**63:
        raise FormatError(f"{file} has a count of {int(counts.max()):,}; counts go up to 2^63 - 1")
    if int(lengths.sum(dtype=object) if number else 0) != size:
        raise FormatError(f"{file} is damaged: the lengths do not add up to {size:,} bytes")
    return fields, _words(file, payload[16 * number :], lengths, counts)


def _words(file: Path, words: memoryview, lengths: np.ndarray, counts: np.ndarray) -> Iterator[tuple[bytes, int]]:
    at, before = 0, b""
    for start in range(0, len(lengths), _BLOCK):
        part = slice(start, start + _BLOCK)
        for length, count in zip(lengths[part].tolist(), counts[part].tolist(), strict=True):
            word = bytes(words[at : at + length])
            if word <= before:
                raise FormatError(f"{file} is damaged: {word[:40]!r} stands out of order")
            yield word, count
            at, before = at + length, word
