"""Files that are whole or not there: atomic writes, checksums, JSON objects written and read; and where the cache is.

A write goes to a temporary file in the same folder, is flushed and fsynced, then renamed over the target, and the
folder is fsynced, so that a reader (or a machine that lost power) sees the old file or the new one and never a part.
An error says which: `NotConfirmedError` the new one, any other the old one. What a killed process leaves is removed by
the next write of the same file. Left out: large files that belong together (tokenizer/token_file.py).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from hornbook.encodings import read_text
from hornbook.errors import FormatError
from hornbook.locks import stands_at, try_lock
from hornbook.syntax import no_key_twice, trouble

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk, a share of it or a file says when it holds no more."""


def cache_folder() -> Path:
    """Return where prepared data is: $HORNBOOK_CACHE, else $XDG_CACHE_HOME/hornbook, else ~/.cache/hornbook."""
    if given := os.environ.get("HORNBOOK_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hornbook"


class NotConfirmedError(OSError):
    """New content stands under its name, but the disk did not confirm that it will after a loss of power."""


def fsync_directory(path: str | os.PathLike[str]) -> None:
    """Make the entries of a folder (renames, new files) durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems do this by themselves
            raise
    finally:
        _quietly(lambda: os.close(descriptor))


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder and those above it where they are missing, each made durable in its parent. Raises OSError."""
    path = Path(path)
    if not path.is_dir():
        if path.parent != path:
            make_folder(path.parent)
        path.mkdir(exist_ok=True)
        fsync_directory(path.parent)
    return path


def put_in_place(temporary: Path, target: Path) -> None:
    """Rename something that is whole and on disk over `target`, durably.

    Raises:
        NotConfirmedError: it is in place, the disk did not confirm it.
        OSError: what stood at `target` is untouched.
    """
    temporary.replace(target)
    try:
        fsync_directory(target.parent)
    except OSError as error:
        said = f"the new content is in place, but the disk did not confirm it ({error.strerror}); check the disk"
        raise NotConfirmedError(error.errno, said, str(target)) from error


@contextlib.contextmanager
def open_atomic(path: str | os.PathLike[str], place: Callable[[], Path] | None = None) -> Iterator[BinaryIO]:
    """Open `path` for binary writing; it appears under its name only when the block ends without an exception.

    Args:
        path: of the file.
        place: says at the end where it goes instead, in the same folder, as its content decides.

    Raises:
        NotConfirmedError: the new content is in place, the disk did not confirm it.
        OSError: the folder cannot be written or the disk is full; what stood at `path` before is untouched.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    make_folder(target.parent)
    temporary, file = open_temporary(target)
    try:
        yield file
        file.flush()
        os.fsync(file.fileno())
        put_in_place(temporary, place() if place else target)
    except BaseException as error:
        name_place(error, target, temporary)
        _quietly(lambda: temporary.unlink(missing_ok=True))
        raise
    finally:
        # Open until here, as its lock tells that its writer lives; after the fsync closing has nothing to say.
        _quietly(file.close)


def name_place(error: BaseException, target: Path, temporary: Path | None = None) -> None:
    """Let an error of writing name the file that it was for: of a full disk Python names none, else the temporary."""
    if isinstance(error, OSError) and error.filename is None and error.errno in FULL:
        error.filename = str(target)
    elif temporary and isinstance(error, OSError) and Path(str(error.filename)).is_relative_to(temporary):
        error.filename = str(target / Path(str(error.filename)).relative_to(temporary))


def open_temporary(target: Path) -> tuple[Path, BinaryIO]:
    """Return a new temporary file beside `target`, open and locked; one that a killed process left is removed.

    It is `.NAME.tmp`; while another process writes the same file, it has a name of its own.
    """
    temporary = target.with_name(f".{target.name}.tmp")
    while True:
        with contextlib.suppress(FileExistsError):
            file = open(temporary, "xb")  # noqa: SIM115, PTH123
            if try_lock(file.fileno()) is None or stands_at(file.fileno(), temporary):
                return temporary, cast(BinaryIO, file)
            _quietly(file.close)  # taken for a leftover in the instant before it was locked
            continue
        if not _remove_leftover(temporary):
            temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")


def _remove_leftover(path: Path) -> bool:
    """Remove a temporary that no living process holds; return whether its name is free now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    try:
        if not try_lock(descriptor):  # held, or nobody can know
            return False
        if stands_at(descriptor, path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError:
        return False
    finally:
        _quietly(lambda: os.close(descriptor))
    return True


def _quietly(do: Callable[[], object]) -> None:
    """Do something whose failure changes nothing: what matters has happened, or has its own error under way."""
    with contextlib.suppress(OSError):
        do()


def atomic_write(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Replace the file at `path` by `content` (str as UTF-8) in one step. Raises OSError as `open_atomic`."""
    with open_atomic(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def write_together(contents: Mapping[Path, str]) -> None:
    """Replace small text files that belong together (UTF-8): all of them count, or none.

    A journal with all of it stands beside the first file until each is in its place; `finish_together` does the rest
    after a kill. Until the journal is on disk the old files count, from then on the new ones.

    Raises:
        NotConfirmedError: the new ones count, but are not all in their places, or not confirmed by the disk.
        OSError: the old ones are untouched.
    """
    finish_together(*contents)
    journal = _journal(next(iter(contents)))
    try:
        atomic_write(journal, canonical_json({path.name: text for path, text in contents.items()}))
    except NotConfirmedError as error:
        journal.unlink()
        raise OSError(error.errno, os.strerror(error.errno or errno.EIO), error.filename) from error
    try:
        for path, text in contents.items():
            atomic_write(path, text)
        journal.unlink()
    except OSError as error:
        said = "the new content counts, but is not all in its place; the next reading puts it there"
        raise NotConfirmedError(error.errno, f"{said} ({error.strerror})", str(journal)) from error


def finish_together(*paths: Path) -> None:
    """Finish what a killed `write_together` of these files left undone. Raises OSError where that cannot be written."""
    journal = _journal(paths[0])
    if journal.exists():
        contents = read_json_object(journal)
        for path in paths:
            if isinstance(text := contents.get(path.name), str):
                atomic_write(path, text)
        journal.unlink(missing_ok=True)


def _journal(first: Path) -> Path:
    return first.with_name(f".{first.name}.journal")


@contextlib.contextmanager
def new_folder(path: str | os.PathLike[str], *, aside: Path | None = None) -> Iterator[Path]:
    """Give a folder to fill; it appears at `path`, whole, only when the block ends without an exception.

    Args:
        path: of the folder.
        aside: what is there goes to this place, just before the new one appears; None: nothing may be there.

    Raises:
        FileExistsError: something is there that is not an empty folder; it is left alone.
        OSError: the disk is full or the place cannot be written.
    """
    target = Path(path)
    unnamed = target.name in ("", "..")  # "." and the like stand for a folder that is there, and has another name
    if unnamed or (aside is None and target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    make_folder(target.parent)
    temporary, lock = _temporary_folder(target)
    try:
        try:
            yield temporary
        except NotConfirmedError as error:  # of a file within, which goes when the folder does
            raise OSError(error.errno, os.strerror(error.errno or 0), error.filename) from error
        for folder, _, files in os.walk(temporary):
            for name in files:
                with open(Path(folder, name), "rb") as file:  # noqa: PTH123
                    os.fsync(file.fileno())
            fsync_directory(folder)
        if aside is not None and target.exists():
            target.rename(aside)
        put_in_place(temporary, target)
    except BaseException as error:
        name_place(error, target, temporary)
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        _quietly(lambda: os.close(lock))


def _temporary_folder(target: Path) -> tuple[Path, int]:
    """As `open_temporary`, for a folder; its descriptor carries the lock."""
    temporary = target.with_name(f".{target.name}.tmp")
    while True:
        with contextlib.suppress(FileExistsError):
            temporary.mkdir()
            descriptor = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
            if try_lock(descriptor) is None or stands_at(descriptor, temporary):
                return temporary, descriptor
            os.close(descriptor)
            continue
        if not _remove_leftover(temporary):
            temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys, two spaces of indentation, UTF-8 as is, and a final newline.

    Raises:
        ValueError: NaN or infinity in `value`; JSON has no such number.
    """
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_json_object(path: str | os.PathLike[str], *, missing_ok: bool = False) -> dict[str, Any]:
    """Return the JSON object in a file; with `missing_ok` an empty one where there is no such file.

    Raises:
        FormatError: not JSON in UTF-8, JSON of another kind, a key twice, or more than `encodings.MOST_BYTES`.
        OSError: it cannot be read.
    """
    path = Path(path)
    if missing_ok and not path.exists():
        return {}
    text = read_text(path, FormatError)
    try:
        value = json.loads(text, object_pairs_hook=no_key_twice)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON: {trouble(error, text)}; it was changed by hand or damaged") from None
    if not isinstance(value, dict):
        raise FormatError(f"{path} holds no JSON object but {type(value).__name__}; it was changed by hand or damaged")
    return value


def sha256_bytes(content: bytes | memoryview) -> str:
    """Return the SHA-256 of `content` in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, read in blocks, in lower-case hexadecimal. Raises OSError."""
    with open(path, "rb") as file:  # noqa: PTH123
        return hashlib.file_digest(file, "sha256").hexdigest()
