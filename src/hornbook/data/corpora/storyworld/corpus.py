"""Corpora of stories: whole texts, streams, probabilities and the entropy floor.

A corpus is stories 0, 1, 2 … of a seed, each followed by a line `<|endoftext|>`. The native machine
(cpp/src/storyworld.cpp) tells them; `machine.py` is the plain implementation of it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib import resources
from math import log

from hornbook.data.corpora.registry import CorpusSpec
from hornbook.data.corpora.storyworld._machine import StoryMachine
from hornbook.data.corpora.storyworld.grammar import Grammar, compile_grammar
from hornbook.data.corpora.storyworld.lexicon import LEVELS
from hornbook.data.corpora.storyworld.native import native_machine
from hornbook.data.corpora.storyworld.parser import Decision, recover, total_log_probability
from hornbook.errors import DataError
from hornbook.fileio import open_atomic
from hornbook.tokenizer.special import END_OF_TEXT

VERSION = 6
"""Of the grammar: the same seed, level and version give the same bytes."""
_WORLD = ("words.story", "beats.story", "plots.story")
_SOURCES = {"easy": ("easy.story",), "normal": _WORLD, "rich": _WORLD}
_RECURSIVE = ("trouble",)  # of version 6, level easy: a line of `animal` stands below it; in one of nine it begins anew
_BATCH = 1024


@lru_cache(maxsize=len(LEVELS))
def grammar(level: str) -> Grammar:
    """Return the compiled grammar of a level; raises DataError for a level that there is not."""
    if level not in LEVELS:
        raise DataError(f"storyworld has no level {level!r}; it has {', '.join(LEVELS)}")
    folder = resources.files("hornbook.data.corpora.storyworld")
    text = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SOURCES[level])
    return compile_grammar(text, level, _RECURSIVE)


@lru_cache(maxsize=len(LEVELS))
def _machine(level: str) -> StoryMachine:
    return native_machine(grammar(level))


def story(index: int, seed: int, level: str = "normal") -> str:
    """Return one story of a corpus, without separator.

    Args:
        index: its number, from 0.
        seed: the corpus' seed, 0 … 2⁶⁴ − 1.
        level: "easy", "normal" or "rich".
    """
    return _machine(level).tell(_checked(seed), index, 1, b"").decode()


def stories(seed: int, level: str = "normal", *, start: int = 0) -> Iterator[str]:
    """Yield the stories of a corpus without end, from number `start`; arguments as `story`."""
    index = start
    while True:
        yield story(index, seed, level)
        index += 1


def chunks(seed: int, level: str = "normal", *, num_threads: int | None = None) -> Iterator[bytes]:
    """Yield the corpus without end in pieces of whole stories with their separators, told in parallel, in order.

    Args:
        seed: the corpus' seed.
        level: "easy", "normal" or "rich".
        num_threads: native threads; None uses every core.
    """
    machine, ending = _machine(level), f"\n{END_OF_TEXT}\n".encode()
    _checked(seed)
    threads = num_threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        pending = deque(pool.submit(machine.tell, seed, i * _BATCH, _BATCH, ending) for i in range(threads + 1))
        following = threads + 1
        while True:
            done = pending.popleft().result()
            pending.append(pool.submit(machine.tell, seed, following * _BATCH, _BATCH, ending))
            following += 1
            yield done


def corpus_bytes(num_bytes: int, seed: int, level: str = "normal") -> Iterator[bytes]:
    """Yield, in pieces, what `generate` returns whole, for corpora beyond memory; arguments and errors as there."""
    if num_bytes < 1:
        raise DataError(f"storyworld was asked for {num_bytes} bytes; ask for at least 1")
    ending = f"{END_OF_TEXT}\n".encode()
    size = 0
    for piece in chunks(seed, level, num_threads=1 if num_bytes < 1 << 20 else None):
        if size + len(piece) >= num_bytes:
            yield piece[: piece.find(ending, max(0, num_bytes - size - len(ending))) + len(ending)]
            return
        yield piece
        size += len(piece)


def write_corpus(
    path: str | os.PathLike[str],
    num_bytes: int,
    seed: int,
    level: str = "normal",
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Write what `generate` returns to a file, atomically and in little memory; return its size.

    Args:
        path: the file.
        num_bytes: as `generate`; seed and level too, and the errors.
        seed: see there.
        level: see there.
        progress: is called with the bytes written so far.

    Raises:
        OSError: the file cannot be written.
    """
    written = 0
    with open_atomic(path) as file:
        for piece in corpus_bytes(num_bytes, seed, level):
            written += file.write(piece)
            progress(written)
    return written


def generate(num_bytes: int, seed: int, level: str = "normal") -> str:
    """Return whole stories, each followed by a line `<|endoftext|>`: as few as reach `num_bytes` bytes of UTF-8.

    Args:
        num_bytes: the least size, at least 1.
        seed: the same seed, level and `VERSION` give the same bytes everywhere.
        level: "easy", "normal" or "rich".

    Raises:
        DataError: a size below 1, a seed outside 0 … 2⁶⁴ − 1, an unknown level.
    """
    return b"".join(corpus_bytes(num_bytes, seed, level)).decode()


def parse(text: str, level: str = "normal") -> list[Decision]:
    """Return the choices behind one story, in the order of the text.

    Args:
        text: one story, without separator.
        level: the level that it was told at.

    Raises:
        StoryError: it is not a story; `.position` and `.kind` say where and why.
    """
    return recover(grammar(level), text)


def log_probability(text: str, level: str = "normal") -> float:
    """Return the exact probability of one story as a natural logarithm; arguments and errors as `parse`."""
    return total_log_probability(parse(text, level))


def split_stories(text: str) -> list[str]:
    """Return the stories of a corpus text, without separators and the newlines around them."""
    return [s for s in (part.strip("\n") for part in text.split(END_OF_TEXT)) if s]


def entropy_floor(text: str, level: str = "normal") -> float:
    """Return the floor of a corpus text in bits per byte: −Σ log2 p of its stories / bytes of its ordinary text.

    The bytes include the newlines around separators and exclude the separators themselves, as `val_bits_per_byte`
    counts them.

    Raises:
        DataError: no story in the text. StoryError: a part that is no story of the level.
    """
    found = split_stories(text)
    if not found:
        raise DataError("no story in the text: the entropy floor needs at least one")
    ordinary = len(text.replace(END_OF_TEXT, "").encode())
    return -sum(log_probability(one, level) for one in found) / log(2) / ordinary


def floor_nats_per_token(text: str, num_tokens: int, level: str = "normal") -> float:
    """Return the floor of a corpus text in nats per token, for a tokenizer that makes `num_tokens` tokens of it."""
    if num_tokens < 1:
        raise DataError(f"{num_tokens} tokens came; a text has at least 1")
    return -sum(log_probability(one, level) for one in split_stories(text)) / num_tokens


def _checked(seed: int) -> int:
    if not 0 <= seed < 1 << 64:
        raise DataError(f"seed {seed} came; storyworld takes 0 … 2^64 − 1")
    return seed


CORPUS = CorpusSpec(
    about=f"seeded stories of known entropy; levels {', '.join(LEVELS)}; any size, no network",
    version=VERSION,
    keys=("corpus_level", "corpus_seed", "corpus_bytes"),
    write=lambda path, data, progress: write_corpus(
        path, data.corpus_bytes, data.corpus_seed, data.corpus_level, progress
    ),
    floor=lambda text, data: entropy_floor(text, data.corpus_level),
    evaluator="hornbook.evaluation.storyworld",
)
