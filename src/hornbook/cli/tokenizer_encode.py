"""`hornbook tokenizer encode | decode | convert`: text to ids and back, and a tokenizer from one format to another."""

from __future__ import annotations

import codecs
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hornbook.cli.common import (
    SpecialTokens,
    TextKind,
    TokenizerFormat,
    encoder_of,
    load_tokenizer,
    open_corpus,
    result_console,
    say_assumed,
    show_bytes,
)
from hornbook.cli.output import as_data
from hornbook.data.special_text import InText, SpecialText
from hornbook.encodings import joined, text_of
from hornbook.errors import ConfigError, TokenizerError
from hornbook.format import quantity

if TYPE_CHECKING:
    from hornbook.data.text_reader import TextReader
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tokenizer.utf8 import Errors


def encode(
    tokenizer: Path,
    files: tuple[str, ...] = (),
    *,
    text: str | None = None,
    out: Path | None = None,
    field: str = "text",
    kind: TextKind | None = None,
    errors: Literal["strict", "replace"] = "strict",
    special_tokens_in_text: InText = "split",
    threads: int | None = None,
    json: bool = False,
) -> int:
    """Encode text: into a token file with --out, else as numbers on standard output.

    Args:
        tokenizer: a tokenizer of any format.
        files: as in `hornbook tokenizer train`.
        text: a text to encode, instead of files.
        out: the token file to write, NAME.npy (its manifest is NAME.json).
        field: of records, the field or column with the text; a.b.c for a nested one.
        kind: of sources whose names do not say it, such as standard input.
        errors: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        special_tokens_in_text: what those are that do not separate documents: split, special tokens; text, ordinary
            text; error, refused.
        threads: how many; all cores by default.
        json: print JSON.

    Examples:
        hornbook tokenizer encode tok --text "Once upon a time"
        hornbook tokenizer encode tok books/*.txt --out books.npy
    """
    from hornbook.fileio import canonical_json
    from hornbook.tokenizer.utf8 import decoded

    tok = load_tokenizer(tokenizer)
    if (text is None) == (not files):
        raise ConfigError("give either files or --text: one of them, not both")
    if text is not None:
        if out is not None:
            raise ConfigError("--out writes a token file of files; with --text the ids go to standard output")
        ids = _ids_of(tok, text, special_tokens_in_text)
        print(canonical_json({"ids": ids}).rstrip() if json else " ".join(map(str, ids)))
        return 0
    reading = {"in_text": special_tokens_in_text, "field": field, "kind": kind, "errors": errors}
    corpus = open_corpus(files, tok.special_tokens, **reading)
    tok = encoder_of(corpus, tok)
    if out is None:
        for number, token_id in enumerate(tok.encode_iterable(decoded(corpus, errors))):
            print(token_id, end="\n" if number % 20 == 19 else " ")
        print()
        return 0
    _encode_to_file(tok, corpus, out, errors, threads, json)
    return 0


def _ids_of(tok: Tokenizer, text: str, in_text: InText) -> list[int]:
    """Return the ids of a text, in which no special token separates documents."""
    if in_text == "error" and tok.special_tokens:
        watch = SpecialText(tok.special_tokens, tok.special_tokens[0], in_text)
        watch.record(text, "--text")
        watch.check()
    return tok.encode(text, allowed_special="none" if in_text == "text" else "all")


def _encode_to_file(
    tok: Tokenizer, corpus: TextReader, out: Path, errors: Errors, threads: int | None, json: bool
) -> None:
    """Write a token file of a corpus, and say what it holds and how fast it came."""
    from hornbook.fileio import canonical_json

    console = result_console(json)
    start = time.perf_counter()
    with console.stage("encoding", corpus.total_bytes) as stage:
        source = corpus.files[0] if corpus.is_plain_file else corpus
        done = tok.encode_file(source, out, num_threads=threads, errors=errors, progress=show_bytes(stage, corpus))
    seconds = time.perf_counter() - start
    facts = {"out": str(out), "seconds": round(seconds, 3), **done.manifest}
    if json:
        print(canonical_json(facts), end="")
        return
    size = facts["num_bytes"]
    console.print(
        f"{out}: {facts['num_tokens']:,} tokens of {facts['num_documents']:,} documents, {size:,} bytes, "
        f"{size / max(1, facts['num_tokens']):.3f} bytes per token, {tok.dtype.name} "
        f"({tok.vocab_size:,} entries), {quantity(size / seconds, 'B/s')}"
    )


def decode(
    tokenizer: Path,
    ids: tuple[str, ...] = (),
    *,
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

    Examples:
        hornbook tokenizer decode tok 15 201 7
        hornbook tokenizer decode tok --tokens books.npy --count 200
    """
    tok = load_tokenizer(tokenizer)
    if tokens is not None:
        if ids:
            raise ConfigError("give either ids or --tokens: one of them, not both")
        _decode_file(tok, tokens, start, count)
        return 0
    if ids in ((), ("-",)):
        given = iter(lambda: sys.stdin.buffer.read(1 << 16), b"")
        ids = (text_of(joined(given, "standard input", TokenizerError), "standard input", TokenizerError),)
    words = [word for part in ids for word in part.split()]
    numbers: list[int] = []
    for word in words:
        if not word.strip(",[]").isdecimal():
            raise TokenizerError(f"{word!r} is no token id: ids are whole numbers, separated by spaces")
        numbers.append(int(word.strip(",[]")))
    print(tok.decode(numbers), file=as_data(sys.stdout))
    return 0


def _decode_file(tok: Tokenizer, path: Path, start: int, count: int | None) -> None:
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
    decoder, out = codecs.getincrementaldecoder("utf-8")("replace"), as_data(sys.stdout)
    for begin in range(start, stop, 1 << 16):
        out.write(decoder.decode(tok.decode_bytes(tokens.ids[begin : min(stop, begin + (1 << 16))])))
    out.write(decoder.decode(b"", True) + "\n")


def convert(
    tokenizer: Path,
    out: Path,
    *,
    to: TokenizerFormat,
    special_tokens: SpecialTokens = (),
    pattern: str | None = None,
) -> int:
    """Read a tokenizer of any format and write another.

    Args:
        tokenizer: a folder or file.
        out: the folder to write (or file, for tiktoken and huggingface).
        to: hornbook, gpt2, tiktoken or huggingface.
        special_tokens: for vocab.json, which does not say them.
        pattern: for ranks and vocab.json, which do not say it.

    Examples:
        hornbook tokenizer convert tok tokenizer.json --to huggingface
    """
    from hornbook.tokenizer import formats

    parts = formats.read_parts(tokenizer, list(special_tokens) or None, pattern)
    say_assumed(parts.assumed)
    formats.write_parts(parts, out, to)
    print(f"{out}: {len(parts.vocab):,} entries as {formats.FORMATS[to]}")
    return 0
