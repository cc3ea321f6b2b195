"""`hornbook tokenizer train`: count the pre-tokens of a text, merge, save, and say how well the result compresses."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbook.cli.common import SpecialTokens, TextKind, TokenizerFormat, open_corpus, result_console, show_bytes
from hornbook.data.special_text import InText
from hornbook.errors import DataError
from hornbook.format import counted, quantity
from hornbook.tokenizer.special import END_OF_TEXT

if TYPE_CHECKING:
    from hornbook.data.text_reader import TextReader
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tracking.console import Console


def train(
    files: tuple[str, ...],
    *,
    vocab_size: int,
    out: Path,
    special_tokens: SpecialTokens = (END_OF_TEXT,),
    pattern: str = "gpt2",
    format: TokenizerFormat = "hornbook",
    field: str = "text",
    kind: TextKind | None = None,
    errors: Literal["strict", "replace"] = "strict",
    special_tokens_in_text: InText = "split",
    threads: int | None = None,
    json: bool = False,
) -> int:
    """Train a byte-level BPE and save it.

    Args:
        files: text, .jsonl, .json, .csv, .parquet, also as .gz, .xz, .bz2, .zst, folders, globs, `-` for stdin.
        vocab_size: entries wanted: special tokens, the 256 bytes, and the merges.
        out: the folder (or file, for tiktoken and huggingface) to write.
        special_tokens: they get the first ids; the first one separates records and files.
        pattern: how text is cut: gpt2, cl100k, o200k, or a regular expression.
        format: what to write: hornbook's own folder, or files of another library.
        field: of records, the field or column with the text; a.b.c for a nested one.
        kind: of sources whose names do not say it, such as standard input.
        errors: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        special_tokens_in_text: what those are that do not separate documents: split, special tokens; text, ordinary
            text; error, refused.
        threads: how many; all cores by default.
        json: print the summary as JSON.

    Examples:
        hornbook tokenizer train books/*.txt --vocab-size 10000 --out tok
    """
    reading = {"in_text": special_tokens_in_text, "field": field, "kind": kind, "errors": errors}
    corpus = open_corpus(files, special_tokens, **reading)
    from hornbook.fileio import atomic_write, canonical_json
    from hornbook.tokenizer import formats
    from hornbook.tokenizer.counts import count_pretokens
    from hornbook.tokenizer.formats.own import TRAINING_FILE
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tokenizer.train import check_vocab_size

    check_vocab_size(vocab_size, special_tokens)
    console = result_console(json)
    source = corpus.files if corpus.is_plain else corpus
    cut_at = [corpus.separator] if special_tokens_in_text == "text" and special_tokens else special_tokens
    start = time.perf_counter()
    with console.stage("counting pre-tokens", corpus.total_bytes) as stage:
        show = show_bytes(stage, corpus)
        counts = count_pretokens(source, cut_at, pattern=pattern, num_threads=threads, errors=errors, progress=show)
        stage.update(text=f"{counts.total():,} of {len(counts):,} kinds")
    if not len(counts):
        raise DataError(f"there is nothing to train on in {' '.join(files)}: it holds no text between special tokens")
    counted = time.perf_counter()
    tokenizer = Tokenizer(*_merge(counts, vocab_size, special_tokens, console), special_tokens, pattern=pattern)
    merged = time.perf_counter()
    formats.write_parts(tokenizer.parts(), out, format)
    seconds = {"count_seconds": round(counted - start, 3), "merge_seconds": round(merged - counted, 3)}
    summary = _summary(tokenizer, corpus, counts) | {"out": str(out), "asked_vocab_size": vocab_size, **seconds}
    if format == "hornbook":
        described = {key: value for key, value in summary.items() if key != "out"}
        atomic_write(out / TRAINING_FILE, canonical_json({"version": 1, "files": list(files), **described}))
    _print_summary(summary, console, json)
    return 0


def _merge(
    counts: Any, vocab_size: int, special_tokens: tuple[str, ...], console: Console
) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """Return vocabulary and merges; a live line meanwhile."""
    from hornbook.tokenizer.train import train_bpe_from_counts

    with console.stage("merging", vocab_size - 256 - len(special_tokens)) as stage:
        vocab, merges = train_bpe_from_counts(
            counts, vocab_size, special_tokens, progress=lambda done, total: stage.update(done, total=total)
        )
        stage.update(text=counted(len(merges), "merge"))
    return vocab, merges


def _summary(tokenizer: Tokenizer, corpus: TextReader, counts: Any) -> dict[str, Any]:
    from hornbook.tokenizer.inspection import compression_of_counts, longest_tokens, readable
    from hornbook.tracking.environment import peak_memory

    result = compression_of_counts(tokenizer, counts)
    return {
        "vocab_size": tokenizer.vocab_size,
        "merges": len(tokenizer.merges),
        "pattern": tokenizer.pattern,
        "special_tokens": tokenizer.special_tokens,
        "fingerprint": tokenizer.fingerprint,
        "corpus_bytes": result.num_bytes,
        "pretokens": counts.total(),
        "distinct_pretokens": len(counts),
        "corpus_tokens": result.num_tokens,
        "bytes_per_token": round(result.bytes_per_token, 4),
        "longest_tokens": [{"id": row.id, "token": readable(row.content)} for row in longest_tokens(tokenizer, 8)],
        "peak_mb": round(peak_memory() / 1e6, 1),
    }


def _print_summary(summary: dict[str, Any], console: Console, json: bool) -> None:
    from hornbook.tokenizer.inspection import shortened
    from hornbook.tokenizer.train import shortfall

    if json:
        from hornbook.fileio import canonical_json

        print(canonical_json(summary), end="")
        return
    if summary["vocab_size"] < summary["asked_vocab_size"]:
        console.print(shortfall(summary["vocab_size"], summary["asked_vocab_size"]))
    longest = "  ".join(shortened(row["token"], 24) for row in summary["longest_tokens"])
    counting, merging = summary["count_seconds"], summary["merge_seconds"]
    console.print(f"{summary['out']}: {summary['vocab_size']:,} entries, {summary['merges']:,} merges")
    console.print(f"  time          {counting + merging:.2f} s: counting {counting:.2f}, merging {merging:.2f}")
    console.print(f"  peak memory   {quantity(summary['peak_mb'] * 1e6, 'B')}")
    console.print(
        f"  compression   {summary['bytes_per_token']:.3f} bytes per token "
        f"({summary['corpus_bytes']:,} bytes, {summary['corpus_tokens']:,} tokens)"
    )
    console.print(f"  longest       {longest}")
