"""From a [data] section to token files: scan the text, split it, train the tokenizer on the training part, encode
both.

What comes out is kept in the cache under the digest of everything that decides it (split_key.py), so a second run,
and every arm of a study, starts at once. A folder in the cache appears whole under its name or not at all; two
processes may prepare the same data at the same time. No torch.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hornbook.data.corpora.registry import corpus_file
from hornbook.data.datasets import find_sources
from hornbook.data.scan import TextFile
from hornbook.data.scan_sources import scan_sources
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.data.special_text import separated_by
from hornbook.data.split import TextSlice, copy_slice, split_files
from hornbook.data.split_key import SplitKey, validation_digest
from hornbook.data.stream import write_slices, write_split
from hornbook.data.text_files import settled
from hornbook.data.train_tokenizer import train_tokenizer
from hornbook.earlier import LATER_OF_TOKEN_FILES
from hornbook.errors import ConfigError, DataError
from hornbook.fileio import (
    atomic_write,
    cache_folder,
    canonical_json,
    new_folder,
    open_atomic,
    read_json_object,
    sha256_bytes,
    sha256_file,
)  # fmt: skip
from hornbook.format import quantity
from hornbook.tokenizer.special import byte_pieces
from hornbook.tokenizer.text import read_file
from hornbook.tracking.console import Console

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer

TRAINING_TEXT, VALIDATION_TEXT = "training.txt", "validation.txt"
READY = "READY.json"
"""The end mark of a prepared folder."""


@dataclass(frozen=True)
class Dataset:
    """Data that is ready for training."""

    train: tuple[Path, ...]
    """Token files to train on."""
    validation: tuple[Path, ...]
    """Token files to validate on."""
    tokenizer: Tokenizer | None
    """What made them; None for bare token files without a tokenizer."""
    vocab_size: int
    """V."""
    validation_text: Path | None
    """The text of the validation part, where it was cut off one file."""
    digest: str
    """Stands for the content of the token files; a resumed run checks it."""
    separator_id: int | None = None
    """The token that begins a document; None where the tokenizer has no special token or is not known."""
    validation_digest: str = ""
    """Stands for the validation part: losses on different ones do not rank."""


def prepare(data: DataSection, tokenizer: TokenizerSection, console: Console) -> Dataset:
    """Return token files for a recipe's data, from the cache where it has them.

    Raises:
        DataError, TokenizerError: the text, the token files or the tokenizer cannot be used.
        ConfigError: the section names no data.
        OSError: a file cannot be read or the cache cannot be written.
    """
    data = settle(data)
    if data.tokens:
        return _open_tokens(data, tokenizer)
    given = _load_tokenizer(tokenizer.path)
    if given is not None and given.assumed:
        console.print(f"note: {given.assumed}")
    separator = _separator(data, tokenizer, given)
    special = list(given.special_token_ids) if given else list(tokenizer.special_tokens)
    texts = [source.text for source in data.mixture] or [data.text or _corpus(data, console)]
    scanned = scan_sources(data, texts, separator, special, console)
    sources, held_out, mark = scanned.training, scanned.held_out, scanned.mark
    key = SplitKey.of(sources, held_out, data, tokenizer, given, separator, as_text=mark != separator)
    folder = cache_folder() / "prepared" / key.digest[:24]
    if folder.exists() and not (folder / READY).exists():
        shutil.rmtree(folder)  # a folder appears whole: what lacks its end mark is damaged
    if not folder.exists():
        try:
            with new_folder(folder) as temporary:
                names = [f"{number}-" for number in range(len(sources))] if len(sources) > 1 else [""]
                written = []
                for name, files in zip(names, sources, strict=True):
                    out = temporary / f"{name}{TRAINING_TEXT}", temporary / f"{name}{VALIDATION_TEXT}"
                    written.append(_write_text(out, files, held_out, mark, data))
                train, validation = (list(chain(*paths)) for paths in zip(*written, strict=True))
                stands_for = (mark, separator) if mark and separator and mark != separator else None
                _build(temporary, train, validation, data, tokenizer, given, stands_for, console)
                # Copies of text have done their work; the validation part is kept for a corpus's own instruments.
                for text in temporary.glob("*.txt"):
                    if held_out or text.name != VALIDATION_TEXT:
                        text.unlink()
                    elif stands_for:
                        _put_back(text, *stands_for)
                atomic_write(temporary / READY, key.description)
        except OSError:
            if not (folder / READY).exists():  # else another process was faster; its files are the same
                raise
    return _open_prepared(folder, key.digest, separator)


def settle(data: DataSection) -> DataSection:
    """Return the section as a run stores it: every name `settled`. Raises as `find_sources` and `settled`."""
    for sources in (*(source.text for source in data.mixture), data.text, data.validation_text):
        if not all(Path(source).is_absolute() for source in sources):
            find_sources(sources)  # what is missing is told as the recipe names it
    names = ("text", "validation_text", "tokens", "validation_tokens")
    mixture = tuple(replace(source, text=settled(source.text)) for source in data.mixture)
    return replace(data, mixture=mixture, **{name: settled(getattr(data, name)) for name in names})


def _separator(data: DataSection, section: TokenizerSection, given: Tokenizer | None) -> str | None:
    """Return what stands between documents: the recipe's separator, or of a tokenizer without it its own first one."""
    return section.separator_among(given.special_token_ids) if data.one_stream and given else section.separator


