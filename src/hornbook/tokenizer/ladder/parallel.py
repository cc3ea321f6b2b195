"""Counting the pre-tokens of a file in Python: in one process, and in several.

Each process is a fresh interpreter, not multiprocessing's: that works from any script and notebook, and its memory is
its own. Left out: files that do not fit in memory (each process reads its part at once), and free patterns' own pool.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from hornbook.errors import HornbookError, TokenizerError
from hornbook.processes import start_module
from hornbook.tokenizer import reference


def count_plain(path: Path, special_tokens: Sequence[str], pattern: str) -> Counter[bytes]:
    """Count the pre-tokens of a file with one call of the `regex` library's iterator per piece."""
    return reference.count_pretokens(path.read_bytes(), special_tokens, pattern)


def count_parallel(path: Path, special_tokens: Sequence[str], pattern: str, processes: int = 0) -> Counter[bytes]:
    """Cut the file where special tokens begin, count each part in a process of its own, add up.

    A special token ends every pre-token before it, so no pre-token is cut. Without special tokens there is nowhere to
    cut, and one process does it all.

    Args:
        path: the file.
        special_tokens: where it may be cut.
        pattern: see `hornbook.tokenizer.patterns`.
        processes: how many; 0 for one per processor.
    """
    cuts = _cuts(path, special_tokens, processes or os.cpu_count() or 1)
    workers = [
        start_process(__name__, str(path), str(start), str(stop), pattern, *special_tokens)
        for start, stop in itertools.pairwise(cuts)
    ]
    total: Counter[bytes] = Counter()
    for worker in workers:
        for word, count in result_of(worker).items():
            total[word.encode("latin-1")] += count
    return total


def _cuts(path: Path, special_tokens: Sequence[str], parts: int) -> list[int]:
    # The first special token after each of the evenly spaced places, looked for in windows that overlap by its length.
    size = path.stat().st_size
    marks = [token.encode() for token in special_tokens]
    window, overlap = 1 << 16, max(map(len, marks), default=1) - 1
    cuts = {0, size}
    with path.open("rb") as file:
        for part in range(1, parts):
            position = size * part // parts
            while marks and position < size:
                file.seek(position)
                block = file.read(window + overlap)
                places = [place for place in map(block.find, marks) if place >= 0]
                if places:
                    cuts.add(position + min(places))
                    break
                position += window
    return sorted(cuts)


def _count_part(path: str, start: str, stop: str, pattern: str, *special_tokens: str) -> dict[str, int]:
    with open(path, "rb") as file:  # noqa: PTH123
        file.seek(int(start))
        content = file.read(int(stop) - int(start))
    counts = reference.count_pretokens(content, special_tokens, pattern)
    return {word.decode("latin-1"): count for word, count in counts.items()}


def start_process(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a fresh interpreter that runs `module` with these arguments."""
    return start_module(module, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def result_of(process: subprocess.Popen[bytes]) -> dict:
    """Wait for a process of `start_process` and return its answer. Raises TokenizerError where it failed."""
    answer, complaint = process.communicate()
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines() or ["killed"]
        raise TokenizerError(f"a process of the ladder ended with code {process.returncode}: {lines[-1]}")
    return json.loads(answer)


def answer(work: Callable[..., dict], arguments: Sequence[str]) -> int:
    """Do the work in a process of `start_process` and print the answer; return the exit code."""
    try:
        json.dump(work(*arguments), sys.stdout)
    except (HornbookError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(answer(_count_part, sys.argv[1:]))
