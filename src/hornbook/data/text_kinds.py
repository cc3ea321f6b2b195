"""What a source of text holds: by its first bytes, and where they do not say it by its name. No file is opened here.

Signatures are those of the formats' own documents (RFC 1952 gzip, RFC 8878 zstd, the xz and bzip2 file formats, POSIX
ustar, …). Encodings are guessed in encodings.py.
"""

from __future__ import annotations

import re
from typing import Literal

from hornbook.encodings import BOM, WIDE

Kind = Literal["text", "jsonl", "json", "csv", "tsv", "parquet"]
HEAD_BYTES = 512
"""First bytes that are enough to tell any kind."""

PACKINGS = {".gz": "gzip", ".xz": "xz", ".lzma": "xz", ".bz2": "bzip2", ".zst": "zstd"}
ENDINGS: dict[str, Kind] = {
    ".txt": "text",
    ".md": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
}
"""What the end of a name promises."""
IN_FOLDERS = (".txt", ".md", ".jsonl", ".ndjson", ".parquet")
"""What is read of a folder. A .json or .csv in it is as often a note about the data, and is read where it is named."""

_PACKED = re.compile(rb"(?P<gzip>\x1f\x8b\x08)|(?P<xz>\xfd7zXZ\0)|(?P<bzip2>BZh[1-9]1AY&SY)|(?P<zstd>\x28\xb5\x2f\xfd)")
_PARQUET = b"PAR1"
_JSON = re.compile(rb"""\s*(\[\s*)?\{\s*"[^"\n]*"\s*:""")
_UNPACK = "unpack it first"
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    *WIDE,
    (rb".{257}ustar", "a tar archive of many files", _UNPACK),
    (rb"PK(\x03\x04|\x05\x06)", "a zip archive (or .docx, .epub, .xlsx, .npz, which are zip too)", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-zip archive", _UNPACK),
    (rb"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (rb"\x04\x22\x4d\x18", "packed by lz4", _UNPACK),
    (rb"\x1f[\x9d\xa0]", "packed by compress", _UNPACK),
    (_PACKED.pattern, "packed twice", "unpack it once first"),
    (rb"%PDF-", "a PDF", "take the text out of it first, as by pdftotext"),
    (rb"\{\\rtf", "rich text (RTF)", "save it as plain text"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", "save it as plain text"),
    (rb"\x93NUMPY", "a NumPy file", "token files go to data.tokens and data.validation_tokens"),
    (rb"SQLite format 3\0", "an SQLite database", "export its text first"),
    (rb"ARROW1|FEA1", "an Arrow file", "save it as parquet"),
    (rb"\x89HDF\r\n", "an HDF5 file", "export its text first"),
    (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a", "a picture", "name a file of text"),
    (rb"GGUF", "a GGUF model", "name a file of text"),
    (rb"\x7fELF", "a program", "name a file of text"),
)


def packing_of(head: bytes, name: str) -> str | None:
    """Return "gzip", "xz", "bzip2" or "zstd" by the first bytes of a file, else by its name; None: not packed."""
    found = _PACKED.match(head)
    return found.lastgroup if found else packing_of_name(name)


def packing_of_name(name: str) -> str | None:
    """Return what the end of a name says of packing, in any case of its letters."""
    return next((packing for end, packing in PACKINGS.items() if name.lower().endswith(end)), None)


def kind_of(head: bytes, name: str) -> Kind:
    """Return the kind of the unpacked content that begins with `head`."""
    if head.startswith(_PARQUET):
        return "parquet"
    return ENDINGS.get(ending(name)) or ("json" if _JSON.match(head.removeprefix(BOM)) else "text")


def ending(name: str) -> str:
    """Return the last ending of a name in small letters, that of its packing aside; "" for none."""
    name = unpacked_name(name.lower())
    return name[name.rfind(".") :] if "." in name else ""


def unpacked_name(name: str) -> str:
    """Return a name without the ending of its packing."""
    return next((name[: -len(end)] for end in PACKINGS if name.lower().endswith(end)), name)


def foreign(head: bytes) -> tuple[str, str] | None:
    """Return what content that is no text of ours is, and the way out; None where nothing speaks against text."""
    for pattern, what, way_out in _FOREIGN:
        if re.match(pattern, head, re.DOTALL):
            return what, way_out
    return None
