"""Files that are whole or not there: atomic writes, checksums, JSON objects written and read; and where the cache is.

A write goes to a temporary file in the same folder, is flushed and fsynced, then renamed over the target, and the
folder is fsynced, so that a reader (or a machine that lost power) sees the old file or the new one and never a part.
Left out: locking between processes, and anything but local file systems.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hornbook.errors import FormatError


def cache_folder() -> Path:
    """Return where prepared data is: $HORNBOOK_CACHE, else $XDG_CACHE_HOME/hornbook, else ~/.cache/hornbook."""
    if given := os.environ.get("HORNBOOK_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hornbook"


def fsync_directory(path: str | os.PathLike[str]) -> None:
    """Make the entries of a folder (renames, new files) durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def open_atomic(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open `path` for binary writing; it appears under its name only when the block ends without an exception.

    Raises:
        OSError: the folder cannot be written or the disk is full; what stood at `path` before is untouched.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:  # noqa: PTH123
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_directory(target.parent)


def atomic_write(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Replace the file at `path` by `content` (str as UTF-8) in one step. Raises OSError as `open_atomic`."""
    with open_atomic(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder to fill; it appears at `path`, whole, only when the block ends without an exception.

    Raises:
        FileExistsError: something is there that is not an empty folder; it is left alone.
        OSError: the disk is full or the place cannot be written.
    """
    target = Path(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        for folder, _, files in os.walk(temporary):
            for name in files:
                with open(Path(folder, name), "rb") as file:  # noqa: PTH123
                    os.fsync(file.fileno())
            fsync_directory(folder)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    fsync_directory(target.parent)


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys, two spaces of indentation, UTF-8 as is, and a final newline.

    Raises:
        ValueError: NaN or infinity in `value`; JSON has no such number.
    """
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_json_object(path: str | os.PathLike[str], *, missing_ok: bool = False) -> dict[str, Any]:
    """Return the JSON object in a file; with `missing_ok` an empty one where there is no such file.

    Raises:
        FormatError: it is not JSON, or JSON of another kind.
        OSError: it cannot be read.
    """
    path = Path(path)
    if missing_ok and not path.exists():
        return {}
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON: {error}; it was changed by hand or damaged") from None
    if not isinstance(value, dict):
        raise FormatError(f"{path} holds no JSON object but {type(value).__name__}; it was changed by hand or damaged")
    return value


def sha256_bytes(content: bytes) -> str:
    """Return the SHA-256 of `content` in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, read in blocks, in lower-case hexadecimal. Raises OSError."""
    with open(path, "rb") as file:  # noqa: PTH123
        return hashlib.file_digest(file, "sha256").hexdigest()
