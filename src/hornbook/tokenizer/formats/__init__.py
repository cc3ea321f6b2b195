"""Any tokenizer on disk: which reader a path needs, and the writers by name."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from hornbook.errors import FormatError, did_you_mean
from hornbook.tokenizer.formats.gpt2 import read_gpt2, write_gpt2
from hornbook.tokenizer.formats.huggingface import read_huggingface, write_huggingface
from hornbook.tokenizer.formats.own import FILE_NAME, read_own, write_own
from hornbook.tokenizer.formats.parts import TokenizerParts
from hornbook.tokenizer.formats.tiktoken import read_tiktoken, write_tiktoken

__all__ = ["FORMATS", "read_parts", "write_parts"]

FORMATS: dict[str, str] = {
    "hornbook": f"hornbook's own: a folder with {FILE_NAME}",
    "gpt2": "GPT-2's vocab.json and merges.txt, and hornbook.json with pattern and special tokens",
    "tiktoken": "tiktoken's ranks, NAME.tiktoken, and NAME.tiktoken.json with pattern and special tokens",
    "huggingface": "Hugging Face's tokenizer.json",
}
# Of a folder, the first of these that is there is read.
_FILES = {
    "hornbook": FILE_NAME,
    "huggingface": "tokenizer.json",
    "gpt2": "vocab.json",
    "tiktoken": "tokenizer.tiktoken",
}


def read_parts(
    path: str | os.PathLike[str],
    special_tokens: Sequence[str] | Mapping[str, int] | None = None,
    pattern: str | None = None,
) -> TokenizerParts:
    """Read a tokenizer of any format.

    Args:
        path: a folder (hornbook's own file is looked for first, then tokenizer.json, then vocab.json with merges.txt,
            then one `*.tiktoken`), or a file of one of these.
        special_tokens: for formats that do not say them (vocab.json, ranks); None takes what lies beside the files.
        pattern: the same.

    Raises:
        FormatError: nothing here is a tokenizer, it is damaged, or it says itself what is given.
        OSError: a file cannot be read.
    """
    file = tokenizer_file(path)
    if file.name.endswith(".tiktoken"):
        if special_tokens is not None and not isinstance(special_tokens, Mapping):
            raise FormatError(f"{file} does not say the ids of its special tokens: give them as a mapping, token to id")
        return read_tiktoken(file, special_tokens, pattern)
    if file.name in ("vocab.json", "encoder.json") or file.name.endswith("-vocab.json"):
        return read_gpt2(file, _merges_beside(file), None if special_tokens is None else list(special_tokens), pattern)
    if file.suffix == ".json" and (special_tokens is not None or pattern is not None):
        raise FormatError(
            f"{file} says its pattern and special tokens itself: both are given for vocab.json and ranks only"
        )
    if file.name == FILE_NAME:
        return read_own(file)
    if file.suffix == ".json":
        return read_huggingface(file)
    raise FormatError(f"{file} is no tokenizer that hornbook knows: " + "; ".join(FORMATS.values()))


def tokenizer_file(path: str | os.PathLike[str]) -> Path:
    """Return the file of a tokenizer that `read_parts` begins with. Raises FormatError where there is none."""
    path = Path(path)
    if not path.is_dir():
        if not path.exists():
            raise FormatError(f"there is no tokenizer at {path} (no such file or folder)")
        return path
    for name in _FILES.values():
        if (path / name).exists():
            return path / name
    ranks = sorted(path.glob("*.tiktoken"))
    if len(ranks) == 1:
        return ranks[0]
    found = f"{len(ranks)} *.tiktoken files, name one" if ranks else "none found"
    raise FormatError(f"the folder {path} holds no tokenizer ({found}): " + "; ".join(FORMATS.values()))


def _merges_beside(vocab: Path) -> Path:
    for name in ("vocab.json", "encoder.json"):
        for other in ("merges.txt", "vocab.bpe"):
            merges = vocab.with_name(vocab.name.removesuffix(name) + other)
            if vocab.name.endswith(name) and merges.exists():
                return merges
    raise FormatError(f"beside {vocab} there is no merges.txt, and GPT-2's format needs both")


def write_parts(parts: TokenizerParts, path: str | os.PathLike[str], format: str = "hornbook") -> None:
    """Write a tokenizer.

    Args:
        parts: the tokenizer.
        path: a folder; for `tiktoken` and `huggingface` also a file name (`*.tiktoken`, `*.json`).
        format: one of `FORMATS`.

    Raises:
        FormatError: an unknown format, a tokenizer that it cannot express, or a folder with another format in it that
            would be read in place of this one.
        OSError: a file cannot be written.
    """
    target = Path(path)
    if format not in _FILES:
        raise FormatError(f"there is no format {format!r}{did_you_mean(format, FORMATS)}: use {', '.join(FORMATS)}")
    if target.suffix != {"tiktoken": ".tiktoken", "huggingface": ".json"}.get(format):
        target = target / _FILES[format]
        for name in itertools.takewhile(lambda name: name != target.name, _FILES.values()):
            if target.with_name(name).exists():
                raise FormatError(
                    f"{target.parent} holds {name}, which would be read in place of {target.name}: use another folder"
                )
    if format == "hornbook":
        write_own(parts, target.parent)
    elif format == "gpt2":
        write_gpt2(parts, target, target.with_name("merges.txt"))
    elif format == "tiktoken":
        write_tiktoken(parts, target)
    else:
        write_huggingface(parts, target)
