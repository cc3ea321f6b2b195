"""Streams of bytes unpacked while they are read: gzip, zstd, and lines; never more in memory than a chunk or a line."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from hornbook.errors import DataError

CHUNK_BYTES = 1 << 20


def split_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream without their line feeds."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *lines = chunk.split(b"\n")
        rest.append(first)
        if lines:
            yield b"".join(rest)
            rest = [lines.pop()]
            yield from lines
    yield b"".join(rest)


def gunzip(blocks: Iterator[bytes], file: str) -> Iterator[bytes]:
    """Unpack a gzip stream of one or more members. Raises DataError where it is damaged or cut short."""
    unpacker = zlib.decompressobj(wbits=31)
    begun = False
    try:
        for block in blocks:
            while block:
                if unpacker.eof:  # several members one after the other are one file
                    if not block.strip(b"\0"):
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                begun = True
                yield unpacker.decompress(block, CHUNK_BYTES)  # bounded: a small file may unpack to anything
                block = unpacker.unconsumed_tail or unpacker.unused_data
    except zlib.error as error:
        raise DataError(f"{file} is damaged, or not gzip: {error}") from None
    if begun and not unpacker.eof:
        raise DataError(f"{file} is cut short: its gzip stream does not end")


def unzstd(blocks: Iterator[bytes], file: str) -> Iterator[bytes]:
    """Unpack a zstd stream of one or more frames. Raises DataError where it is damaged or cut short."""
    try:
        import zstandard
    except ImportError:
        raise DataError(f"{file} is zstd, which needs zstandard: pip install 'hornbook[data]'") from None
    unpacker = None
    try:
        for block in blocks:
            # Small bites: 2 KB unpack to 64 MB at worst, and this interface has no bound of its own.
            for start in range(0, len(block), 2048):
                bite = block[start : start + 2048]
                while bite:
                    if unpacker is None:
                        unpacker = zstandard.ZstdDecompressor().decompressobj()
                    yield unpacker.decompress(bite)
                    bite = unpacker.unused_data if unpacker.eof else b""
                    unpacker = None if unpacker.eof else unpacker
    except zstandard.ZstdError as error:
        raise DataError(f"{file} is damaged, or not zstd: {error}") from None
    if unpacker is not None:
        raise DataError(f"{file} is cut short: its zstd frame does not end")