def _write_text(
    out: tuple[Path, Path], files: list[TextFile], held_out: list[TextFile], separator: str | None, data: DataSection
) -> tuple[list[Path], list[Path]]:
    """Return the files that hold the training and the validation text of one source: `out`, where it is written."""
    training, validation = out
    whole = [[TextSlice(file, 0, file.num_bytes) for file in part] for part in (files, held_out)]
    if not data.one_stream:
        parts = whole if held_out else split_files(files, separator, data.validation)
        return _as_files(parts[0], training), _as_files(parts[1], validation)
    if held_out:
        write_slices(whole[0], separator, training)
        write_slices(whole[1], separator, validation)
    else:
        seed = data.validation_seed if data.validation_from == "seeded" else None
        write_split(files, separator, data.validation, seed, (training, validation))
    return [training], [validation]


def _build(
    folder: Path,
    train_paths: Sequence[Path],
    validation_paths: Sequence[Path],
    data: DataSection,
    section: TokenizerSection,
    given: Tokenizer | None,
    stands_for: tuple[str, str] | None,
    console: Console,
) -> None:
    """Write the token files and the tokenizer of one data set into `folder`; `stands_for` is (mark, separator)."""
    if given is None:
        given = train_tokenizer(folder / "tokenizer", train_paths, section, data.errors, stands_for, console)
    else:
        given.save(folder / "tokenizer")
    if stands_for:
        given = separated_by(given, *stands_for)
    for role, paths in (("train", train_paths), ("validation", validation_paths)):
        total = sum(path.stat().st_size for path in paths)
        tokens = before = 0
        with console.stage(f"encoding the {role} text", total) as stage:
            for number, path in enumerate(paths):
                out = folder / f"{role}-{number:05d}.npy"
                tokens += len(given.encode_file(path, out, errors=data.errors, progress=stage.after(before)))
                before += path.stat().st_size
            stage.update(
                total, f"{quantity(total, 'B')}, {quantity(tokens)} tokens, {total / max(1, tokens):.2f} bytes each"
            )


def _put_back(path: Path, mark: str, separator: str) -> None:
    """Write the separators of a text again, for the instruments of its corpus."""
    with open_atomic(path) as out:
        for piece, is_mark in byte_pieces(read_file(path), [mark]):
            out.write(separator.encode() if is_mark else piece)


