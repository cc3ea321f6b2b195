"""GPT-2's two files: `vocab.json` (token → id) and `merges.txt` (one merge per line), in GPT-2's byte characters.

Follows the files that OpenAI published with GPT-2 and what `encoder.py` reads. They do not say the pattern or which
entries are special: both are the caller's to give. What they cannot hold (two entries with equal bytes, a free pattern
that would be lost) is refused when writing. See docs/formats/gpt2-files.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from hornbook.errors import FormatError
from hornbook.fileio import atomic_write
from hornbook.tokenizer.formats.byte_map import to_text
from hornbook.tokenizer.formats.parts import (
    TokenizerParts,
    checked,
    load_json,
    of_type,
    read_merges,
    read_vocab,
    unique_keys,
)
from hornbook.tokenizer.special import place_special
from hornbook.tokenizer.utf8 import malformed


def read_gpt2(
    vocab_path: str | os.PathLike[str],
    merges_path: str | os.PathLike[str],
    special_tokens: Sequence[str] | None = None,
    pattern: str = "gpt2",
) -> TokenizerParts:
    """Read `vocab.json` and `merges.txt`.

    Args:
        vocab_path: JSON object, token → id. A token whose characters are not all byte characters is taken as plain
            text, as special tokens are.
        merges_path: one `left right` per line; a first line `#version…` and empty lines at the end are passed over.
        special_tokens: those that the file lacks are appended at max id + 1 in the order given.
        pattern: what the files do not say.

    Raises:
        FormatError: not these formats, damaged, or not a tokenizer.
        OSError: a file cannot be read.
    """
    vocab_file, merges_file = Path(vocab_path), Path(merges_path)
    special = list(special_tokens or [])
    entries = of_type(load_json(vocab_file), dict, vocab_file, "the file")
    vocab = read_vocab(entries, special, vocab_file)
    merges = read_merges(_merge_lines(merges_file), merges_file)
    return checked(
        vocab_file, vocab=vocab, merges=merges, special_tokens=place_special(vocab, special), pattern=pattern
    )


def _merge_lines(file: Path) -> list[str]:
    try:
        lines = file.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError(malformed(file, error.start)) from None
    if lines[0].startswith("#version"):
        del lines[0]
    while lines and not lines[-1].strip("\r"):
        del lines[-1]
    return [line.removesuffix("\r") for line in lines]


def write_gpt2(parts: TokenizerParts, vocab_path: str | os.PathLike[str], merges_path: str | os.PathLike[str]) -> None:
    """Write `vocab.json` and `merges.txt`, special tokens as plain text.

    Raises:
        FormatError: two entries would have the same key.
        OSError: a file cannot be written.
    """
    keys = unique_keys(parts, "a vocab.json")
    merges = "".join(f"{to_text(left)} {to_text(right)}\n" for left, right in parts.merges)
    atomic_write(vocab_path, json.dumps(keys, ensure_ascii=False) + "\n")
    atomic_write(merges_path, "#version: 0.2\n" + merges)
