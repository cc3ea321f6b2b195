"""`hornbook tokenizer inspect | compare | ladder`: tools that look at tokenizers and show what they find."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbook.errors import ConfigError

if TYPE_CHECKING:
    from hornbook.tokenizer.inspection import Compression, Piece
    from hornbook.tokenizer.tokenizer import Tokenizer

__all__ = ["compare", "inspect", "ladder"]

# Backgrounds that neighbours are told apart by, readable on dark and light terminals.
_COLOURS = ("on dark_blue", "on dark_green", "on dark_red", "on purple4", "on dark_goldenrod")


def inspect(
    tokenizer: Path,
    files: tuple[str, ...] = (),
    /,
    longest: int = 20,
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
        word: draw the merges that build this word (a space before it matters).
        text: show the tokens of this text, coloured on a terminal.
        field: the field (jsonl) or column (parquet) with the text.
        errors: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        json: print JSON.
    """
    from hornbook.cli.tokenizer import load_tokenizer
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
        result["longest"] = _longest_rows(tok, longest, files, field, errors)
    if json:
        print(canonical_json(result), end="")
        return 0
    special = " ".join(f"{token}={token_id}" for token, token_id in tok.special_token_ids.items()) or "none"
    print(f"{tok.vocab_size:,} entries, {len(tok.merges):,} merges, pattern {tok.pattern}, special tokens {special}")
    if text is not None:
        _show_text(tok, text)
    if word is not None:
        _show_trees(tok, word)
    if "longest" in result:
        _show_longest(result["longest"])
    return 0


def _longest_rows(tok: Tokenizer, number: int, files: tuple[str, ...], field: str, errors: Any) -> list[dict[str, Any]]:
    from hornbook.cli.tokenizer import open_corpus
    from hornbook.tokenizer.inspection import longest_tokens, readable, token_counts
    from hornbook.tokenizer.streams import independent

    counts = None
    if files:
        corpus = open_corpus(files, tok.special_tokens, field=field, errors=errors)
        counts = token_counts(tok, independent(corpus, tok.pattern, tok.special_tokens, errors))
    return [
        {
            "id": row.id,
            "bytes": len(row.content),
            "token": readable(row.content),
            "hex": row.content.hex(" "),
            "count": row.count,
        }
        for row in longest_tokens(tok, number, counts)
    ]


def _show_longest(rows: list[dict[str, Any]]) -> None:
    from hornbook.tokenizer.inspection import shortened

    counted = rows and rows[0]["count"] is not None
    print(
        f"\n{'id':>7} {'bytes':>5} {'count':>9}  token and bytes"
        if counted
        else f"\n{'id':>7} {'bytes':>5}  token and bytes"
    )
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
    print(f"\n{word!r} is {len(trees)} token{'s' if len(trees) != 1 else ''}:")
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
    pretokens = pieces[-1].pretoken + 1 if pieces else 0
    print(f"\n{len(pieces)} tokens in {pretokens} pre-tokens, {size} bytes, {size / max(1, len(pieces)):.2f} per token")
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


def compare(
    tokenizers: tuple[Path, ...],
    /,
    corpora: tuple[str, ...],
    documents: int | None = None,
    seed: int = 0,
    field: str = "text",
    errors: Literal["strict", "replace"] = "strict",
    threads: int = 1,
    json: bool = False,
) -> int:
    """Compare tokenizers on corpora: bytes per token in a cross table, throughput, hours for 825 GB.

    Args:
        tokenizers: tokenizers of any format.
        corpora: text, as in `hornbook tokenizer train`, each a corpus of its own.
        documents: so many documents drawn at random; all of the text by default.
        seed: of the draw.
        field: the field (jsonl) or column (parquet) with the text.
        errors: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        threads: threads of the encoder. Speed is measured on the text at hand: the first pass, caches cold.
        json: print JSON.
    """
    from hornbook.cli.tokenizer import load_tokenizer, open_corpus
    from hornbook.fileio import canonical_json
    from hornbook.tokenizer.inspection import compression

    if documents is not None and documents < 1:
        raise ConfigError(f"--documents {documents} is below 1; leave it out for all of the text")
    if threads < 1:
        raise ConfigError(f"--threads {threads} is below 1")
    cells: list[dict[str, Any]] = []
    for name in corpora:
        for path in tokenizers:
            tok = load_tokenizer(path)
            # One separator for all, so that every tokenizer sees the same documents whatever its special tokens are.
            corpus = open_corpus((name,), ("<|endoftext|>",), field=field, errors=errors)
            texts = corpus.documents() if documents is None else corpus.sample(documents, seed)
            cells.append({"tokenizer": str(path), "corpus": name, **_figures(compression(tok, texts, threads))})
    if json:
        print(canonical_json({"documents": documents, "seed": seed, "threads": threads, "results": cells}), end="")
    else:
        _show_comparison(tokenizers, corpora, cells)
    return 0