def _corpus(data: DataSection, console: Console) -> tuple[str, ...]:
    if data.corpus is None:
        raise ConfigError("the recipe names no data; give --data.text FILE, --data.corpus NAME or --data.tokens FILE")
    return (str(corpus_file(data.corpus, data, console)),)


def _open_tokens(data: DataSection, section: TokenizerSection) -> Dataset:
    from hornbook.tokenizer.token_file import TokenFile

    tokenizer = _load_tokenizer(section.path)
    files = {path: TokenFile.open(path) for path in (*data.tokens, *data.validation_tokens)}
    sizes = {int(f.manifest["vocab_size"]) for f in files.values() if f.manifest and f.manifest.get("vocab_size")}
    prints = {f.manifest["tokenizer_fingerprint"] for f in files.values() if f.manifest} - {None, ""}
    if tokenizer is not None and prints - {tokenizer.fingerprint}:
        raise DataError(f"the token files were made by another tokenizer than {section.path}; encode the text with it")
    if len(prints) > 1:
        raise DataError("the token files were made by different tokenizers; encode all of the text with one")
    # Bare files say nothing about their vocabulary: the recipe's number stands, and the ids are checked against it.
    vocab_size = tokenizer.vocab_size if tokenizer is not None else max(sizes, default=section.vocab_size)
    described = [
        [len(f), {k: v for k, v in f.manifest.items() if k not in LATER_OF_TOKEN_FILES} or None, _sketch(f.ids)]
        for f in files.values()
    ]
    digest = sha256_bytes(canonical_json(described).encode())
    as_paths = tuple(Path(path) for path in data.tokens), tuple(Path(path) for path in data.validation_tokens)
    specials = tokenizer.special_token_ids if tokenizer is not None else {}
    separator = specials.get(section.separator_among(specials) or "")
    held_out = sha256_bytes(canonical_json(described[-len(data.validation_tokens) :]).encode())
    return Dataset(*as_paths, tokenizer, vocab_size, None, digest, separator, held_out)


def _sketch(ids: np.ndarray) -> str:
    """Return a hash of both ends of a token file: enough to notice another file, without reading 100 GB."""
    return sha256_bytes(np.ascontiguousarray(ids[:65536]).tobytes() + np.ascontiguousarray(ids[-65536:]).tobytes())


def open_earlier(data: DataSection, section: TokenizerSection, folder: Path, digest: str) -> Dataset | None:
    """Return what was prepared in `folder` under `digest`; None unless it is whole. For a run whose text is gone."""
    ready = folder / READY
    if not ready.is_file() or sha256_file(ready) != digest:
        return None
    return _open_prepared(folder, digest, _separator(data, section, _load_tokenizer(str(folder / "tokenizer"))))


def _open_prepared(folder: Path, digest: str, separator: str | None) -> Dataset:
    tokenizer = _load_tokenizer(str(folder / "tokenizer"))
    assert tokenizer is not None
    text = folder / VALIDATION_TEXT
    train, validation = (tuple(sorted(folder.glob(f"{part}-*.npy"))) for part in ("train", "validation"))
    ids, held_out = tokenizer.special_token_ids, validation_digest(read_json_object(folder / READY))
    return Dataset(
        train, validation, tokenizer, tokenizer.vocab_size, text if text.exists() else None, digest,
        ids.get(separator or ""), held_out,
    )  # fmt: skip


def _as_files(parts: Sequence[TextSlice], target: Path) -> list[Path]:
    """Return the slices as files; at most one of them is less than a file, which is copied to `target`."""
    paths = []
    for part in parts:
        if not part.is_whole:
            copy_slice(part, target)
        paths.append(Path(part.file.path) if part.is_whole else target)
    return paths


def _load_tokenizer(path: str | None) -> Tokenizer | None:
    if path is None:
        return None
    from hornbook.tokenizer.tokenizer import Tokenizer

    return Tokenizer.load(path)
