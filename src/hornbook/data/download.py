"""Files from the web: fetched in a stream, continued where they were cut off, checked, and there whole or not at all.

The bytes go to `.NAME.part` beside the target; `.NAME.part.json` notes what they are a part of, so that a later call
goes on with a Range request, and starts anew if the file has changed there since (If-Range). A cut connection, a silent
one and a busy server are tried again, with growing pauses, as long as bytes still come in between. At the end the size
and, where it is known, the SHA-256 are compared (`X-Linked-Etag` of Hugging Face is one), a .gz is unpacked if that is
wanted, and one rename puts the file in its place. huggingface_hub and fsspec hold less of this (docs/log.md). Left out:
several connections for one file; logging in.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hornbook.config import build
from hornbook.data.download_checks import (
    SHA256,
    broken_off,
    record,
    recorded,
    redirect_check,
    remove_quietly,
)
from hornbook.data.unpacking import gunzip
from hornbook.errors import DataError, HornbookError
from hornbook.fileio import (
    atomic_write,
    canonical_json,
    make_folder,
    open_atomic,
    put_in_place,
    read_json_object,
    sha256_file,
)
from hornbook.format import quantity
from hornbook.locks import try_lock
from hornbook.tracking.console import Console, Stage

if TYPE_CHECKING:
    import httpx

BLOCK = 1 << 20
# Attempts in a row that bring no byte; after the k-th the pause is 2^k seconds, at most LONGEST_PAUSE.
ATTEMPTS, LONGEST_PAUSE = 6, 60.0
CONNECT_SECONDS, SILENT_SECONDS = 20.0, 30.0
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers of a server that may do better later."""


@dataclasses.dataclass
class _Source:
    """What `.NAME.part.json` says of the bytes in `.NAME.part`: of which file they are the beginning."""

    version: int
    url: str
    size: int | None = None
    """Bytes of the whole file."""
    sha256: str | None = None
    """Of the whole file, as the server says."""
    etag: str | None = None
    """Stands for the content, where the server vouches for it byte by byte (a strong one)."""


