"""`hornbook tokenizer train | encode | decode | convert | inspect | compare | ladder`: train tokenizers and use them.

The tools that look (inspect, compare, ladder) are in `tokenizer_tools.py`. Text comes from files of every kind that
`hornbook.data.text_reader` reads: text, jsonl and parquet files, packed or not, folders, globs, and `-` for standard
input.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from hornbook.cli.arguments import parse
from hornbook.errors import ConfigError, DataError, TokenizerError, did_you_mean

if TYPE_CHECKING:
    from hornbook.data.text_reader import Corpus
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tracking.console import Console

__all__ = ["main"]

Kind = Literal["text", "jsonl", "parquet"]
Format = Literal["hornbook", "gpt2", "tiktoken", "huggingface"]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="TOKEN …")]


def main(argv: list[str]) -> int:
    """Run the verb. Returns the exit code."""
    from hornbook.cli import tokenizer_tools as tools

    verbs: dict[str, tuple[Callable[..., Any], str]] = {
        "train": (train, "train a byte-level BPE on your text"),
        "encode": (encode, "text to token ids: to a token file, or to the terminal"),
        "decode": (decode, "token ids to text"),
        "convert": (convert, "read a tokenizer of any format and write another"),
        "inspect": (tools.inspect, "longest tokens, the merge tree of a word, how a text splits"),
        "compare": (tools.compare, "tokenizers × corpora: bytes per token, throughput"),
        "ladder": (tools.ladder, "five trainers, naive to native, timed on one corpus"),
    }
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: hornbook tokenizer VERB …     (`hornbook tokenizer VERB --help` says what a verb takes)\n")
        print("\n".join(f"  {verb:<8} {summary}" for verb, (_, summary) in verbs.items()))
        return 0 if argv else 2
    if argv[0] not in verbs:
        raise ConfigError(
            f"there is no `hornbook tokenizer {argv[0]}`{did_you_mean(argv[0], verbs)}; there are {', '.join(verbs)}"
        )
    return parse(verbs[argv[0]][0], argv[1:], prog=f"hornbook tokenizer {argv[0]}")


def train(
    files: tuple[str, ...],
    /,
    vocab_size: int,
    out: Path,
    special_tokens: Names = ("<|endoftext|>",),
    pattern: str = "gpt2",
    format: Format = "hornbook",
    field: str = "text",
    kind: Kind | None = None,
    errors: Literal["strict", "replace"] = "strict",
    threads: int | None = None,
    json: bool = False,
) -> int:
    """Train a byte-level BPE and save it.

    Args:
        files: text, .jsonl, .parquet, each also .gz or .zst; folders; globs; `-` for standard input.
        vocab_size: entries wanted: special tokens, the 256 bytes, and the merges.
        out: the folder (or file, for tiktoken and huggingface) to write.
        special_tokens: they get the first ids; the first one separates records and files.
        pattern: how text is cut: gpt2, cl100k, o200k, or a regular expression.
        format: what to write: hornbook's own folder, or files of another library.
        field: the field (jsonl) or column (parquet) with the text.
        kind: of sources whose names do not say it, such as standard input.
        errors: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        threads: how many; all cores by default.
        json: print the summary as JSON.
    """
    from hornbook.tokenizer import files as tokenizer_files
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tokenizer.training import _check_size, count_pretokens, train_bpe_from_counts

    _check_size(vocab_size, special_tokens)
    corpus = open_corpus(files, special_tokens, field=field, kind=kind, errors=errors)
    console = _console(json)
    start = time.perf_counter()
    with console.stage("counting pre-tokens", corpus.total_bytes) as stage:
        source = corpus.files if corpus.is_plain else corpus
        counts = count_pretokens(
            source, special_tokens, pattern=pattern, num_threads=threads, errors=errors, progress=_tell(stage, corpus)
        )
        stage.update(text=f"{counts.total():,} of {len(counts):,} kinds")
    if not len(counts):
        raise DataError(f"there is nothing to train on in {' '.join(files)}: it holds no text between special tokens")
    counted = time.perf_counter()
    with console.stage("merging", vocab_size - 256 - len(special_tokens)) as stage:
        vocab, merges = train_bpe_from_counts(
            counts, vocab_size, special_tokens, progress=lambda done, total: stage.update(done, total=total)
        )
        stage.update(text=f"{len(merges):,} merges")
    merged = time.perf_counter()
    tokenizer = Tokenizer(vocab, merges, special_tokens, pattern=pattern)
    tokenizer_files.write(tokenizer.parts(), out, format)
    summary = _summary(tokenizer, corpus, counts) | {
        "out": str(out),
        "count_seconds": round(counted - start, 3),
        "merge_seconds": round(merged - counted, 3),
        "asked_vocab_size": vocab_size,
    }
    _print_summary(summary, console, json)
    return 0


def _summary(tokenizer: Tokenizer, corpus: Corpus, counts: Any) -> dict[str, Any]:
    from hornbook.tokenizer.inspection import compression_of_counts, longest_tokens, readable

    result = compression_of_counts(tokenizer, counts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
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
        "peak_mb": round(peak / 1e6, 1),
    }


def _print_summary(summary: dict[str, Any], console: Console, json: bool) -> None:
    from hornbook.fileio import canonical_json
    from hornbook.tokenizer.inspection import shortened

    if json:
        print(canonical_json(summary), end="")
        return
    if summary["vocab_size"] < summary["asked_vocab_size"]:
        console.say(
            f"the text yields {summary['vocab_size']:,} entries, fewer than the {summary['asked_vocab_size']:,} "
            "asked for: no pair is left to merge"
        )
    longest = "  ".join(shortened(row["token"], 24) for row in summary["longest_tokens"])
    counting, merging = summary["count_seconds"], summary["merge_seconds"]
    console.say(f"{summary['out']}: {summary['vocab_size']:,} entries, {summary['merges']:,} merges")
    console.say(f"  time          {counting + merging:.2f} s: counting {counting:.2f}, merging {merging:.2f}")
    console.say(f"  peak memory   {summary['peak_mb']:,.0f} MB")
    console.say(
        f"  compression   {summary['bytes_per_token']:.3f} bytes per token "
        f"({summary['corpus_bytes']:,} bytes, {summary['corpus_tokens']:,} tokens)"
    )
    console.say(f"  longest       {longest}")


def encode(
    tokenizer: Path,
    files: tuple[str, ...] = (),
    /,
    text: str | None = None,
    out: Path | None = None,
    field: str = "text",
    kind: Kind | None = None,
    errors: Literal["strict", "replace"] = "strict",
    threads: int | None = None,
    json: bool = False,
) -> int:
    """Encode text: into a token file with --out, else as numbers on standard output.

    Args:
        tokenizer: a tokenizer of any format.
        files: as in `hornbook tokenizer train`.
        text: a text to encode, instead of files.
        out: the token file to write, NAME.npy (its manifest is NAME.json).
        field: the field (jsonl) or column (parquet) with the text.
        kind: of sources whose names do not say it, such as standard input.
        errors: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        threads: how many; all cores by default.
        json: print JSON.
    """
    from hornbook.fileio import canonical_json

    tok = load_tokenizer(tokenizer)
    if (text is None) == (not files):
        raise ConfigError("give either files or --text: one of them, not both")
    if text is not None:
        if out is not None:
            raise ConfigError("--out writes a token file of files; with --text the ids go to standard output")
        ids = tok.encode(text)
        print(canonical_json({"ids": ids}).rstrip() if json else " ".join(map(str, ids)))
        return 0
    corpus = open_corpus(files, tok.special_tokens, field=field, kind=kind, errors=errors)
    if out is None:
        for number, token_id in enumerate(_ids(tok, corpus)):
            print(token_id, end="\n" if number % 20 == 19 else " ")
        print()
        return 0
    console = _console(json)
    start = time.perf_counter()
    with console.stage("encoding", corpus.total_bytes) as stage:
        plain = corpus.is_plain and len(corpus.files) == 1
        source = corpus.files[0] if plain else corpus
        done = tok.encode_file(source, out, num_threads=threads, errors=errors, progress=_tell(stage, corpus))
    seconds = time.perf_counter() - start
    facts = {"out": str(out), "seconds": round(seconds, 3), **done.manifest}
    if json:
        print(canonical_json(facts), end="")
        return 0
    size = facts["num_bytes"]
    console.say(
        f"{out}: {facts['num_tokens']:,} tokens of {facts['num_documents']:,} documents, {size:,} bytes, "
        f"{size / max(1, facts['num_tokens']):.3f} bytes per token, {size / 1e6 / seconds:.0f} MB/s"
    )
    return 0


def _ids(tok: Tokenizer, corpus: Corpus) -> Any:
    from hornbook.tokenizer.streams import decoded

    return tok.encode_iterable(decoded(corpus, corpus.errors))


def decode(
    tokenizer: Path,
    ids: tuple[str, ...] = (),
    /,
    tokens: Path | None = None,
    start: int = 0,
    count: int | None = None,
) -> int:
    """Decode token ids to text on standard output.

    Args:
        tokenizer: a tokenizer of any format.
        ids: numbers; `-` or none reads them from standard input.
        tokens: a token file (.npy) instead.
        start: of a token file, the first token to decode.
        count: of a token file, how many; all by default.
    """
    tok = load_tokenizer(tokenizer)
    if tokens is not None:
        if ids:
            raise ConfigError("give either ids or --tokens: one of them, not both")
        _decode_file(tok, tokens, start, count)
        return 0
    words = sys.stdin.read().split() if ids in ((), ("-",)) else [word for part in ids for word in part.split()]
    numbers: list[int] = []
    for word in words:
        if not word.strip(",[]").isdecimal():
            raise TokenizerError(f"{word!r} is no token id: ids are whole numbers, separated by spaces")
        numbers.append(int(word.strip(",[]")))
    print(tok.decode(numbers))
    return 0


def _decode_file(tok: Tokenizer, path: Path, start: int, count: int | None) -> None:
    import codecs

    from hornbook.tokenizer.token_file import TokenFile

    tokens = TokenFile.open(path)
    made_by = tokens.manifest.get("tokenizer_fingerprint") if tokens.manifest else None
    if made_by and made_by != tok.fingerprint:
        raise TokenizerError(
            f"{path} was encoded by another tokenizer (fingerprint {made_by[:12]}…; "
            f"this one has {tok.fingerprint[:12]}…)"
        )
    if not 0 <= start <= len(tokens) or (count is not None and count < 0):
        raise ConfigError(f"{path} has {len(tokens):,} tokens; --start {start} or --count {count} lies outside")
    stop = len(tokens) if count is None else min(len(tokens), start + count)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for begin in range(start, stop, 1 << 16):
        sys.stdout.write(decoder.decode(tok.decode_bytes(tokens.ids[begin : min(stop, begin + (1 << 16))])))
    sys.stdout.write(decoder.decode(b"", True) + "\n")


def convert(
    tokenizer: Path,
    out: Path,
    /,
    to: Format,
    special_tokens: Names = (),
    pattern: str | None = None,
) -> int:
    """Read a tokenizer of any format and write another.

    Args:
        tokenizer: a folder or file.
        out: the folder to write (or file, for tiktoken and huggingface).
        to: hornbook, gpt2, tiktoken or huggingface.
        special_tokens: for vocab.json, which does not say them.
        pattern: for ranks and vocab.json, which do not say it.
    """
    from hornbook.tokenizer import files

    parts = files.read(tokenizer, list(special_tokens) or None, pattern)
    files.write(parts, out, to)
    print(f"{out}: {len(parts.vocab):,} entries as {files.FORMATS[to]}")
    return 0


def load_tokenizer(path: Path) -> Tokenizer:
    """Load a tokenizer for a tool."""
    from hornbook.tokenizer.tokenizer import Tokenizer

    return Tokenizer.load(path)


def open_corpus(files: tuple[str, ...], special_tokens: Any, **options: Any) -> Corpus:
    """Open the text that the user named; the first special token separates documents."""
    from hornbook.data.text_reader import Corpus

    corpus = Corpus(files, separator=next(iter(special_tokens), "\n\n"), **options)
    if corpus.total_bytes == 0:
        raise DataError(f"there is no text in {' '.join(files)}: it is empty")
    return corpus


def _console(json: bool) -> Console:
    from hornbook.tracking.console import Console

    # With --json standard output is the JSON alone.
    return Console(stream=sys.stderr if json else sys.stdout)


def _tell(stage: Any, corpus: Corpus) -> Callable[..., None]:
    def tell(done: int, total: int | None = None) -> None:
        stage.update(corpus.read_bytes or done)

    return tell
