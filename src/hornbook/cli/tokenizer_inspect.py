"""`hornbook tokenizer inspect`: longest tokens, the merges of a word, how a text splits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbook.cli.common import load_tokenizer, open_corpus
from hornbook.errors import ConfigError
from hornbook.format import counted

if TYPE_CHECKING:
    from hornbook.tokenizer.inspection import Piece
    from hornbook.tokenizer.tokenizer import Tokenizer


# Backgrounds that neighbours are told apart by, readable on dark and light terminals.
_COLOURS = ("on dark_blue", "on dark_green", "on dark_red", "on purple4", "on dark_goldenrod")


def inspect(
    tokenizer: Path,
    files: tuple[str, ...] = (),
    *,
    longest: int = 20,
    letters: bool = False,
    word: str | None = None,
    text: str | None = None,
    field: str = "text",
    errors: Literal["strict", "replace"] = "strict",
    json: bool = False,
) -> int:
    """Show a tokenizer's longest tokens, the merge tree of a word, or how a text splits.

    Args:
        tokenizer: a tokenizer of any format.
        files: text in which the tokens are counted, as in `hornbook tokenizer train`.
        longest: how many of the longest tokens.
        letters: only those made of letters.
        word: draw the merges that build this word (a space before it matters).
        text: show the tokens of this text, coloured on a terminal.
        field: of records, the field or column with the text; a.b.c for a nested one.
        errors: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        json: print JSON.

    Examples:
        hornbook tokenizer inspect tok --word " little"
    """
    from hornbook.fileio import canonical_json

    if longest < 0:
        raise ConfigError(f"--longest {longest} is below 0")
    tok = load_tokenizer(tokenizer)
    result: dict[str, Any] = {"vocab_size": tok.vocab_size, "merges": len(tok.merges), "pattern": tok.pattern}
    result |= {"special_tokens": tok.special_token_ids, "fingerprint": tok.fingerprint}
    if text is not None:
        result["text"] = _text_rows(tok, text)
    if word is not None:
        result["word"] = _tree_rows(tok, word)
    if word is None and text is None:
        result["longest"] = _longest_rows(tok, longest, files, field, errors, letters)
    if json:
        print(canonical_json(result), end="")
        return 0
    special = " ".join(f"{token}={token_id}" for token, token_id in tok.special_token_ids.items()) or "none"
    sizes = f"{tok.vocab_size:,} entries, {counted(len(tok.merges), 'merge')}"
    print(f"{sizes}, pattern {tok.pattern}, special tokens {special}")
    if text is not None:
        _show_text(tok, text)
    if word is not None:
        _show_trees(tok, word)
    if "longest" in result:
        _show_longest(result["longest"])
    return 0


def _longest_rows(
    tok: Tokenizer, number: int, files: tuple[str, ...], field: str, errors: Any, letters: bool
) -> list[dict[str, Any]]:
    from hornbook.tokenizer.inspection import longest_tokens, readable, token_counts
    from hornbook.tokenizer.text import safe_blocks
    from hornbook.tokenizer.utf8 import checked

    counts = None
    if files:
        corpus = open_corpus(files, tok.special_tokens, field=field, errors=errors)
        counts = token_counts(tok, safe_blocks(checked(corpus, errors), tok.pattern, tok.special_tokens))
    return [
        {
            "id": row.id,
            "bytes": len(row.content),
            "token": readable(row.content),
            "hex": row.content.hex(" "),
            "count": row.count,
        }
        for row in longest_tokens(tok, number, counts, letters=letters)
    ]


def _show_longest(rows: list[dict[str, Any]]) -> None:
    from hornbook.tokenizer.inspection import shortened

    counted = rows and rows[0]["count"] is not None
    heading = f" {'count':>9}" if counted else ""
    print(f"\n{'id':>7} {'bytes':>5}{heading}  token and bytes")
    for row in rows:
        count = f" {row['count']:>9,}" if counted else ""
        digits = shortened(row["hex"].replace(" ", ""), 48)
        print(f"{row['id']:>7} {row['bytes']:>5}{count}  {shortened(row['token'])}  [{digits}]")


def _tree_rows(tok: Tokenizer, word: str) -> list[dict[str, Any]]:
    from hornbook.tokenizer.inspection import MergeNode, merge_trees, readable

    ids = _symbol_ids(tok)

    def row(node: MergeNode) -> dict[str, Any]:
        sides = [row(side) for side in (node.left, node.right) if side is not None]
        return {"token": readable(node.content), "id": ids.get(node.content), "merge": node.merge, "sides": sides}

    return [row(tree) for tree in merge_trees(tok, word)]


def _symbol_ids(tok: Tokenizer) -> dict[bytes, int]:
    return {tok.vocab[token_id]: token_id for token_id in sorted(tok.vocab)}


def _show_trees(tok: Tokenizer, word: str) -> None:
    from hornbook.tokenizer.inspection import merge_trees

    trees = merge_trees(tok, word)
    ids = _symbol_ids(tok)
    print(f"\n{word!r} is {counted(len(trees), 'token')}:")
    for tree in trees:
        print("\n".join(tree.lines(ids)))


def _text_rows(tok: Tokenizer, text: str) -> list[dict[str, Any]]:
    from hornbook.tokenizer.inspection import readable, split_text

    return [
        {"id": piece.id, "token": readable(piece.content), "pretoken": piece.pretoken, "special": piece.special}
        for piece in split_text(tok, text)
    ]


def _show_text(tok: Tokenizer, text: str) -> None:
    from rich.console import Console
    from rich.text import Text

    from hornbook.tokenizer.inspection import readable, split_text

    pieces = split_text(tok, text)
    size = len(text.encode())
    pretokens = counted(pieces[-1].pretoken + 1 if pieces else 0, "pre-token")
    ratio = size / max(1, len(pieces))
    print(f"\n{counted(len(pieces), 'token')} in {pretokens}, {counted(size, 'byte')}, {ratio:.2f} per token")
    if sys.stdout.isatty():
        line = Text(style="white")
        for number, piece in enumerate(pieces):
            line.append(readable(piece.content), style="reverse" if piece.special else _COLOURS[number % len(_COLOURS)])
        Console().print(line)
    else:
        print(_barred(pieces))
    print(" ".join(str(piece.id) for piece in pieces))


def _barred(pieces: list[Piece]) -> str:
    # Without colours: `|` between tokens, `‖` between pre-tokens.
    from hornbook.tokenizer.inspection import readable

    parts: list[str] = []
    for before, piece in zip([None, *pieces], pieces, strict=False):
        if before is not None:
            parts.append("|" if before.pretoken == piece.pretoken else "‖")
        parts.append(readable(piece.content))
    return "".join(parts)
