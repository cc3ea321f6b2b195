"""The token file: token ids in a `.npy` that can be memory-mapped, and what they are in a `.json` beside it.

The array is one-dimensional, little-endian, uint16 while the vocabulary has at most 65,536 entries, else uint32; any
program that reads NumPy's format reads it. The manifest says which tokenizer made the ids, from which sources, and how
many bytes of ordinary text they stand for (what bits per byte divide by). The specification is
docs/formats/token_file.md. Left out: compression, several arrays in one file, and files that grow.
"""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hornbook.errors import DataError, FormatError
from hornbook.fileio import atomic_write, canonical_json, fsync_directory, open_atomic, read_json_object

VERSION = 1
HEADER_BYTES = 128
_MAGIC = b"\x93NUMPY\x01\x00"
_DTYPES = {"<u2": "uint16", "<u4": "uint32"}
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


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """Return the type of the ids of a vocabulary: uint16 up to 65,536 entries, else uint32; little-endian."""
    return np.dtype("<u2" if vocab_size <= 65_536 else "<u4")


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
        with file.open("rb") as stream:
            dtype, count, offset = _read_header(file, stream)
            size = os.fstat(stream.fileno()).st_size
        if size != offset + count * dtype.itemsize:
            raise FormatError(
                f"{file} has {size:,} bytes, its header says {offset + count * dtype.itemsize:,}: it was cut short or "
                "written over; encode the text again"
            )
        shape = (count,)
        ids = np.memmap(file, dtype, "r", offset, shape) if count else np.empty(shape, dtype)
        ids.flags.writeable = False
        return cls(file, ids, _read_manifest(file, dtype, count))

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
        return cls.open(path)


class TokenFileWriter:
    """Writes a token file chunk by chunk, with bounded memory; nothing shows under its name until `finish`.

    Use it as a context manager: leaving the block without `finish`, or by an exception, leaves no trace.
    """

    def __init__(self, path: str | os.PathLike[str], *, vocab_size: int) -> None:
        self.path = Path(path)
        if self.path.suffix != ".npy":
            raise DataError(f"a token file's name ends in .npy, not {self.path.name!r}")
        self.vocab_size = vocab_size
        self.dtype = token_dtype(vocab_size)
        self.num_tokens = 0
        self._manifest: dict[str, Any] | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> TokenFileWriter:
        self._guard = open_atomic(self.path)
        self.file: BinaryIO = self._guard.__enter__()
        self.file.write(bytes(HEADER_BYTES))
        self.file.flush()
        return self

    def append(self, ids: np.ndarray) -> None:
        """Add ids of any integer type. Raises DataError for one outside the vocabulary."""
        if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
            raise DataError(f"token ids are a one-dimensional array of integers, not {ids.dtype} of shape {ids.shape}")
        if ids.size:
            low, high = int(ids.min()), int(ids.max())
            if low < 0 or high >= self.vocab_size:
                raise DataError(
                    f"the token id {low if low < 0 else high} is not in a vocabulary of {self.vocab_size:,} entries"
                )
        self.file.write(np.ascontiguousarray(ids, dtype=self.dtype).tobytes())
        self.num_tokens += ids.size

    def appended(self, num_tokens: int) -> None:
        """Count ids that were written to the descriptor of `file` from outside, in `dtype`."""
        self.num_tokens += num_tokens

    def finish(
        self,
        *,
        tokenizer_fingerprint: str,
        sources: Sequence[Mapping[str, Any]],
        num_bytes: int,
        num_documents: int,
    ) -> None:
        """State what the ids are; the file appears when the block ends."""
        self._manifest = {
            "version": VERSION,
            "dtype": _DTYPES[self.dtype.str],
            "num_tokens": self.num_tokens,
            "vocab_size": self.vocab_size,
            "tokenizer_fingerprint": tokenizer_fingerprint,
            "num_bytes": num_bytes,
            "num_documents": num_documents,
            "sources": [dict(source) for source in sources],
        }

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        if kind is None and self._manifest is None:
            kind, value = RuntimeError, RuntimeError("the token file was not finished")
            self._guard.__exit__(kind, value, None)
            return
        if kind is not None:
            self._guard.__exit__(kind, value, trace)
            return
        self.file.flush()
        self.file.seek(0)
        self.file.write(_header(self.dtype, self.num_tokens))
        manifest = self.path.with_suffix(".json")
        # An old manifest goes first: at no instant does one stand beside ids that it does not describe.
        if manifest.exists():
            manifest.unlink()
            fsync_directory(manifest.parent)
        self._guard.__exit__(None, None, None)
        atomic_write(manifest, canonical_json(self._manifest))


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


def _header(dtype: np.dtype[Any], count: int) -> bytes:
    text = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': ({count},), }}".encode()
    length = HEADER_BYTES - len(_MAGIC) - 2
    return _MAGIC + length.to_bytes(2, "little") + text.ljust(length - 1) + b"\n"


def _read_header(file: Path, stream: BinaryIO) -> tuple[np.dtype[Any], int, int]:
    """Return (type, number of ids, offset of the first) of a NumPy file of version 1.0 to 3.0."""
    start = stream.read(12)
    if len(start) < 10 or start[:6] != _MAGIC[:6]:
        raise FormatError(f"{file} is not a token file (it does not begin as a .npy does)")
    wide = start[6] > 1
    length = int.from_bytes(start[8:12] if wide else start[8:10], "little")
    offset = (12 if wide else 10) + length
    if length > 65_536:
        raise FormatError(f"{file} has a header of {length:,} bytes; a token file's is {HEADER_BYTES}")
    stream.seek(offset - length)
    try:
        fields = ast.literal_eval(stream.read(length).decode("latin-1"))
        descr, (count,), fortran = fields["descr"], fields["shape"], fields["fortran_order"]
        if descr not in _DTYPES or type(count) is not int or count < 0 or fortran not in (False, True):
            raise ValueError(f"type {descr!r}, shape {fields['shape']!r}")
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise FormatError(
            f"{file} is not a token file: wanted a one-dimensional .npy of uint16 or uint32, little-endian ({error})"
        ) from None
    return np.dtype(descr), count, offset


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
    if (manifest["num_tokens"], manifest["dtype"]) != (count, _DTYPES[dtype.str]):
        raise FormatError(
            f"{path} describes {manifest['num_tokens']:,} ids of {manifest['dtype']}, but {file.name} has {count:,} of "
            f"{_DTYPES[dtype.str]}: the two are not from one writing"
        )
    return manifest
