"""`hornbook tokenizer compare | ladder`: tokenizers side by side on corpora, trainers side by side on one."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from hornbook.cli.common import load_tokenizer, open_corpus, result_console
from hornbook.errors import ConfigError
from hornbook.format import quantity
from hornbook.tokenizer.special import END_OF_TEXT

if TYPE_CHECKING:
    from hornbook.tokenizer.inspection import Compression


def compare(
    tokenizers: tuple[Path, ...],
    *,
    corpora: tuple[str, ...],
    documents: int | None = None,
    seed: int = 0,
    field: str = "text",
    errors: Literal["strict", "replace"] = "strict",
    threads: int = 1,
    json: bool = False,
) -> int:
    """Compare tokenizers on corpora: bytes per token in a cross table; from 5 MB of text on MB/s and hours for 825 GB.

    Args:
        tokenizers: tokenizers of any format.
        corpora: text, as in `hornbook tokenizer train`, each a corpus of its own.
        documents: so many documents drawn at random; all of the text by default.
        seed: of the draw.
        field: of records, the field or column with the text; a.b.c for a nested one.
        errors: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        threads: threads of the encoder. Speed is measured on the text at hand: the first pass, caches cold.
        json: print JSON.

    Examples:
        hornbook tokenizer compare tok other/tokenizer.json --corpora a.txt b.txt
    """
    if documents is not None and documents < 1:
        raise ConfigError(f"--documents {documents} is below 1; leave it out for all of the text")
    if threads < 1:
        raise ConfigError(f"--threads {threads} is below 1")
    loaded = [(path, load_tokenizer(path)) for path in tokenizers]
    from hornbook.fileio import canonical_json
    from hornbook.tokenizer.inspection import compression, overlap

    pairs = [
        {"first": str(one), "second": str(other), **overlap(first, second)._asdict()}
        for (one, first), (other, second) in itertools.combinations(loaded, 2)
    ]
    cells: list[dict[str, Any]] = []
    for name in corpora:
        for path, tok in loaded:
            # One separator for all, so that every tokenizer sees the same documents whatever its special tokens are.
            corpus = open_corpus((name,), (END_OF_TEXT,), field=field, errors=errors)
            texts = corpus.documents() if documents is None else corpus.sample(documents, seed)
            cells.append({"tokenizer": str(path), "corpus": name, **_figures(compression(tok, texts, threads))})
    if json:
        found = {"documents": documents, "seed": seed, "threads": threads, "results": cells, "entries": pairs}
        print(canonical_json(found), end="")
        return 0
    _show_comparison(tokenizers, corpora, cells)
    for pair in pairs:
        print(
            f"entries: {pair['both']:,} in both, {pair['only_first']:,} only in {pair['first']}, "
            f"{pair['only_second']:,} only in {pair['second']}"
        )
    return 0


def _figures(result: Compression) -> dict[str, Any]:
    speed, hours = result.mb_per_second, result.pile_hours
    return {
        "bytes": result.num_bytes,
        "tokens": result.num_tokens,
        "bytes_per_token": round(result.bytes_per_token, 4),
        "mb_per_second": None if speed is None else round(speed, 1),
        "hours_for_825_gb": None if hours is None else round(hours, 2),
    }


def _show_comparison(tokenizers: tuple[Path, ...], corpora: tuple[str, ...], cells: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from hornbook.tokenizer.inspection import FEWEST_BYTES

    by_place = {(cell["tokenizer"], cell["corpus"]): cell for cell in cells}
    console = Console(width=None if sys.stdout.isatty() else 120, markup=False, emoji=False)
    for title, key, shape in (
        ("bytes per token (higher: shorter sequences)", "bytes_per_token", "{:.3f}"),
        ("MB/s", "mb_per_second", "{:.1f}"),
        ("hours for 825 GB", "hours_for_825_gb", "{:.2f}"),
    ):
        if all(cell[key] is None for cell in cells):
            continue
        table = Table(title=title, title_justify="left")
        table.add_column("tokenizer")
        for name in corpora:
            table.add_column(Path(name).name or name, justify="right")
        for path in tokenizers:
            figures = [by_place[str(path), name][key] for name in corpora]
            table.add_row(str(path), *("–" if figure is None else shape.format(figure) for figure in figures))
        console.print(table)
    if short := [Path(cell["corpus"]).name for cell in cells if cell["mb_per_second"] is None]:
        least = quantity(FEWEST_BYTES, "B")
        print(f"no throughput from less than {least} of text ({', '.join(dict.fromkeys(short))}): give more of it")


RungName = Literal["naive", "incremental", "heap", "parallel", "native"]


def ladder(
    file: Path,
    *,
    vocab_size: int = 2000,
    special_tokens: tuple[str, ...] = (END_OF_TEXT,),
    pattern: str = "gpt2",
    rungs: tuple[RungName, ...] = get_args(RungName),
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

    Examples:
        hornbook tokenizer ladder a.txt --vocab-size 1000 --rungs heap native
    """
    file.stat()  # a missing one is told before NumPy is imported
    from hornbook.fileio import atomic_write, canonical_json
    from hornbook.tokenizer.ladder import timing
    from hornbook.tokenizer.ladder.figure import figure as draw

    console = result_console(json)
    done: list[timing.Rung] = []
    with console.stage("training", len(rungs)) as stage:
        stage.update(0, f"{rungs[0]} first" if rungs else "")

        def show(rung: timing.Rung) -> None:
            done.append(rung)
            stage.update(len(done), f"{rung.name} took {rung.total_seconds:.2f} s")

        result = timing.run(file, vocab_size, special_tokens, pattern=pattern, rungs=rungs, progress=show)
    if figure is not None:
        atomic_write(figure, draw(result, f"{file.name}, {vocab_size:,} entries"))
    rows = [rung._asdict() | {"total_seconds": rung.total_seconds} for rung in result]
    if json:
        print(canonical_json({"file": str(file), "vocab_size": vocab_size, "rungs": rows}), end="")
        return 0
    print(f"\n{'':<12} {'count s':>9} {'merge s':>9} {'total s':>9} {'CPU s':>9} {'peak MB':>9} {'speed-up':>9}")
    slowest = result[0].total_seconds if result else 0.0
    for rung in result:
        faster = "–" if rung.total_seconds < timing.SHORTEST else f"{slowest / rung.total_seconds:.1f}×"
        print(
            f"{rung.name:<12} {rung.count_seconds:>9.3f} {rung.merge_seconds:>9.3f} {rung.total_seconds:>9.3f} "
            f"{rung.cpu_seconds:>9.3f} {rung.peak_mb:>9.1f} {faster:>9}"
        )
    if any(rung.total_seconds < timing.SHORTEST for rung in result):
        print(f"–: under {timing.SHORTEST} s, which is mostly starting; more text would rank it")
    print("all with the same merges" if len(result) > 1 else "")
    return 0
