"""The texts of a recipe, scanned: every source and what validation has of its own, and what is said of them.

Where special tokens stand inside the text and are to be ordinary text, all of it is read once more, into copies in the
cache with another mark between documents (special_text.py); text without such strings is read where it lies.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from hornbook.data.datasets import find_sources
from hornbook.data.scan import TextFile, notes, scan_file
from hornbook.data.sections import DataSection
from hornbook.data.special_text import STAND_IN, SpecialText
from hornbook.data.text_files import left_out_note
from hornbook.data.text_reader import TextReader
from hornbook.errors import ConfigError
from hornbook.format import counted, quantity
from hornbook.tracking.console import Console


@dataclass(frozen=True)
class Sources:
    """What a scan of a recipe's texts found."""

    training: list[list[TextFile]]
    """The files of each source."""
    held_out: list[TextFile]
    """Those of `data.validation_text`."""
    mark: str | None
    """What stands between documents: the separator, or STAND_IN where special tokens in the text are ordinary text."""


def scan_sources(
    data: DataSection, texts: Sequence[Sequence[str]], separator: str | None, special: list[str], console: Console
) -> Sources:
    """Scan the texts of each source, and those of validation.

    Args:
        data: says how they are read.
        texts: the names of each source.
        separator: between documents.
        special: the special tokens of the tokenizer.
        console: gets a stage for each source, and the notes.

    Raises:
        DataError: as `scan_file`; or special tokens in the text, which data.special_tokens_in_text refuses.
        ConfigError: special tokens are to be text, and the tokenizer lacks the separator.
        OSError: as `scan_file`.
    """
    names = [*texts, *filter(None, [data.validation_text])]
    found = [_scan(paths, data, separator, special, console) for paths in names]
    mark, rule = separator, data.special_tokens_in_text
    if rule != "split" and separator and any(file.special or file.cut_records for file in chain(*found)):
        if separator not in special:
            raise ConfigError(
                f'data.special_tokens_in_text = "{rule}" goes by the separator {separator}, which is no special token '
                "of this tokenizer: name its own in tokenizer.special_tokens"
            )
        if rule == "error":
            watch = SpecialText(special, separator, "error")
            paths = find_sources([*chain(*names)])
            for _ in TextReader(paths, field=data.field, errors=data.errors, special=watch):
                pass  # which raises at the end
        mark = STAND_IN
        found = [_scan(paths, data, separator, special, console, as_text=True) for paths in names]
    return Sources(found[: len(texts)], [*chain(*found[len(texts) :])], mark)


def _scan(
    paths: Sequence[str],
    data: DataSection,
    separator: str | None,
    special: list[str],
    console: Console,
    *,
    as_text: bool = False,
) -> list[TextFile]:
    left_out: list[str] = []
    files = find_sources(paths, left_out)
    sizes = [os.stat(path).st_size for path in files]  # noqa: PTH116
    total, found, before = sum(sizes), [], 0
    read = partial(
        scan_file, separator=separator, errors=data.errors, field=data.field, special_tokens=special, as_text=as_text
    )
    with console.stage("reading the text" + " again, for its special tokens" * as_text, total) as stage:
        for path, size in zip(files, sizes, strict=True):
            found.append(read(path, progress=stage.after(before)))
            before += size
        documents = sum(file.num_documents for file in found)
        stage.update(total, f"{quantity(sum(file.num_bytes for file in found), 'B')}, {counted(documents, 'document')}")
    if left_out and not as_text:
        console.print(left_out_note(left_out))
    for note in notes(found, separator, data.special_tokens_in_text):
        console.print(note)
    return found