class _Retry(Exception):  # noqa: N818
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
        sha256: of the file as the server has it; None: what the server itself says, and what the address had before.
        unpack: the server has a .gz and its content is wanted.
        sleep: waits so many seconds; for tests.
        silent_seconds: a connection without a byte for so long is given up and made anew.

    Raises:
        DataError: no such file or server; content that it should not be; no room; another process fetches it too.
        OSError: a file cannot be written.
    """
    target = Path(target)
    path, note = (target.with_name(f".{target.name}{end}") for end in (".part", ".part.json"))
    if target.exists():
        remove_quietly(path, note)  # a process that was killed at its end has left them
        console.print(
            f"{target} is there already ({quantity(target.stat().st_size, 'B')}); delete it to have it fetched anew"
        )
        return target
    try:
        import httpx  # noqa: F401
    except ImportError:
        raise DataError("fetching files needs httpx: pip install 'hornbook[data]'") from None
    make_folder(target.parent)
    with _open_exclusively(path) as file, console.stage(f"fetching {target.name}") as stage:
        source = _read_note(note, url)
        if not (source.etag or source.sha256 or sha256):
            file.truncate(0)  # nothing could tell whether what is here belongs to what is there
        with _client(url, silent_seconds) as web:
            _fetch(lambda: _attempt(web, source, file, note, stage), source, file, stage, sleep)
        os.fsync(file.fileno())
        try:
            digest, checked = _check(source, sha256, path, stage)
            if unpack:
                _unpack(file, target, stage, lambda: record(url, digest))
            else:
                record(url, digest)  # while nothing is in place, so that an error says so
        except DataError:
            remove_quietly(path, note)
            raise
        stage.update(text=f"{quantity(target.stat().st_size if unpack else file.tell(), 'B')}{checked}")
        if not unpack:
            put_in_place(path, target)
        remove_quietly(path, note)
    return target


def _fetch(
    attempt: Callable[[], None], source: _Source, file: BinaryIO, stage: Stage, sleep: Callable[[float], None]
) -> None:
    """Attempt until the part is whole, or ATTEMPTS in a row have brought nothing."""
    have = file.seek(0, os.SEEK_END)
    failures = 0
    while source.size is None or have != source.size:
        reason, pause = "the connection was closed early", 0.0
        try:
            attempt()
        except _Retry as error:
            reason, pause = str(error), error.pause
        before, have = have, file.seek(0, os.SEEK_END)
        if have == source.size:
            return
        failures = 0 if have > before else failures + 1
        if failures >= ATTEMPTS:
            kept = f"; the {quantity(have, 'B')} that came are kept, and the next call goes on from there"
            raise DataError(f"{source.url} cannot be fetched: {reason}{kept if have else ''}")
        pause = max(pause, 0.0 if failures == 0 else min(LONGEST_PAUSE, 2.0**failures))
        stage.update(text=f"{reason}; trying again" + (f" in {pause:.0f} s" if pause else ""))
        sleep(pause)


def _attempt(web: httpx.Client, source: _Source, file: BinaryIO, note: Path, stage: Stage) -> None:
    """Ask for what is missing and append what comes. Raises _Retry where that may help, DataError where not."""
    import httpx

    have = file.seek(0, os.SEEK_END)
    headers = {"Accept-Encoding": "identity", "User-Agent": "hornbook"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": source.etag} if source.etag else {})
    try:
        with web.stream("GET", source.url, headers=headers) as answer:
            _check_status(answer, source.url, file)
            _place(answer, source, file, have)
            atomic_write(note, canonical_json(dataclasses.asdict(source)))
            whole = source.size
            _check_room(note.parent, source.url, 0 if whole is None else whole - file.tell())
            stage.update(file.tell(), total=whole)
            for block in answer.iter_raw():  # as they come: gathered ones would be lost with the connection
                file.write(block)
                stage.update(file.tell(), text=quantity(file.tell(), "B"))
            if whole is None:  # a server that says no length ends the file by ending the connection in good order
                source.size = file.tell()
    except httpx.TransportError as error:
        raise _Retry(broken_off(error)) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DataError(f"{source.url} cannot be fetched: {broken_off(error)}") from None


def _check_status(answer: httpx.Response, url: str, file: BinaryIO) -> None:
    said = f"the server answered {answer.status_code} {answer.reason_phrase}".rstrip()
    if answer.status_code == 416:  # what is here is not the beginning of what is there
        file.truncate(0)
        raise _Retry("the file has changed on the server")
    if answer.status_code in BUSY:
        wish = answer.headers.get("Retry-After", "")
        raise _Retry(said, min(LONGEST_PAUSE, float(wish)) if wish.isdecimal() else 0.0)
    if answer.status_code not in (200, 206):
        raise DataError(f"{url} cannot be fetched: {said}")
    packing = answer.headers.get("Content-Encoding", "identity")
    if packing != "identity" and not url.endswith(".gz"):
        raise DataError(f"{url} comes packed ({packing}), though that was not asked for")


def _place(answer: httpx.Response, source: _Source, file: BinaryIO, have: int) -> None:
    """Set the file to where the bytes of an answer belong, and note what the answer says of the whole file."""
    linked = [response.headers.get("X-Linked-Etag", "").strip('"') for response in (*answer.history, answer)]
    sha256 = next((text for text in linked if re.fullmatch(SHA256, text)), None)
    if answer.status_code == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        size = None if span is None or span[2] == "*" else int(span[2])
        other = any(None not in pair and pair[0] != pair[1] for pair in ((sha256, source.sha256), (size, source.size)))
        if span is None or int(span[1]) != have or other:
            file.truncate(0)
            raise _Retry("the server sent something else than the rest of what is here")
    else:
        file.truncate(0)
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() else None
        source.sha256 = None
    etag = answer.headers.get("ETag", "W/")
    source.etag = None if etag.startswith("W/") else etag
    source.size, source.sha256 = size, source.sha256 or sha256


def _client(url: str, silent_seconds: float) -> httpx.Client:
    import httpx

    try:
        hooks = {"request": [redirect_check(url)]}
    except httpx.InvalidURL as error:
        raise DataError(f"{url} cannot be fetched: {broken_off(error)}") from None
    timeout = httpx.Timeout(silent_seconds, connect=CONNECT_SECONDS)
    return httpx.Client(follow_redirects=True, timeout=timeout, event_hooks=hooks)


def _check(source: _Source, given: str | None, path: Path, stage: Stage) -> tuple[str, str]:
    """Compare the SHA-256; return it and what there is to say about it. Raises DataError, OSError."""
    stage.update(text="checking the SHA-256")
    digest, before = sha256_file(path), recorded(source.url)
    wanted = given or source.sha256 or digest
    if digest != wanted:
        raise DataError(
            f"{source.url} came with the SHA-256 {digest[:16]}…, wanted {wanted[:16]}…; what came was "
            "thrown away: run the command again, and if it repeats, the file there is not the one that it was"
        )
    if before not in (None, digest) and given is None:
        raise DataError(
            f"{source.url} is another file than when it was first fetched (SHA-256 {digest[:16]}…, then "
            f"{before[:16]}…); what came was thrown away: if the change is right, give --sha256 {digest}"
        )
    known = given or source.sha256 or before
    return digest, ", SHA-256 as it should be" if known else ", SHA-256 recorded: later fetches must have the same"


def _unpack(file: BinaryIO, target: Path, stage: Stage, before: Callable[[], None]) -> None:
    """Write what a .gz holds to `target`; `before` is called when it is whole and not yet in place."""
    stage.update(0, "unpacking", file.seek(0, os.SEEK_END))
    file.seek(0)

    def blocks() -> Iterator[bytes]:
        while block := file.read(BLOCK):
            stage.update(file.tell())
            yield block

    with open_atomic(target) as out:
        out.writelines(gunzip(blocks(), target.name + ".gz"))
        before()


@contextlib.contextmanager
def _open_exclusively(path: Path) -> Iterator[BinaryIO]:
    """Open a part for reading and appending, for this process alone."""
    with open(path, "a+b") as file:  # noqa: PTH123
        if try_lock(file.fileno()) is False:
            raise DataError(f"another process is fetching {path.name[1:-5]} into {path.parent}; wait for it")
        yield file


def _read_note(note: Path, url: str) -> _Source:
    """Return what is known of the bytes that are there; nothing, if they are of another address."""
    with contextlib.suppress(OSError, HornbookError):
        source = build(_Source, read_json_object(note))
        if source.url == url and (source.sha256 is None or re.fullmatch(SHA256, source.sha256)):
            return source
    note.unlink(missing_ok=True)
    return _Source(1, url)


def _check_room(folder: Path, url: str, missing: int) -> None:
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise DataError(
            f"{url} needs {quantity(missing, 'B')} more, and the disk of {folder} has {quantity(free, 'B')} free; "
            "make room, or name another folder with --out"
        )
