"""A free pattern on several processors: documents handed to processes that run the `regex` library.

What a free pattern means is what `regex.finditer` finds over each document, so a document is never cut; text is cut at
special tokens alone. Each process takes batches of whole documents over a pipe (8 bytes of length, then UTF-8) and
answers each with ids, or with an empty answer while it counts; the answers keep the order of the batches. The processes
are fresh interpreters, not forks or multiprocessing's, so that this works from scripts without a main guard, from
notebooks and beside threads.

Left out: a time limit for expressions that backtrack without end (Ctrl-C ends the processes).
"""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from hornbook.errors import DataError, HornbookError, TokenizerError
from hornbook.tokenizer.formats import own
from hornbook.tokenizer.patterns import split
from hornbook.tokenizer.special import split_special

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer

__all__ = ["SMALL", "batches", "count", "encode"]

SMALL = 2_000_000
"""Bytes under which starting processes costs more than it gains."""
_BATCH = 500_000  # bytes


def batches(pieces: Iterable[tuple[bytes, bool]]) -> Iterator[bytes]:
    """Join pieces (text, is it special) to batches of half a megabyte or more, each of whole documents."""
    batch: list[bytes] = []
    held = 0
    for text, _ in pieces:
        batch.append(text)
        held += len(text)
        if held >= _BATCH:
            yield b"".join(batch)
            batch, held = [], 0
    if batch:
        yield b"".join(batch)


def count(texts: Iterable[bytes], pattern: str, special_tokens: list[str], processes: int) -> Counter[bytes]:
    """Count the pre-tokens of texts that consist of whole documents. Raises TokenizerError as `patterns.split`."""
    total: Counter[bytes] = Counter()
    with _Workers(["count", pattern, *special_tokens], processes) as workers:
        for _ in workers.map(texts):
            pass
        for words in workers.finish():
            for word, number in json.loads(words).items():
                total[word.encode("latin-1")] += number
    return total


def encode(texts: Iterable[bytes], tokenizer: Tokenizer, processes: int) -> Iterator[np.ndarray]:
    """Yield the ids of texts that consist of whole documents, in order. Raises TokenizerError as `patterns.split`."""
    with tempfile.TemporaryDirectory(prefix="hornbook-") as folder:
        own.write_own(tokenizer.parts(), folder)
        with _Workers(["encode", folder], processes) as workers:
            for answer in workers.map(texts):
                yield np.frombuffer(answer, dtype=tokenizer.dtype)


class _Workers:
    """Processes that answer texts, and a thread for each that talks to it."""

    def __init__(self, arguments: list[str], processes: int) -> None:
        command = [sys.executable, "-m", "hornbook.tokenizer.free_pattern", *arguments]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(max(1, processes))
        ]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(len(self._processes), thread_name_prefix="hornbook-pattern")

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]

    def map(self, texts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the answers in order; a few texts per process are under way at any time."""
        under_way: deque[Future[bytes]] = deque()
        for text in texts:
            under_way.append(self._threads.submit(self._ask, text))
            if len(under_way) > 2 * len(self._processes):
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def finish(self) -> Iterator[bytes]:
        """Tell every process that no text follows, and yield what each has to say at the end."""
        for process in self._processes:
            _send(process.stdin, b"")
        for process in self._processes:
            yield _answer(process)

    def _ask(self, text: bytes) -> bytes:
        process = self._idle.get()
        try:
            _send(process.stdin, text)
            return _answer(process)
        finally:
            self._idle.put(process)


def _send(pipe: Any, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # the answer, or its absence, will tell
        pipe.write(struct.pack("<Q", len(content)))
        pipe.write(content)
        pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    head = pipe.read(8)
    if len(head) < 8:
        return None
    (length,) = struct.unpack("<Q", head)
    content = pipe.read(length)
    return content if len(content) == length else None


def _answer(process: subprocess.Popen[bytes]) -> bytes:
    content = _receive(process.stdout)  # type: ignore[arg-type]
    if content is None:
        raise DataError(f"a process that splits text ended early (code {process.wait()}): out of memory?")
    if content[:1] == b"!":
        raise TokenizerError(content[1:].decode())
    return content[1:]


def _serve(arguments: list[str]) -> int:
    # In the process: answers begin with "." or, for a complaint, with "!".
    mode, *rest = arguments
    counts: Counter[bytes] = Counter()
    tokenizer = None
    if mode == "encode":
        from hornbook.tokenizer.tokenizer import Tokenizer

        tokenizer = Tokenizer.load(Path(rest[0]))
    while text := _receive(sys.stdin.buffer):
        try:
            if tokenizer is not None:
                answer = tokenizer.encode_array(text).tobytes()
            else:
                pattern, *special_tokens = rest
                for piece, is_special in split_special(text.decode(), special_tokens):
                    if not is_special:
                        counts.update(pretoken.encode() for pretoken in split(piece, pattern))
                answer = b""
            _send(sys.stdout.buffer, b"." + answer)
        except HornbookError as error:
            _send(sys.stdout.buffer, b"!" + str(error).encode())
    if mode == "count":
        words = {word.decode("latin-1"): number for word, number in counts.items()}
        _send(sys.stdout.buffer, b"." + json.dumps(words).encode())
    return 0


if __name__ == "__main__":
    sys.exit(_serve(sys.argv[1:]))
