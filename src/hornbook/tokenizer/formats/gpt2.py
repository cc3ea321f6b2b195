"""GPT-2's two files: `vocab.json` (token → id) and `merges.txt` (one merge per line), in GPT-2's byte characters.

Follows the files that OpenAI published with GPT-2 and what `encoder.py` reads. They do not say the pattern or which
entries are special: beside files of ours lies `hornbook.json` with both, for others they are the caller's to give. What
the files cannot hold (two entries with equal bytes) is refused when writing. See docs/formats/gpt2-files.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from hornbook.encodings import read_text
from hornbook.errors import FormatError
from hornbook.fileio import canonical_json, finish_together, write_together
from hornbook.tokenizer.formats.byte_map import to_text
from hornbook.tokenizer.formats.parts import (
    MOST_BYTES,
    TokenizerParts,
    checked_parts,
    load_json,
    of_type,
    read_merges,
    read_settings,
    read_vocab,
    unique_keys,
)
from hornbook.tokenizer.special import place_special


def settings_path(vocab_path: str | os.PathLike[str]) -> Path:
    """Return where pattern and special tokens are: `hornbook.json`, `NAME-hornbook.json` for `NAME-vocab.json`."""
    stem = Path(vocab_path).stem
    start = stem.removesuffix("vocab").removesuffix("encoder")
    return Path(vocab_path).with_name(f"{start}{'-' if start == stem else ''}hornbook.json")


def read_gpt2(
    vocab_path: str | os.PathLike[str],
    merges_path: str | os.PathLike[str],
    special_tokens: Sequence[str] | None = None,
    pattern: str | None = None,
) -> TokenizerParts:
    """Read `vocab.json` and `merges.txt`.

    Args:
        vocab_path: JSON object, token → id. A token whose characters are not all byte characters is taken as plain
            text, as special tokens are.
        merges_path: one `left right` per line; a first line `#version…` and empty lines at the end are passed over.
        special_tokens: those that the file lacks are appended at max id + 1 in the order given. None: what the settings
            beside it say, else none.
        pattern: None: what the settings say, else gpt2.

    Raises:
        FormatError: not these formats, damaged, or not a tokenizer.
        OSError: a file cannot be read.
    """
    vocab_file, merges_file, settings = Path(vocab_path), Path(merges_path), settings_path(vocab_path)
    finish_together(vocab_file, merges_file, settings)
    known_pattern, known_special = read_settings(settings, "pattern") if settings.exists() else (None, None)
    special = list(special_tokens if special_tokens is not None else known_special or [])
    entries = of_type(load_json(vocab_file), dict, vocab_file, "the file")
    if special_tokens is None and known_special and any(entries.get(text) != known_special[text] for text in special):
        raise FormatError(f"{settings} names special tokens that {vocab_file} has not or has at other ids: remove it")
    vocab = read_vocab(entries, special, vocab_file)
    merges = read_merges(_merge_lines(merges_file), merges_file)
    assumed = []
    if pattern is None and known_pattern is None:
        assumed.append("the pattern gpt2")
    if special_tokens is None and known_special is None:
        assumed.append("no special tokens" + _looks_special(vocab, merges))
    return checked_parts(
        vocab_file,
        vocab=vocab,
        merges=merges,
        special_tokens=place_special(vocab, special),
        pattern=pattern or known_pattern or "gpt2",
        assumed=(assumed and f"{vocab_file} does not say it, so assumed are {' and '.join(assumed)}") or "",
    )


def _looks_special(vocab: dict[int, bytes], merges: list[tuple[bytes, bytes]]) -> str:
    made = {left + right for left, right in merges}
    found = [repr(token.decode(errors="replace")) for token in vocab.values() if len(token) > 1 and token not in made]
    return f" (no merge makes {', '.join(found[:3])}{'…' if len(found) > 3 else ''})" if found else ""


def _merge_lines(file: Path) -> list[str]:
    lines = read_text(file, FormatError, MOST_BYTES).split("\n")
    if lines[0].startswith("#version"):
        del lines[0]
    while lines and not lines[-1].strip("\r"):
        del lines[-1]
    return [line.removesuffix("\r") for line in lines]


def write_gpt2(parts: TokenizerParts, vocab_path: str | os.PathLike[str], merges_path: str | os.PathLike[str]) -> None:
    """Write `vocab.json` and `merges.txt`, special tokens as plain text, and pattern and special tokens beside them.

    Raises:
        FormatError: two entries would have the same key, or a special token would be decoded as other bytes.
        OSError: a file cannot be written.
    """
    keys = unique_keys(parts, "a vocab.json")
    merges = "".join(f"{to_text(left)} {to_text(right)}\n" for left, right in parts.merges)
    settings = {"version": 1, "pattern": parts.pattern, "special_tokens": parts.special_tokens}
    write_together(
        {
            Path(vocab_path): json.dumps(keys, ensure_ascii=False) + "\n",
            Path(merges_path): "#version: 0.2\n" + merges,
            settings_path(vocab_path): canonical_json(settings),
        }
    )
