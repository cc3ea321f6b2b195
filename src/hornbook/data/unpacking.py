"""Streams of bytes unpacked while they are read: gzip, xz, bzip2, zstd, and lines; no more in memory than a chunk or a
line, whatever a small file unpacks to.
"""

from __future__ import annotations

import bz2
import itertools
import lzma
import zlib
from collections.abc import Callable, Iterator

from hornbook.errors import DataError

CHUNK_BYTES = 1 << 20
LONGEST_LINE = 1 << 30
"""Of .jsonl and .csv; reading one takes several times its size."""
_XZ_MEMORY = 1 << 29  # xz -9 needs 65 MB to unpack; a file may ask for 4 GB


def unpack(blocks: Iterator[bytes], packing: str | None, file: str) -> Iterator[bytes]:
    """Unpack "gzip", "xz", "bzip2" or "zstd"; None passes the blocks on. Raises DataError as the functions below."""
    if packing is None:
        return blocks
    return {"gzip": gunzip, "xz": unxz, "bzip2": unbz2, "zstd": unzstd}[packing](blocks, file)


def peek(blocks: Iterator[bytes], least: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `least` bytes or more of a stream (fewer where it ends), and the stream with them."""
    head: list[bytes] = []
    while sum(map(len, head)) < least and (block := next(blocks, None)) is not None:
        head.append(block)
    first = b"".join(head)
    return first, itertools.chain([first], blocks)


def split_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream without their line feeds. Raises DataError for one beyond LONGEST_LINE."""
    rest: list[bytes] = []
    held = 0
    for chunk in chunks:
        first, *lines = chunk.split(b"\n")
        rest.append(first)
        held += len(first)
        if held > LONGEST_LINE:
            raise DataError(
                f"a line is longer than {LONGEST_LINE:,} bytes; a record or row of that size is no document: divide it"
            )
        if lines:
            yield b"".join(rest)
            rest = [lines.pop()]
            held = len(rest[0])
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
    except zlib.error:
        raise DataError(f"{file} is damaged, or not gzip") from None
    if begun and not unpacker.eof:
        raise DataError(f"{file} is cut short: its gzip stream does not end")


def unxz(blocks: Iterator[bytes], file: str) -> Iterator[bytes]:
    """Unpack an xz (or old .lzma) file of one or more streams. Raises DataError where it is damaged or cut short."""
    return _unpacked(blocks, file, "xz", lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY))


def unbz2(blocks: Iterator[bytes], file: str) -> Iterator[bytes]:
    """Unpack a bzip2 file of one or more streams. Raises DataError where it is damaged or cut short."""
    return _unpacked(blocks, file, "bzip2", bz2.BZ2Decompressor)


def _unpacked(
    blocks: Iterator[bytes], file: str, what: str, make: Callable[[], lzma.LZMADecompressor | bz2.BZ2Decompressor]
) -> Iterator[bytes]:
    unpacker = None
    try:
        for block in blocks:
            rest = block if unpacker else block.lstrip(b"\0")  # xz pads between streams
            while rest or (unpacker and not unpacker.needs_input):
                unpacker = unpacker or make()
                yield unpacker.decompress(rest, CHUNK_BYTES)
                rest = b""
                if unpacker.eof:
                    rest, unpacker = unpacker.unused_data.lstrip(b"\0"), None
    except (lzma.LZMAError, OSError) as error:
        if "limit" in str(error):
            raise DataError(f"{file} needs more than {_XZ_MEMORY >> 20} MB to be unpacked: unpack it first") from None
        raise DataError(f"{file} is damaged, or not {what}") from None
    if unpacker is not None:
        raise DataError(f"{file} is cut short: its {what} stream does not end")


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
    except zstandard.ZstdError:
        raise DataError(f"{file} is damaged, or not zstd") from None
    if unpacker is not None:
        raise DataError(f"{file} is cut short: its zstd frame does not end")
