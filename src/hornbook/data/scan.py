"""One pass over a text file: its SHA-256, whether it is UTF-8, how many documents it has.

What was found is kept in the cache, so that a second run over the same 12 GB starts at once. Content decides whether
it still holds, not time: beside size, times and inode the key has a hash of samples of the file (`sampled_hash`).
Packed files and files of records (text_reader.py) become plain text in the cache first, which training then maps.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from hornbook.data.documents import MAPPED_FROM, documents, text_bytes
from hornbook.data.special_text import InText, SpecialText
from hornbook.data.text_reader import VERSION, TextReader
from hornbook.errors import DataError
from hornbook.fileio import atomic_write, cache_folder, canonical_json, open_atomic, read_json_object, sha256_bytes
from hornbook.format import counted
from hornbook.tokenizer.special import byte_finder
from hornbook.tokenizer.utf8 import Errors, checked

BLOCK = 1 << 23
_NONE: dict[str, int] = {}  # shared by all files without: an own one takes 64 bytes
# Samples of a file for `sampled_hash`: a file of up to 1 MiB is read whole.
SAMPLES, SAMPLE_BYTES = 16, 1 << 16


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file and what one pass over it found."""

    path: str
    num_bytes: int
    sha256: str
    num_documents: int
    cut_records: int = 0
    """Records with the separator in them: they are several documents."""
    special: dict[str, int] = field(default_factory=dict)
    """How often each special token but the separator stands in the text."""


def scan_file(
    path: str | Path,
    separator: str | None,
    *,
    errors: Errors = "strict",
    field: str = "text",
    special_tokens: Sequence[str] = (),
    as_text: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> TextFile:
    """Read a text file once; one that is packed, or of records, becomes plain text in the cache first.

    Args:
        path: the file, of any kind that `TextReader` reads.
        separator: the string between documents; None: the file is one document.
        errors: "strict": bytes that are not UTF-8 are an error; "replace": they become U+FFFD when they are encoded.
        field: of jsonl and parquet, the field that holds the text.
        special_tokens: are counted where they stand in the text; the separator between documents may be among them.
        as_text: they are ordinary text: the file becomes a copy in the cache with STAND_IN between documents.
        progress: is called with the bytes read so far.

    Raises:
        DataError: the file is empty, holds only white space, or is not UTF-8 (the byte is named).
        OSError: it is missing or cannot be read.
    """
    others = [token for token in special_tokens if token != separator]
    name, whole = str(path), os.path.abspath(path)  # noqa: PTH100 (of 70,000 files)
    whole = name if whole == name else whole  # one string, not two: there may be 70,000
    status = os.stat(path)  # noqa: PTH116
    plain = status.st_size == 0 or (TextReader(path).is_plain and not as_text)
    if plain and status.st_size < MAPPED_FROM:  # read faster than remembered
        return replace(_look(whole, name, separator, errors, progress), special=_special(whole, special_tokens, others))
    path = Path(path)
    stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, sampled_hash(path)]
    reader = TextReader(path, field=field, separator=separator or "\n", errors=errors)
    known_by = [whole, *stamp, separator, errors, field, VERSION, *others]
    if as_text:
        special = SpecialText(special_tokens, separator or "", "text")
        reader = TextReader(path, field=field, errors=errors, special=special)
        separator, others, known_by = special.mark, [], [*known_by, special.mark]
    key = sha256_bytes(canonical_json(known_by).encode())
    memory = cache_folder() / "inspected" / f"{key[:32]}.json"
    try:
        known = TextFile(**read_json_object(memory))
        if Path(known.path).stat().st_size == known.num_bytes:
            return known
    except (OSError, ValueError, TypeError):
        pass  # not seen before, or an entry that cannot be used: look at the file
    text_path = whole if plain else _as_text(reader, path, key, progress)
    found = _look(text_path, name, separator, errors, progress if plain else lambda done: None)
    found = replace(
        found, cut_records=reader.cut_records if separator else 0, special=_special(text_path, special_tokens, others)
    )
    atomic_write(memory, canonical_json(asdict(found)))
    return found


def notes(files: Sequence[TextFile], separator: str | None, in_text: InText = "split") -> Iterator[str]:
    """Yield what is to be said of special tokens inside the text, a sentence for each."""
    special: Counter[str] = Counter()
    for file in files:
        special.update(file.special)
    split = in_text == "split"
    becomes = "is a special token there, not its characters" if split else "is ordinary text there"
    for token, times in special.items():
        yield f"note: {token} stands in the text {times:,} × and {becomes}"
    becomes = "where training takes a document to end" if split else "which is ordinary text there"
    if cut := sum(file.cut_records for file in files):
        yield f"note: {counted(cut, 'record')} with {separator} inside, {becomes}"


def _look(
    text_path: str, name: str, separator: str | None, errors: Errors, progress: Callable[[int], None]
) -> TextFile:
    """Return what a plain text holds; `name` is the file that the user knows."""
    digest = hashlib.sha256()
    with text_bytes(text_path, os.stat(text_path).st_size) as data:  # noqa: PTH116
        size = len(data)
        blocks = (data[start : start + BLOCK] for start in range(0, size, BLOCK))
        for number, block in enumerate(checked(blocks, "strict", name) if errors == "strict" else blocks, 1):
            digest.update(block)
            progress(min(number * BLOCK, size))
        if size == 0:
            raise DataError(f"{name} is empty; training needs text")
        count = sum(1 for _ in documents(data, separator))
    if count == 0:
        raise DataError(f"{name} holds nothing but white space and separators; training needs text")
    return TextFile(text_path, size, digest.hexdigest(), count)


def _special(text_path: str, special_tokens: Sequence[str], others: Sequence[str]) -> dict[str, int]:
    """Return how often special tokens stand in a text, found as the tokenizer finds them; of `others`, if any do."""
    if not others:
        return _NONE
    with text_bytes(text_path, os.stat(text_path).st_size) as data:  # noqa: PTH116
        found = Counter(match.group() for match in byte_finder(special_tokens).finditer(data))
    return {token: found[token.encode()] for token in others if found[token.encode()]}


def sampled_hash(path: Path) -> str:
    """Return a hash of 16 stretches of a file, both ends among them: cheap at any size, whole up to 1 MiB."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:  # noqa: PTH123
        room = max(0, os.fstat(file.fileno()).st_size - SAMPLE_BYTES)
        for number in range(SAMPLES):
            file.seek(max(number * room // (SAMPLES - 1), 0))
            digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()


def _as_text(corpus: TextReader, path: Path, key: str, progress: Callable[[int], None]) -> str:
    """Return the text of a file as a plain one in the cache."""
    target = cache_folder() / "unpacked" / f"{key[:16]}-{path.stem}"
    with open_atomic(target) as out:
        for chunk in corpus:
            out.write(chunk)
            progress(corpus.read_bytes)
    return str(target)
