"""The token file: token ids in a `.npy` that can be memory-mapped, and what they are in a `.json` beside it.

The array is one-dimensional, little-endian, uint16 while the vocabulary has at most 65,536 entries, else uint32; any
program that reads NumPy's format reads it. The manifest says which tokenizer made the ids, from which sources, and how
many bytes of ordinary text they stand for (what bits per byte divide by). The specification is
docs/formats/token_file.md. Left out: compression, several arrays in one file, and files that grow.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.errors import FormatError
from hornbook.fileio import NotConfirmedError, read_json_object
from hornbook.tokenizer.token_header import DTYPES, VERSION, finish, read_header
from hornbook.tokenizer.token_writer import TokenFileWriter

CHECKED_AT_ONCE = 1 << 24
"""Ids of at most so many bytes are compared with their SHA-256 whenever they are opened, more by `verify`."""
_REQUIRED = {
    "version": int,
    "dtype": str,
    "num_tokens": int,
    "vocab_size": int,
    "tokenizer_fingerprint": str,
    "num_bytes": int,
    "num_documents": int,
    "sources": list,
}


class TokenFile:
    """An open token file. Made by `TokenFile.open` and `TokenFile.write`.

    Attributes:
        path: the `.npy` file.
        ids: shape (num_tokens,), read-only and memory-mapped, uint16 or uint32.
        manifest: what the `.json` beside it says; empty for a bare `.npy`.
    """

    def __init__(self, path: Path, ids: np.ndarray, manifest: dict[str, Any]) -> None:
        self.path = path
        self.ids = ids
        self.manifest = manifest

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)

    def __repr__(self) -> str:
        return f"TokenFile({str(self.path)!r}: {len(self):,} tokens, {self.ids.dtype})"

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> TokenFile:
        """Open a token file, or any one-dimensional `.npy` of uint16 or uint32, without reading it into memory.

        Raises:
            FormatError: not such a file, cut short, or with a manifest that does not describe it.
            OSError: the file cannot be read.
        """
        file = Path(path)
        finish(file)
        with file.open("rb") as stream:
            dtype, count, offset = read_header(file, stream)
            size = os.fstat(stream.fileno()).st_size
        if size != offset + count * dtype.itemsize:
            raise FormatError(
                f"{file} has {size:,} bytes, its header says {offset + count * dtype.itemsize:,}: it was cut short or "
                "written over; encode the text again"
            )
        ids = np.memmap(file, dtype, "r", offset, (count,)) if count else np.empty((0,), dtype)
        ids.flags.writeable = False
        opened = cls(file, ids, _read_manifest(file, dtype, count))
        if ids.nbytes <= CHECKED_AT_ONCE:
            opened.verify()
        return opened

    def verify(self) -> None:
        """Compare all ids with the SHA-256 that the manifest says. Raises FormatError where they differ."""
        said = self.manifest.get("sha256")
        if said is not None and hashlib.sha256(self.ids.data).hexdigest() != said:
            raise FormatError(
                f"{self.path} does not hold the ids that {self.path.with_suffix('.json').name} describes (another "
                "SHA-256): one of the two was replaced or damaged; encode the text again"
            )

    @classmethod
    def write(
        cls,
        path: str | os.PathLike[str],
        ids: np.ndarray | Iterable[np.ndarray] | Sequence[int],
        *,
        vocab_size: int,
        tokenizer_fingerprint: str,
        sources: Sequence[Mapping[str, Any]],
        num_bytes: int,
        num_documents: int,
    ) -> TokenFile:
        """Write a token file in one step and open it: it is there whole or not at all.

        Args:
            path: where to, ending in `.npy`; the manifest gets the same name with `.json`.
            ids: all ids in one array or list, or chunks of them in order.
            vocab_size: entries of the vocabulary; decides the type, and every id is checked against it.
            tokenizer_fingerprint: `Tokenizer.fingerprint` of the one that made the ids.
            sources: one mapping per input, such as {"path", "bytes", "sha256"}.
            num_bytes: UTF-8 bytes of the ordinary text (special tokens count 0).
            num_documents: documents in the text.

        Raises:
            DataError: an id that the vocabulary does not have.
            OSError: the file cannot be written, or the disk is full; what stood there before is untouched.
        """
        with TokenFileWriter(path, vocab_size=vocab_size) as writer:
            for chunk in _chunks(ids):
                writer.append(chunk)
            writer.finish(
                tokenizer_fingerprint=tokenizer_fingerprint,
                sources=sources,
                num_bytes=num_bytes,
                num_documents=num_documents,
            )
        return cls.open_written(path)

    @classmethod
    def open_written(cls, path: str | os.PathLike[str]) -> TokenFile:
        """Open a file just written. Raises NotConfirmedError where it cannot be read back."""
        try:
            return cls.open(path)
        except OSError as error:
            said = f"the new content is in place, but cannot be read back ({error.strerror})"
            raise NotConfirmedError(error.errno, said, str(path)) from error


def _chunks(ids: np.ndarray | Iterable[np.ndarray] | Sequence[int]) -> Iterator[np.ndarray]:
    if isinstance(ids, np.ndarray):
        yield ids
        return
    plain: list[int] = []
    for item in ids:
        if isinstance(item, np.ndarray):
            yield item
        else:
            plain.append(int(item))
    if plain:
        yield np.asarray(plain, dtype=np.int64)


def _read_manifest(file: Path, dtype: np.dtype[Any], count: int) -> dict[str, Any]:
    path = file.with_suffix(".json")
    if not path.exists():
        return {}
    manifest = read_json_object(path)
    for key, kind in _REQUIRED.items():
        if type(manifest.get(key)) is not kind:
            raise FormatError(f"{path} is not the manifest of a token file: {key!r} is {manifest.get(key)!r}")
    if manifest["version"] != VERSION:
        raise FormatError(f"{path} has version {manifest['version']}; this hornbook reads version {VERSION}")
    if (manifest["num_tokens"], manifest["dtype"]) != (count, DTYPES[dtype.str]):
        raise FormatError(
            f"{path} describes {manifest['num_tokens']:,} ids of {manifest['dtype']}, but {file.name} has {count:,} of "
            f"{DTYPES[dtype.str]}: the two are not from one writing"
        )
    return manifest
