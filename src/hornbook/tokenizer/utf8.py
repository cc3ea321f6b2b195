"""UTF-8 checked in one place: text that comes as bytes in chunks, and str that UTF-8 cannot hold.

Each complaint names the source and the byte (encodings.py has the sentence). Left out: other encodings.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Literal

from hornbook.encodings import NEAR, malformed
from hornbook.errors import DataError, TokenizerError

Errors = Literal["strict", "replace"]
Chunk = str | bytes
_REPLACE = 'errors="replace", on the command line --errors replace, in a recipe data.errors, reads such bytes as U+FFFD'


def check_errors(errors: str) -> None:
    """Raise TokenizerError unless `errors` is one of the two ways to treat malformed UTF-8."""
    if errors not in ("strict", "replace"):
        raise TokenizerError(f'errors is "strict" or "replace", not {errors!r}')


def malformed_in_file(path: str, byte: int) -> str:
    """Return the sentence about a file with a malformed byte that the native core has found."""
    start = max(0, byte - NEAR)
    with open(path, "rb") as file:  # noqa: PTH123
        file.seek(start)
        return malformed(path, file.read(2 * NEAR), byte - start, start, _REPLACE)


def encoded(text: str) -> bytes:
    """Return the UTF-8 of a str. Raises TokenizerError for a lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise lone_surrogate(error) from None


def as_bytes(chunk: Chunk) -> bytes:
    """Return a chunk of a stream as bytes. Raises DataError for another type, TokenizerError as `encoded`."""
    if not isinstance(chunk, str | bytes):
        raise DataError(f"a stream of text has chunks of str or bytes; one is {type(chunk).__name__}")
    return encoded(chunk) if isinstance(chunk, str) else chunk


def lone_surrogate(error: UnicodeEncodeError) -> TokenizerError:
    """Return the error for a str that Python refuses to encode."""
    return TokenizerError(
        f"the text has a lone surrogate (U+{ord(error.object[error.start]):04X}) at character {error.start}, which "
        "UTF-8 cannot hold; text read with errors='replace' has none"
    )


def decoded(chunks: Iterable[Chunk], errors: Errors, source: object = "the stream") -> Iterator[str]:
    """Yield the chunks as str, whatever characters they cut.

    Raises:
        DataError: malformed bytes with errors="strict"; names `source` and the byte, counted over all chunks.
    """
    return (text for text, _ in _read(chunks, errors, source))


def checked(chunks: Iterable[Chunk], errors: Errors, source: object = "the stream") -> Iterator[bytes]:
    """Yield the chunks as well-formed UTF-8; a character may lie across two of them. Raises as `decoded`."""
    return (text.encode() if errors == "replace" else content for text, content in _read(chunks, errors, source))


def _read(chunks: Iterable[Chunk], errors: Errors, source: object) -> Iterator[tuple[str, bytes]]:
    decoder, done = codecs.getincrementaldecoder("utf-8")(errors), 0

    def decode(content: bytes, final: bool = False) -> str:
        waiting = len(decoder.getstate()[0])
        try:
            return decoder.decode(content, final)
        except UnicodeDecodeError as error:
            raise DataError(malformed(source, error.object, error.start, done - waiting, _REPLACE)) from None

    for chunk in chunks:
        content = as_bytes(chunk)
        yield decode(content), content
        done += len(content)
    yield decode(b"", final=True), b""
