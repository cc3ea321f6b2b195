"""Files from the web: fetched in a stream, continued where they were cut off, checked, and there whole or not at all.

The bytes go to `.NAME.part` beside the target; `.NAME.part.json` notes what they are a part of, so that a later call
goes on with a Range request, and starts anew if the file has changed there since (If-Range). A cut connection, a silent
one and a busy server are tried again, with growing pauses, as long as bytes still come in between. At the end the size
and, where it is known, the SHA-256 are compared (`X-Linked-Etag` of Hugging Face is one), a .gz is unpacked if that is
wanted, and one rename puts the file in its place. Left out: several connections for one file; logging in.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hornbook.data.unpacking import gunzip
from hornbook.errors import DataError
from hornbook.fileio import atomic_write, canonical_json, fsync_directory, open_atomic
from hornbook.format import quantity
from hornbook.tracking.console import Console, Stage

if TYPE_CHECKING:
    import httpx

__all__ = ["download"]

BLOCK = 1 << 20
# Attempts in a row that bring no byte; after the k-th the pause is 2^k seconds, at most LONGEST_PAUSE.
ATTEMPTS, LONGEST_PAUSE = 6, 60.0
CONNECT_SECONDS, SILENT_SECONDS = 20.0, 30.0
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers of a server that may do better later."""


@dataclass
class _Part:
    """What `.NAME.part.json` says of the bytes in `.NAME.part`."""

    url: str
    size: int | None = None
    """Bytes of the whole file."""
    sha256: str | None = None
    """Of the whole file, as the server says."""
    etag: str | None = None
    """Stands for the content, where the server vouches for it byte by byte (a strong one)."""


class _Again(Exception):  # noqa: N818
    """An attempt came to nothing that the next one might not; `pause` is the server's wish in seconds."""

    def __init__(self, reason: str, pause: float = 0.0):
        super().__init__(reason)
        self.pause = pause


def download(
    url: str,
    target: str | Path,
    console: Console,
    *,
    sha256: str | None = None,
    unpack: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    silent_seconds: float = SILENT_SECONDS,
) -> Path:
    """Fetch a file; one that is there already is left alone.

    Args:
        url: http or https.
        target: the file to make.
        console: shows how far it is.
        sha256: of the file as the server has it; None: what the server itself says, if it says one.
        unpack: the server has a .gz and its content is wanted.
        sleep: waits so many seconds; for tests.
        silent_seconds: a connection without a byte for so long is given up and made anew.

    Raises:
        DataError: the server has no such file, or cannot be reached; the content is not what it should be; the disk
            has no room; another process is fetching the same file.
        OSError: a file cannot be written.
    """
    target = Path(target)
    if target.exists():
        console.say(
            f"{target} is there already ({quantity(target.stat().st_size, 'B')}); delete it to have it fetched anew"
        )
        return target
    httpx = _httpx()
    target.parent.mkdir(parents=True, exist_ok=True)
    path, note = (target.with_name(f".{target.name}{end}") for end in (".part", ".part.json"))
    with _held(path) as file, console.stage(f"fetching {target.name}") as stage:
        part = _noted(note, url)
        if not (part.etag or part.sha256 or sha256):
            file.truncate(0)  # nothing could tell whether what is here belongs to what is there
        with httpx.Client(follow_redirects=True, timeout=httpx.Timeout(silent_seconds, connect=CONNECT_SECONDS)) as web:
            _fetch(web, part, file, note, target, stage, sleep)
        os.fsync(file.fileno())
        try:
            checked = _check(part, sha256 or part.sha256, file, stage)
            if unpack:
                _unpack(file, target, stage)
        except DataError:
            path.unlink()
            note.unlink(missing_ok=True)
            raise
        stage.update(text=f"{quantity(target.stat().st_size if unpack else file.tell(), 'B')}{checked}")
        if unpack:
            path.unlink()
        else:
            path.rename(target)
            fsync_directory(target.parent)
        note.unlink(missing_ok=True)
    return target


def _fetch(
    web: httpx.Client,
    part: _Part,
    file: BinaryIO,
    note: Path,
    target: Path,
    stage: Stage,
    sleep: Callable[[float], None],
) -> None:
    """Attempt until the part is whole, or ATTEMPTS in a row have brought nothing."""
    have = file.seek(0, os.SEEK_END)
    failures = 0
    while part.size is None or have != part.size:
        try:
            _attempt(web, part, file, note, target, stage)
            reason, pause = "the connection was closed early", 0.0
        except _Again as error:
            reason, pause = str(error), error.pause
        now = file.seek(0, os.SEEK_END)
        if part.size is not None and now == part.size:
            return
        failures = 0 if now > have else failures + 1
        have = now
        if failures >= ATTEMPTS:
            kept = (
                f"; the {quantity(have, 'B')} that came are kept, and the next call goes on from there" if have else ""
            )
            raise DataError(f"{part.url} cannot be fetched: {reason}{kept}")
        pause = max(pause, 0.0 if failures == 0 else min(LONGEST_PAUSE, 2.0**failures))
        stage.update(text=f"{reason}; trying again" + (f" in {pause:.0f} s" if pause else ""))
        sleep(pause)


