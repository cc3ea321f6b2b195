"""Tokenizers of story-like and web-like text, each tried on both: compression, longest tokens, speed.

Seed k draws its own documents (storyworld's seed, or a shuffle of the given documents), trains on most of them and
measures on the rest, so that the spread over seeds is the spread over samples of text. Left out: models; what a
vocabulary does to a model is the study `vocabulary`.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median_high
from typing import Any

from hornbook.data.corpora.registry import corpus_file
from hornbook.data.sections import DataSection
from hornbook.data.text_reader import TextReader
from hornbook.errors import DataError
from hornbook.fileio import atomic_write
from hornbook.format import duration, number, quantity
from hornbook.studies import figures
from hornbook.studies.charts import Figure, Interval, Table, columns
from hornbook.studies.scales import seeds_of
from hornbook.studies.statistics import Comparison, compare, mean_interval
from hornbook.studies.study import Analysis, Options, Plan, Results, Scale, Study
from hornbook.studies.verdict import BETTER, TESTED, WORSE
from hornbook.tokenizer.inspection import FEWEST_BYTES, PILE_BYTES, compression, longest_tokens
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tracking.console import Console

CORPORA = ("stories", "web-text")
PAIRS = (CORPORA, CORPORA[::-1])
"""Each corpus with the other one."""
SIZES: dict[Scale, tuple[int, ...]] = {
    "tiny": (512, 1024),
    "cpu": (1024, 2048, 4096, 8192),
    "gpu": (1_000, 10_000, 32_000),
}
TRAINING_BYTES: dict[Scale, int] = {"tiny": 200_000, "cpu": 1_400_000, "gpu": 200_000_000}
HELD_OUT_BYTES = {"tiny": 50_000, "cpu": 250_000, "gpu": 5_000_000}
LONGEST = 8


@dataclasses.dataclass(frozen=True)
class Sample:
    """Text of one corpus as one seed sees it."""

    training: str
    held_out: str


def plan(scale: Scale, options: Options) -> Plan:
    """Return a plan without runs: tokenizers are trained and measured directly."""
    return Plan(seeds=seeds_of(scale, options))


def sample_text(corpus: str, seed: int, scale: Scale, options: Options) -> Sample:
    """Return the training and held-out text of a corpus for one seed. Raises DataError where there is too little."""
    training, held_out = TRAINING_BYTES[scale], HELD_OUT_BYTES[scale]
    path = options.text if corpus == "stories" else options.web_text or _documentation()
    if path is None:
        from hornbook.data.corpora import storyworld

        texts = storyworld.generate(training + held_out, seed + 1).split(END_OF_TEXT)
    else:
        texts = [document.decode() for document in TextReader(path).documents()]
    documents = [d.strip("\n") for d in texts if d.strip()]
    if path is not None:
        random.Random(seed).shuffle(documents)
    held, rest = _take(documents, held_out)
    kept, _ = _take(rest, training)
    if not held or not kept:
        raise DataError(f"{path or corpus} has too few documents for training and held-out text; give a larger file")
    return Sample(_joined(kept), _joined(held))


def _documentation() -> Path:
    return corpus_file("python-docs", DataSection(), Console(silent=True))


def _take(documents: Sequence[str], size: int) -> tuple[list[str], list[str]]:
    taken, total = [], 0
    for count, document in enumerate(documents):
        if total >= size:
            return taken, list(documents[count:])
        taken.append(document)
        total += len(document.encode())
    return taken, []


def _joined(documents: Sequence[str]) -> str:
    return "".join(f"{document}\n{END_OF_TEXT}\n" for document in documents)


def measure(seed: int, scale: Scale, options: Options, folder: Path) -> list[dict[str, Any]]:
    """Train every tokenizer of one seed and try each on both held-out texts."""
    import hornbook as hb

    texts = {corpus: sample_text(corpus, seed, scale, options) for corpus in CORPORA}
    rows = []
    for corpus, sample in texts.items():
        path = folder / "text" / f"{corpus}-seed-{seed}.txt"
        atomic_write(path, sample.training)
        for size in SIZES[scale]:
            started = time.perf_counter()
            vocab, merges = hb.train_bpe(path, size, [END_OF_TEXT])
            seconds = time.perf_counter() - started
            tokenizer = hb.Tokenizer(vocab, merges, [END_OF_TEXT])
            rows.append(
                {
                    "seed": seed,
                    "trained_on": corpus,
                    "vocab_size": size,
                    "entries": len(vocab),
                    "training_bytes": len(sample.training.encode()),
                    "training_seconds": seconds,
                    "longest": [row.content.decode(errors="replace") for row in longest_tokens(tokenizer, LONGEST)],
                }
                | {f"on_{other}": _compression(tokenizer, texts[other].held_out) for other in CORPORA}
                | {"bytes_per_second": _speed(tokenizer, sample.held_out)}
            )
        path.unlink()
    return rows


def _compression(tokenizer: Any, text: str) -> float:
    """Return bytes of ordinary text per token; separators count on neither side."""
    return compression(tokenizer, (d.encode() for d in text.split(END_OF_TEXT) if d.strip())).bytes_per_token


def _speed(tokenizer: Any, text: str) -> float | None:
    """Return bytes per second of encoding on one thread, the best of three passes; None: too little text to say."""
    size, best = len(text.encode()), 0.0
    if size < FEWEST_BYTES:
        return None
    for _ in range(3):
        started = time.perf_counter()
        tokenizer.encode_array(text)
        best = max(best, size / (time.perf_counter() - started))
    return best


def analyse(results: Results) -> Analysis:
    """Measure every seed and compare the two tokenizers of each size on both texts."""
    rows: list[dict[str, Any]] = []
    options, scale = results.options, results.scale
    inputs = {"scale": scale, "text": str(options.text), "web": str(options.web_text)}
    for seed in results.plan.seeds:
        results.console.print(f"tokenizers of seed {seed}")
        rows += results.measured(
            f"seed-{seed}", inputs | {"seed": seed}, lambda seed=seed: measure(seed, scale, options, results.folder)
        )
    sizes = SIZES[scale]
    return Analysis(
        findings=_findings(rows, sizes),
        figures=[_figure(rows, sizes)],
        tables=[_compression_table(rows, sizes), _difference_table(rows, sizes), _longest_table(rows, sizes)],
        rows=[{key: value for key, value in row.items() if key != "longest"} for row in rows],
    )


def values_of(rows: Sequence[dict[str, Any]], trained_on: str, size: int, key: str) -> dict[int, float]:
    """Return seed → value of one tokenizer."""
    chosen = [row for row in rows if row["trained_on"] == trained_on and row["vocab_size"] == size]
    return {row["seed"]: float(row[key]) for row in chosen}


def _mean(rows: Sequence[dict[str, Any]], trained_on: str, size: int, key: str) -> Interval:
    return mean_interval(list(values_of(rows, trained_on, size, key).values()))


def foreign_comparisons(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> list[Comparison]:
    """Compare, on each held-out text and size, the other corpus's tokenizer with the text's own, in tokens per byte.

    Tokens per byte, because there lower is better, as everywhere else.
    """
    arms: dict[str, dict[int, float]] = {}
    for text, other in PAIRS:
        for size in sizes:
            own = values_of(rows, text, size, f"on_{text}")
            foreign = values_of(rows, other, size, f"on_{text}")
            arms[f"{size:,} on {text}"] = {seed: 1 / foreign[seed] - 1 / own[seed] for seed in own}
    # The differences are paired already; comparing them with zero keeps one Holm correction over the whole table.
    zero = dict.fromkeys((row["seed"] for row in rows), 0.0)
    return compare({"own": zero, **arms}, "own")


def _findings(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> list[str]:
    sentences, size = [], sizes[-1]
    for text, other in PAIRS:
        own, foreign = (_mean(rows, trained, size, f"on_{text}").mean for trained in (text, other))
        sentences.append(
            f"With {size:,} entries asked for, {text} takes {own:.2f} bytes per token with its own tokenizer and "
            f"{foreign:.2f} with the one trained on {other}: {own / foreign:.2f} × as many tokens."
        )
    entries = {(r["trained_on"], r["vocab_size"]): r["entries"] for r in rows}
    short = [f"{c} at {size:,} ({n:,})" for (c, size), n in entries.items() if n < size]
    if short:
        sentences.append(f"The text had no more pairs to merge, so the vocabulary ended smaller: {', '.join(short)}.")
    verdicts = [c.verdict for c in foreign_comparisons(rows, sizes)]
    if untested := [verdict for verdict in verdicts if verdict not in TESTED]:
        sentences.append(f"Whether that is more than the samples of text would do is {untested[0]}.")
    else:
        cases = f"In {verdicts.count(WORSE)} of {len(verdicts)} cases the foreign tokenizer is worse than the text's"
        sentences.append(f"{cases} own by the paired test; {verdicts.count(BETTER)} times it is better.")
    if speeds := [r["bytes_per_second"] for r in rows if r["bytes_per_second"] is not None]:
        middle = median_high(speeds)
        sentences.append(
            "Encoding on one thread (best of three passes, so a warm cache) ran at a median of "
            f"{quantity(middle, 'B/s')} on held-out text, at which the Pile's {quantity(PILE_BYTES, 'B')} would take "
            f"{duration(PILE_BYTES / middle)}."
        )
    return sentences


def _figure(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> Figure:
    series = []
    for color, (trained, text) in enumerate((t, x) for x in CORPORA for t in CORPORA):
        points = [(size, _mean(rows, trained, size, f"on_{text}")) for size in sizes]
        series += figures.interval_series(f"{text} by the tokenizer of {trained}", points, color)
    return Figure(
        id="compression",
        title="Compression of held-out text",
        caption="Mean over seeds; the band is the 95 % interval of the mean, below three seeds each is a dot.",
        x_axes={"x": "entries asked of the tokenizer"},
        y_label="bytes per token",
        x_log=True,
        series=series,
    )


def _compression_table(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> Table:
    body = []
    for corpus in CORPORA:
        for size in sizes:
            row: dict[str, Any] = {"trained_on": corpus, "vocab_size": size}
            for key in (*(f"on_{c}" for c in CORPORA), "training_seconds"):
                row[key] = _mean(rows, corpus, size, key).cell()
            row["entries"] = round(median_high(values_of(rows, corpus, size, "entries").values()))
            speeds = [r["bytes_per_second"] for r in rows if (r["trained_on"], r["vocab_size"]) == (corpus, size)]
            speed = None if None in speeds else median_high(speeds)
            row["speed"] = None if speed is None else {"value": speed, "text": quantity(speed, "B/s")}
            body.append(row)
    labels = {
        "trained_on": "trained on", "vocab_size": "entries asked", "entries": "entries (median)",
        **{f"on_{c}": f"bytes/token on {c}" for c in CORPORA}, "training_seconds": "training (s)",
    }  # fmt: skip
    if all(row["speed"] is not None for row in body):
        labels["speed"] = "encoding, 1 thread"
    note = "Mean ± half-width of the 95 % interval over seeds, each seed's value below three; speed is their median."
    shown = columns(labels, "trained_on")
    return Table(id="compression", title="Compression and speed", columns=shown, rows=body, note=note)


def _difference_table(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> Table:
    body = [
        c.cells(lambda low, high: f"{1000 * low:+.1f} … {1000 * high:+.1f}")
        | {"case": c.arm, "difference": {"value": c.difference, "text": f"{1000 * c.difference:+.1f}"}}
        for c in foreign_comparisons(rows, sizes)
    ]
    labels = {
        "case": "entries and text", "seeds": "paired seeds", "difference": "more tokens per 1,000 bytes",
        "interval": "interval", "p": "p (Holm)", "verdict": "foreign tokenizer is",
    }  # fmt: skip
    note = (
        "The other corpus's tokenizer against the text's own, paired by seed; intervals at the level of "
        "their Holm step."
    )
    shown, title = columns(labels, "case", "verdict"), "The price of a foreign tokenizer"
    return Table(id="foreign", title=title, columns=shown, rows=body, note=note)


def _longest_table(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> Table:
    first = min(row["seed"] for row in rows)
    chosen = [row for row in rows if row["seed"] == first and row["vocab_size"] == sizes[-1]]
    body = [
        {"trained_on": row["trained_on"], "place": place + 1, "token": repr(token), "length": len(token.encode())}
        for row in chosen
        for place, token in enumerate(row["longest"])
    ]
    labels = {"trained_on": "trained on", "place": "place", "token": "token", "length": "bytes"}
    title = f"Longest tokens, {number(sizes[-1])} entries asked, seed {first}"
    return Table(id="longest", title=title, columns=columns(labels, "trained_on", "token"), rows=body)


STUDY = Study(
    name="tokenizer",
    question="How much does a tokenizer lose on text of another kind than it was trained on?",
    design="Byte-level BPE trained on stories and on documentation or web text, at several sizes, each tried on "
    "held-out documents of both. Every seed draws its own documents; the foreign tokenizer is compared with the "
    "text's own, paired by seed, in tokens per byte.",
    cost={"tiny": "8 tokenizers, seconds", "cpu": "40 tokenizers, under two minutes", "gpu": "30 tokenizers, minutes"},
    plan=plan,
    analyse=analyse,
)
