"""What a token file looks like on disk: the header of its `.npy`, the type of its ids, and their digest.

Left out: manifest and ids (token_file.py).
"""

from __future__ import annotations

import ast
import hashlib
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hornbook.errors import FormatError
from hornbook.fileio import put_in_place, read_json_object

VERSION = 1
HEADER_BYTES = 128
_MAGIC = b"\x93NUMPY\x01\x00"
DTYPES = {"<u2": "uint16", "<u4": "uint32"}


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """Return the type of the ids of a vocabulary: uint16 up to 65,536 entries, else uint32; little-endian."""
    return np.dtype("<u2" if vocab_size <= 65_536 else "<u4")


def header(dtype: np.dtype[Any], count: int) -> bytes:
    """Return the 128 bytes before the ids."""
    text = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': ({count},), }}".encode()
    length = HEADER_BYTES - len(_MAGIC) - 2
    return _MAGIC + length.to_bytes(2, "little") + text.ljust(length - 1) + b"\n"


def read_header(file: Path, stream: BinaryIO) -> tuple[np.dtype[Any], int, int]:
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
    head = stream.read(length)
    try:
        fields = ast.literal_eval(head.decode("latin-1"))
        descr, (count,), fortran = fields["descr"], fields["shape"], fields["fortran_order"]
        if descr not in DTYPES or type(count) is not int or not 0 <= count < 1 << 60 or fortran not in (False, True):
            raise ValueError
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        said = head[:80].decode("latin-1").strip()
        raise FormatError(
            f"{file} is not a token file: wanted a one-dimensional .npy of uint16 or uint32, little-endian, and its "
            f"header says {said!r}"
        ) from None
    return np.dtype(descr), count, offset


def finish(path: Path) -> None:
    """Finish what a killed writer left: new ids under their name, and their manifest still beside its own."""
    manifest = path.with_suffix(".json")
    pending = manifest.with_name(f".{manifest.name}.tmp")
    if not pending.exists() or not path.exists():
        return
    try:
        said = read_json_object(pending).get("sha256")
    except FormatError:
        return  # cut short: its ids never came into their place
    with path.open("rb") as file:
        if digest_of(file) == said:
            put_in_place(pending, manifest)


def digest_of(file: BufferedReader) -> str:
    """Return the SHA-256 of the ids in a file of ours."""
    file.seek(HEADER_BYTES)
    return hashlib.file_digest(file, "sha256").hexdigest()
