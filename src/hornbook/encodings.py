"""Files that are held in memory whole: how large they may be, and what is said of text that is not UTF-8.

A file that anybody may have made (a manifest, recipe, tokenizer, log of records) is refused by its size before any of
it is read, and read no further than that: JSON takes up to 25 times its size in memory, so the limit is one on memory.

UTF-16 and UTF-32 are known by their mark or by their zero bytes, Windows-1252 (Latin-1's letters are a part of it) by
bytes above 127 that are few, make no UTF-8 anywhere near, and are characters in it. Left out: encodings of other
scripts, which only statistics of a language tell apart.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from hornbook.errors import HornbookError

BOM = b"\xef\xbb\xbf"
MOST_BYTES = 1 << 26
"""Of a file that is read whole, where its reader says nothing else."""
_CONVERT = "convert it: iconv -f {0} -t utf-8"
WIDE: tuple[tuple[bytes, str, str], ...] = (
    (rb"\xff\xfe\0\0|\0\0\xfe\xff", "UTF-32 text", _CONVERT.format("utf-32")),
    (rb"\xff\xfe|\xfe\xff", "UTF-16 text", _CONVERT.format("utf-16")),
    (rb"([^\0]\0\0\0){3}", "UTF-32 text without a mark", _CONVERT.format("utf-32le")),
    (rb"(\0\0\0[^\0]){3}", "UTF-32 text without a mark", _CONVERT.format("utf-32be")),
    (rb"([^\0]\0){6}", "UTF-16 text without a mark", _CONVERT.format("utf-16le")),
    (rb"(\0[^\0]){6}", "UTF-16 text without a mark", _CONVERT.format("utf-16be")),
)
"""What begins like this (at a multiple of four bytes), its name, and the way out."""
NEAR = 2048
"""Bytes on either side of a malformed one that the guess looks at."""


def read_whole(path: str | os.PathLike[str], error: type[HornbookError], most: int = MOST_BYTES) -> bytes:
    """Return the content of a file. Raises `error` where it has more than `most` bytes, OSError where it has none."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        status = os.fstat(file.fileno())
        if status.st_size > most:
            raise _too_large(path, status.st_size, most, error)
        blocks = [file.readall()] if stat.S_ISREG(status.st_mode) else iter(lambda: file.read(1 << 16), b"")
        return joined(blocks, path, error, most)


def joined(blocks: Iterable[bytes], source: object, error: type[HornbookError], most: int = MOST_BYTES) -> bytes:
    """Return a stream as one. Raises `error` as soon as it has more than `most` bytes."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size > most:
            raise _too_large(source, size, most, error)
    return b"".join(held)


def _too_large(source: object, size: int, most: int, error: type[HornbookError]) -> HornbookError:
    return error(
        f"{source} has {size:,} bytes or more; of what is held in memory whole at most {most:,} are read: it is "
        "damaged, or something else"
    )


def read_lines(path: str | os.PathLike[str], error: type[HornbookError], most: int, longest: int) -> Iterator[bytes]:
    """Yield the lines of a file, each with its line feed.

    Raises:
        HornbookError: as `error`: more than `most` bytes in all, or more than `longest` in a line.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        held = os.fstat(file.fileno()).st_size
        number = read = 0
        while held <= most and (line := file.readline(longest + 1)):
            number, read = number + 1, read + len(line)
            held = max(held, read)
            if len(line) > longest:
                raise _too_large(f"line {number} of {path}", len(line), longest, error)
            yield line
    if held > most:
        raise _too_large(path, held, most, error)


def read_text(path: str | os.PathLike[str], error: type[HornbookError], most: int = MOST_BYTES) -> str:
    """Return the text of a file, without its byte-order mark. Raises `error` also where it is not UTF-8."""
    return text_of(read_whole(path, error, most), Path(path), error)


def malformed(source: object, content: bytes, at: int, before: int = 0, way_out: str = "") -> str:
    """Return the sentence about a source that is not UTF-8.

    Args:
        source: what it is called.
        content: bytes of it, with the first malformed one at `at`.
        at: index into `content`.
        before: how many bytes of the source come before `content`.
        way_out: another one than to convert it, for text of which most is well-formed.
    """
    start = max(0, at - NEAR)
    start += -(before + start) % 4
    ways = _ways_out(content[start : at + NEAR], way_out)
    return f"{source} is not UTF-8: malformed at byte {before + at}" + (f" ({ways})" if ways else "")


def text_of(content: bytes, source: object, error: type[HornbookError]) -> str:
    """Return the text of a small file, without its byte-order mark. Raises `error` where it is not UTF-8."""
    body = content.removeprefix(BOM)
    try:
        return body.decode()
    except UnicodeDecodeError as wrong:
        raise error(malformed(source, body, wrong.start, len(content) - len(body))) from None


def _ways_out(near: bytes, way_out: str) -> str:
    for pattern, what, convert in WIDE:
        if re.match(pattern, near, re.DOTALL):
            return f"it looks like {what}, {convert}"
    if _is_western(near):
        convert = f"it looks like Windows-1252 or Latin-1 text, {_CONVERT.format('windows-1252')}"
        return f"{convert}; {way_out}" if way_out else convert
    return way_out


def _is_western(near: bytes) -> bool:
    try:
        text = near.decode("cp1252")
    except UnicodeDecodeError:  # five bytes are no characters there
        return False
    plain = all(character.isprintable() or character in "\t\n\r\f\xa0\xad" for character in text)
    is_utf8 = not near.decode(errors="ignore").isascii()
    return plain and not is_utf8 and 4 * sum(byte > 127 for byte in near) <= len(near)