def _figures(result: Compression) -> dict[str, Any]:
    return {
        "bytes": result.num_bytes,
        "tokens": result.num_tokens,
        "bytes_per_token": round(result.bytes_per_token, 4),
        "mb_per_second": round(result.mb_per_second, 1),
        "hours_for_825_gb": round(result.pile_hours, 2),
    }


def _show_comparison(tokenizers: tuple[Path, ...], corpora: tuple[str, ...], cells: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    by_place = {(cell["tokenizer"], cell["corpus"]): cell for cell in cells}
    console = Console(width=None if sys.stdout.isatty() else 120)
    for title, key, shape in (
        ("bytes per token (higher: shorter sequences)", "bytes_per_token", "{:.3f}"),
        ("MB/s", "mb_per_second", "{:.1f}"),
        ("hours for 825 GB", "hours_for_825_gb", "{:.2f}"),
    ):
        table = Table(title=title, title_justify="left")
        table.add_column("tokenizer")
        for name in corpora:
            table.add_column(Path(name).name or name, justify="right")
        for path in tokenizers:
            figures = [by_place[str(path), name][key] for name in corpora]
            table.add_row(str(path), *(shape.format(figure) for figure in figures))
        console.print(table)


def ladder(
    file: Path,
    /,
    vocab_size: int = 2000,
    special_tokens: tuple[str, ...] = ("<|endoftext|>",),
    pattern: str = "gpt2",
    rungs: tuple[Literal["naive", "incremental", "heap", "parallel", "native"], ...] = (
        "naive",
        "incremental",
        "heap",
        "parallel",
        "native",
    ),
    figure: Path | None = None,
    json: bool = False,
) -> int:
    """Time five trainers on one text file: naive, incremental, heap, parallel, native; all give the same merges.

    Args:
        file: plain text; the Python trainers read it whole.
        vocab_size: entries; the naive trainer takes a pass over all words for each.
        special_tokens: cut the text, and are where it is divided among processes.
        pattern: gpt2, cl100k, o200k, or a regular expression.
        rungs: which of them.
        figure: an SVG of the times to write.
        json: print JSON.
    """
    from hornbook.fileio import atomic_write, canonical_json
    from hornbook.tokenizer import ladder as trainers
    from hornbook.tokenizer.ladder_figure import figure as draw
    from hornbook.tracking.console import Console

    console = Console(stream=sys.stderr if json else sys.stdout)
    done: list[trainers.Rung] = []
    with console.stage("climbing", len(rungs)) as stage:
        stage.update(0, f"{rungs[0]} first" if rungs else "")

        def tell(rung: trainers.Rung) -> None:
            done.append(rung)
            stage.update(len(done), f"{rung.name} took {rung.total_seconds:.2f} s")

        result = trainers.run(file, vocab_size, special_tokens, pattern=pattern, rungs=rungs, progress=tell)
    if figure is not None:
        atomic_write(figure, draw(result, f"{file.name}, {vocab_size:,} entries"))
    rows = [rung._asdict() | {"total_seconds": rung.total_seconds} for rung in result]
    if json:
        print(canonical_json({"file": str(file), "vocab_size": vocab_size, "rungs": rows}), end="")
        return 0
    print(f"\n{'':<12} {'count s':>9} {'merge s':>9} {'total s':>9} {'CPU s':>9} {'peak MB':>9} {'speed-up':>9}")
    slowest = result[0].total_seconds if result else 0.0
    for rung in result:
        print(
            f"{rung.name:<12} {rung.count_seconds:>9.3f} {rung.merge_seconds:>9.3f} {rung.total_seconds:>9.3f} "
            f"{rung.cpu_seconds:>9.3f} {rung.peak_mb:>9.1f} {slowest / rung.total_seconds:>8.1f}×"
        )
    print("all with the same merges" if len(result) > 1 else "")
    return 0
