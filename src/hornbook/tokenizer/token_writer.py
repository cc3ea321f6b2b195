"""Writes a token file: ids chunk by chunk, then its manifest, each in its place when both are on disk.

The manifest waits beside its place, as `.NAME.json.tmp`, while the ids get theirs; with the SHA-256 in it whoever reads
or writes next can finish what a kill left (token_header.py:finish). Left out: reading (token_file.py).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hornbook.errors import DataError
from hornbook.fileio import (
    NotConfirmedError,
    canonical_json,
    fsync_directory,
    make_folder,
    open_atomic,
    open_temporary,
    put_in_place,
)
from hornbook.tokenizer.token_header import DTYPES, HEADER_BYTES, VERSION, digest_of, finish, header, token_dtype


class _UnfinishedError(Exception):
    """The block was left without `finish`."""


class TokenFileWriter:
    """Writes a token file chunk by chunk, with bounded memory; nothing shows under its name until `finish`.

    Use it as a context manager: leaving the block without `finish`, or by an exception, leaves no trace.
    """

    def __init__(self, path: str | os.PathLike[str], *, vocab_size: int) -> None:
        self.path = Path(path)
        if self.path.suffix != ".npy":
            raise DataError(f"a token file's name ends in .npy, not {self.path.name!r}")
        self.vocab_size = vocab_size
        self.dtype = token_dtype(vocab_size)
        self.num_tokens = 0
        self._manifest: dict[str, Any] | None = None
        self._writing = self._write()

    def __enter__(self) -> TokenFileWriter:
        return self._writing.__enter__()

    def __exit__(self, *error: Any) -> None:
        with contextlib.suppress(_UnfinishedError):
            self._writing.__exit__(*error)

    @contextlib.contextmanager
    def _write(self) -> Iterator[TokenFileWriter]:
        manifest = self.path.with_suffix(".json")
        make_folder(self.path.parent)
        finish(self.path)
        pending_path, pending = open_temporary(manifest)
        unconfirmed = None
        try:
            if pending_path.name != f".{manifest.name}.tmp":
                raise DataError(f"another process is writing {self.path}; wait for it, or give another name")
            try:
                with open_atomic(self.path) as self.file:
                    self.file.write(bytes(HEADER_BYTES))
                    self.file.flush()
                    yield self
                    if self._manifest is None:
                        raise _UnfinishedError
                    self._complete(self._manifest, pending)
            except NotConfirmedError as error:
                if error.filename != str(self.path):
                    raise
                unconfirmed = error
            # The pending manifest describes what stands from here on: whoever reads or writes next finds it.
            try:
                with contextlib.suppress(FileNotFoundError):  # a reader was faster
                    put_in_place(pending_path, manifest)
            except OSError as error:
                unconfirmed = unconfirmed or error
        except BaseException:
            with contextlib.suppress(OSError):
                pending_path.unlink(missing_ok=True)
            raise
        finally:
            with contextlib.suppress(OSError):
                pending.close()
        if unconfirmed is not None:
            said = f"the new content is in place, but the disk did not confirm it ({unconfirmed.strerror})"
            raise NotConfirmedError(unconfirmed.errno, said, str(self.path)) from unconfirmed

    def append(self, ids: np.ndarray) -> None:
        """Add ids of any integer type. Raises DataError for one outside the vocabulary."""
        if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
            raise DataError(f"token ids are a one-dimensional array of integers, not {ids.dtype} of shape {ids.shape}")
        if ids.size:
            low, high = int(ids.min()), int(ids.max())
            if low < 0 or high >= self.vocab_size:
                raise DataError(
                    f"the token id {low if low < 0 else high} is not in a vocabulary of {self.vocab_size:,} entries"
                )
        self.file.write(np.ascontiguousarray(ids, dtype=self.dtype).tobytes())
        self.num_tokens += ids.size

    def appended(self, num_tokens: int) -> None:
        """Count ids that were written to the descriptor of `file` from outside, in `dtype`."""
        self.num_tokens += num_tokens

    def finish(
        self,
        *,
        tokenizer_fingerprint: str,
        sources: Sequence[Mapping[str, Any]],
        num_bytes: int,
        num_documents: int,
    ) -> None:
        """State what the ids are; the file appears when the block ends."""
        self._manifest = {
            "version": VERSION,
            "dtype": DTYPES[self.dtype.str],
            "num_tokens": self.num_tokens,
            "vocab_size": self.vocab_size,
            "tokenizer_fingerprint": tokenizer_fingerprint,
            "num_bytes": num_bytes,
            "num_documents": num_documents,
            "sources": [dict(source) for source in sources],
        }

    def _complete(self, manifest: dict[str, Any], pending: BinaryIO) -> None:
        """Write header and manifest; the ids are read back for their SHA-256, as native code wrote them."""
        self.file.seek(0)
        self.file.write(header(self.dtype, self.num_tokens))
        self.file.flush()
        with open(self.file.name, "rb") as written:  # noqa: PTH123
            manifest["sha256"] = digest_of(written)
        pending.write(canonical_json(manifest).encode())
        pending.flush()
        os.fsync(pending.fileno())
        fsync_directory(self.path.parent)
