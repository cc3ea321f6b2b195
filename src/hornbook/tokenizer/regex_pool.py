"""A free pattern on several processors: whole documents handed to processes that run the `regex` library.

What a free pattern means is what `regex.finditer` finds over each document, so a document is never cut. Each process
(`regex_worker.py`) takes blocks of whole documents over a pipe and answers each with ids, or with an empty answer while
it counts; the answers keep the order of the blocks. The processes are fresh interpreters, not forks or
multiprocessing's, so that this works from scripts without a main guard, from notebooks and beside threads.

Left out: a time limit for expressions that backtrack without end (Ctrl-C ends the processes).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import struct
import subprocess
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import IO, Any

import numpy as np

from hornbook.errors import DataError, TokenizerError
from hornbook.processes import start_module
from hornbook.tokenizer.formats.own import write_own
from hornbook.tokenizer.formats.parts import TokenizerParts
from hornbook.tokenizer.patterns import split
from hornbook.tokenizer.special import split_special

SMALL = 2_000_000
"""Bytes under which starting processes costs more than it gains."""


def is_large(blocks: Iterable[bytes]) -> tuple[bool, Iterator[bytes]]:
    """Return whether a text is worth processes, and its blocks; reads no more of them than that takes."""
    blocks = iter(blocks)
    first: list[bytes] = []
    held = 0
    for block in blocks:
        first.append(block)
        held += len(block)
        if held >= SMALL:
            return True, itertools.chain(first, blocks)
    return False, iter(first)


def count_text(text: str, pattern: str, special_tokens: list[str]) -> Counter[bytes]:
    """Count the pre-tokens of one text in this process. Raises TokenizerError as `patterns.split`."""
    words: Counter[str] = Counter()
    for piece, is_special in split_special(text, special_tokens):
        if not is_special:
            words.update(split(piece, pattern))
    return Counter({word.encode(): number for word, number in words.items()})


def count(blocks: Iterable[bytes], pattern: str, special_tokens: list[str], processes: int) -> Iterator[Counter[bytes]]:
    """Yield counts of the pre-tokens of blocks of whole documents, to be added up. Raises as `count_text`."""
    large, blocks = is_large(blocks) if processes > 1 else (False, blocks)
    if not large:
        yield from (count_text(block.decode(), pattern, special_tokens) for block in blocks)
        return
    with _Workers(["count", pattern, *special_tokens], processes) as workers:
        for _ in workers.map(blocks):
            pass
        for words in workers.finish():
            yield Counter({word.encode("latin-1"): number for word, number in json.loads(words).items()})


def encode(
    blocks: Iterable[bytes], parts: TokenizerParts, dtype: np.dtype[Any], processes: int
) -> Iterator[np.ndarray]:
    """Yield the ids of blocks of whole documents, in order. Raises TokenizerError as `patterns.split`."""
    with tempfile.TemporaryDirectory(prefix="hornbook-") as folder:
        write_own(parts, folder)
        with _Workers(["encode", folder], processes) as workers:
            for answer in workers.map(blocks):
                yield np.frombuffer(answer, dtype=dtype)


class _Workers:
    """Processes that answer texts, and a thread for each that writes to it and reads from it."""

    def __init__(self, arguments: list[str], processes: int) -> None:
        self._processes = [
            start_module("hornbook.tokenizer.regex_worker", *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(max(1, processes))
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
        """Let every process know that no text follows, and yield what each answers at the end."""
        for process in self._processes:
            send(process.stdin, b"")
        for process in self._processes:
            yield _answer(process)

    def _ask(self, text: bytes) -> bytes:
        process = self._idle.get()
        try:
            send(process.stdin, text)
            return _answer(process)
        finally:
            self._idle.put(process)


def send(pipe: Any, content: bytes) -> None:
    """Write a message: its length in 8 bytes, then its bytes. A broken pipe is left for the reader to notice."""
    with contextlib.suppress(BrokenPipeError):
        pipe.write(struct.pack("<Q", len(content)))
        pipe.write(content)
        pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Read a message; None where the pipe ended."""
    head = pipe.read(8)
    if len(head) < 8:
        return None
    (length,) = struct.unpack("<Q", head)
    content = pipe.read(length)
    return content if len(content) == length else None


def _answer(process: subprocess.Popen[bytes]) -> bytes:
    content = receive(process.stdout)  # type: ignore[arg-type]
    if content is None:
        raise DataError(f"a process that splits text ended early (code {process.wait()}): out of memory?")
    if content[:1] == b"!":
        raise TokenizerError(content[1:].decode())
    return content[1:]