def _attempt(web: httpx.Client, part: _Part, file: BinaryIO, note: Path, target: Path, stage: Stage) -> None:
    """Ask for what is missing and append what comes. Raises _Again where that may help, DataError where not."""
    import httpx

    have = file.seek(0, os.SEEK_END)
    headers = {"Accept-Encoding": "identity", "User-Agent": "hornbook"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": part.etag} if part.etag else {})
    try:
        with web.stream("GET", part.url, headers=headers) as answer:
            whole = _begin(answer, part, file, have)
            atomic_write(note, canonical_json({"version": 1, **asdict(part)}))
            _need_room(target, None if whole is None else whole - file.tell())
            stage.update(file.tell(), total=whole)
            for block in answer.iter_raw():  # as they come: gathered ones would be lost with the connection
                file.write(block)
                stage.update(file.tell(), text=f"{quantity(file.tell(), 'B')}")
            if whole is None:  # a server that says no length ends the file by ending the connection in good order
                part.size = file.tell()
    except httpx.TransportError as error:
        raise _Again(_reason(error)) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DataError(f"{part.url} cannot be fetched: {_reason(error)}") from None


def _begin(answer: httpx.Response, part: _Part, file: BinaryIO, have: int) -> int | None:
    """Take in the head of an answer: set the file to where its bytes belong; return the size of the whole file."""
    status = answer.status_code
    if status == 416:  # what is here is not the beginning of what is there
        file.truncate(0)
        raise _Again("the file has changed on the server")
    if status in BUSY:
        wish = answer.headers.get("Retry-After", "")
        pause = min(LONGEST_PAUSE, float(wish)) if wish.isdecimal() else 0.0
        raise _Again(f"the server answered {status} {answer.reason_phrase}", pause)
    if status not in (200, 206):
        raise DataError(f"{part.url} cannot be fetched: the server answered {status} {answer.reason_phrase}".rstrip())
    if answer.headers.get("Content-Encoding", "identity") != "identity" and not part.url.endswith(".gz"):
        raise DataError(
            f"{part.url} comes packed ({answer.headers['Content-Encoding']}), though that was not asked for"
        )
    linked = [response.headers.get("X-Linked-Etag", "").strip('"') for response in (*answer.history, answer)]
    sha256 = next((text for text in linked if re.fullmatch(r"[0-9a-f]{64}", text)), None)
    if status == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        size = None if span is None or span[2] == "*" else int(span[2])
        changed = None not in (sha256, part.sha256) and sha256 != part.sha256
        if span is None or int(span[1]) != have or changed or (None not in (size, part.size) and size != part.size):
            file.truncate(0)
            raise _Again("the server sent something else than the rest of what is here")
    else:
        file.truncate(0)
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() else None
        part.sha256 = None
    etag = answer.headers.get("ETag")
    part.etag = etag if etag and not etag.startswith("W/") else None
    part.size, part.sha256 = size, part.sha256 or sha256
    return size


def _check(part: _Part, wanted: str | None, file: BinaryIO, stage: Stage) -> str:
    """Compare the SHA-256 if it is known; return what there is to say about it. Raises DataError."""
    if wanted is None:
        return ""
    stage.update(0, "checking the SHA-256", file.seek(0, os.SEEK_END))
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(BLOCK):
        digest.update(block)
        stage.update(file.tell())
    if digest.hexdigest() != wanted:
        raise DataError(
            f"{part.url} came with the SHA-256 {digest.hexdigest()[:16]}…, wanted {wanted[:16]}…; what came was "
            "thrown away: run the command again, and if it repeats, the file there is not the one that it was"
        )
    return ", SHA-256 as it should be"


def _unpack(file: BinaryIO, target: Path, stage: Stage) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    stage.update(0, "unpacking", size)

    def blocks() -> Iterator[bytes]:
        while block := file.read(BLOCK):
            stage.update(file.tell())
            yield block

    with open_atomic(target) as out:
        for block in gunzip(blocks(), target.name + ".gz"):
            out.write(block)
    stage.update(size)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[Any]:
    """Open a part for reading and appending, for this process alone."""
    with open(path, "a+b") as file:  # noqa: PTH123
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"another process is fetching {path.name[1:-5]} into {path.parent}; wait for it") from None
        yield file


def _noted(note: Path, url: str) -> _Part:
    """Return what is known of the bytes that are there; nothing, if they are of another address."""
    try:
        tree = json.loads(note.read_text(encoding="utf-8"))
        part = _Part(**{key: tree.get(key) for key in ("url", "size", "sha256", "etag")})
        sound = part.url == url and isinstance(part.size, int | None) and isinstance(part.etag, str | None)
        if sound and (part.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", part.sha256)):
            return part
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        pass
    note.unlink(missing_ok=True)
    return _Part(url)


def _need_room(target: Path, missing: int | None) -> None:
    free = shutil.disk_usage(target.parent).free
    if missing is not None and missing > free:
        raise DataError(
            f"{target.name} needs {quantity(missing, 'B')} more, and the disk of {target.parent} has "
            f"{quantity(free, 'B')} free; make room, or name another folder with --out"
        )


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _httpx() -> Any:
    try:
        import httpx
    except ImportError:
        raise DataError("fetching files needs httpx: pip install 'hornbook[data]'") from None
    return httpx
