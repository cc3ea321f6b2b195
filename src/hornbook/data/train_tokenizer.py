"""The tokenizer that a run trains on its own training text, and beside it what that took. No torch.

Left out: streams and counts that are kept; `hornbook tokenizer train` has both.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hornbook.data.sections import TokenizerSection
from hornbook.fileio import atomic_write, canonical_json
from hornbook.format import counted
from hornbook.tokenizer.utf8 import Errors
from hornbook.tracking.console import Console
from hornbook.tracking.environment import peak_memory

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer


def train_tokenizer(
    folder: Path,
    paths: Sequence[Path],
    section: TokenizerSection,
    errors: Errors,
    stands_for: tuple[str, str] | None,
    console: Console,
) -> Tokenizer:
    """Train on `paths` and save into `folder`; `stands_for` is (mark, separator), where marks stand between documents.

    Raises:
        TokenizerError: the vocabulary is too small.
        DataError: a file is not text in UTF-8.
        OSError: a file cannot be read or written.
    """
    from hornbook.tokenizer.counts import count_pretokens
    from hornbook.tokenizer.formats.own import TRAINING_FILE
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tokenizer.train import check_vocab_size, shortfall, train_counts

    specials = list(section.special_tokens)
    check_vocab_size(section.vocab_size, specials)
    with console.stage(f"training a tokenizer of {section.vocab_size:,} entries") as stage:

        def show(done: int, total: int) -> None:
            stage.update(done, total=total)

        cut_at = [stands_for[0]] if stands_for else specials
        names = [str(path) for path in paths]
        start = time.perf_counter()
        counts = count_pretokens(names, cut_at, pattern=section.pattern, errors=errors, progress=show)
        middle = time.perf_counter()
        vocab, merges = train_counts(counts, section.vocab_size, specials, show, consume=True)
        end = time.perf_counter()
        stage.update(stage.total, counted(len(merges), "merge"))
    if len(vocab) < section.vocab_size:
        console.print(shortfall(len(vocab), section.vocab_size))
    tokenizer = Tokenizer(vocab, merges, specials, pattern=section.pattern)
    tokenizer.save(folder)
    took = {
        "fingerprint": tokenizer.fingerprint,
        "count_seconds": round(middle - start, 3),
        "merge_seconds": round(end - middle, 3),
        "peak_mb": round(peak_memory() / 1e6, 1),
    }
    atomic_write(folder / TRAINING_FILE, canonical_json({"version": 1, **took}))
    return tokenizer
