"""Files and streams of any size to token files and arrays, with bounded memory: functions over a `Tokenizer`.

A file goes to the engine whole (the native one reads it in blocks on several threads); a stream is checked, cut into
blocks and encoded block by block. The manifest says of either what it was: path, bytes, SHA-256.

Left out: several files in one token file; a `hornbook.data.text_reader.TextReader` of them is one stream.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbook.errors import DataError
from hornbook.fileio import sha256_file
from hornbook.tokenizer.engines import append_chunks
from hornbook.tokenizer.text import resolve_threads, with_progress
from hornbook.tokenizer.token_file import TokenFile
from hornbook.tokenizer.token_writer import TokenFileWriter
from hornbook.tokenizer.utf8 import Chunk, Errors, as_bytes, check_errors, checked

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer


def encode_file(
    tokenizer: Tokenizer,
    source: str | os.PathLike[str] | Iterable[Chunk],
    out_path: str | os.PathLike[str],
    num_threads: int | None,
    errors: Errors,
    progress: Callable[[int], Any] | None,
) -> TokenFile:
    """Encode a file or a stream into a token file: see `Tokenizer.encode_file`."""
    check_errors(errors)
    threads = resolve_threads(num_threads)
    with TokenFileWriter(out_path, vocab_size=tokenizer.vocab_size) as writer:
        if isinstance(source, str | os.PathLike):
            path = Path(source)
            before = path.stat()
            num_bytes, num_documents = tokenizer.engine.append_file(path, writer, errors, threads, progress)
            entry = {"path": str(path), "bytes": before.st_size, "sha256": sha256_file(path)}
            after = path.stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise DataError(f"{path} changed while it was encoded; encode it again when nothing writes to it")
        else:
            stream = HashedStream(source, progress)
            num_bytes, num_documents = append_chunks(tokenizer.engine, checked(stream, errors), writer, threads)
            entry = stream.entry()
        writer.finish(
            tokenizer_fingerprint=tokenizer.fingerprint,
            sources=[entry],
            num_bytes=num_bytes,
            num_documents=num_documents,
        )
    if progress is not None:
        progress(entry["bytes"])
    return TokenFile.open_written(out_path)


def encode_to_array(
    tokenizer: Tokenizer, path: str | os.PathLike[str], num_threads: int | None, errors: Errors
) -> np.ndarray:
    """Return the ids of a file: see `Tokenizer.encode_to_array`."""
    check_errors(errors)
    return tokenizer.engine.encode_file(Path(path), errors, resolve_threads(num_threads))


class HashedStream:
    """A stream on its way to a token file: iterates over it, reports progress, and says in the end what it was."""

    def __init__(self, chunks: Iterable[Chunk], progress: Callable[[int], Any] | None) -> None:
        self._chunks = chunks
        self._progress = None if progress is None else lambda done, _: progress(done)
        self._digest, self._size = hashlib.sha256(), 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in map(as_bytes, with_progress(self._chunks, self._progress)):
            self._digest.update(chunk)
            self._size += len(chunk)
            yield chunk

    def entry(self) -> dict[str, Any]:
        """Return the manifest's entry: the files behind a `TextReader`, size and SHA-256 of the text as it streamed."""
        files = getattr(self._chunks, "files", None)
        path = ", ".join(files) if files else "a stream"
        return {"path": path, "bytes": self._size, "sha256": self._digest.hexdigest()}
