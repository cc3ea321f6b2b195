"""Five trainers of the same BPE, from naive to native: the same merges, timed side by side over growing text.

The trainers and the check that their merges agree are `hornbook.tokenizer.ladder`'s; each rung runs in a process of its
own. A rung that has become too slow is not taken to larger texts, and the table shows where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median_high
from typing import Any

from hornbook.data.text_reader import TextReader
from hornbook.fileio import atomic_write
from hornbook.studies.charts import Figure, Table, band, columns
from hornbook.studies.statistics import mean_interval
from hornbook.studies.study import Analysis, Options, Plan, Results, Scale, Study
from hornbook.tokenizer.special import END_OF_TEXT

BYTES: dict[Scale, tuple[int, ...]] = {
    "tiny": (50_000, 200_000),
    "cpu": (100_000, 1_000_000, 10_000_000),
    "gpu": (1_000_000, 10_000_000, 100_000_000),
}
VOCAB_SIZE = {"tiny": 400, "cpu": 1000, "gpu": 10_000}
REPEATS = {"tiny": 1, "cpu": 3, "gpu": 3}
TOO_SLOW = {"tiny": 10.0, "cpu": 10.0, "gpu": 120.0}
"""Seconds after which a rung is not tried on the next larger text."""


def plan(scale: Scale, options: Options) -> Plan:
    """Return a plan without runs: the trainers are timed directly, once per repetition."""
    return Plan(seeds=tuple(range(options.seeds or REPEATS[scale])))


def measure(path: Path, scale: Scale, rungs: Sequence[str]) -> list[dict[str, Any]]:
    """Time the given rungs once on one text."""
    from hornbook.tokenizer.ladder import timing

    return [
        {
            "rung": rung.name,
            "count_seconds": rung.count_seconds,
            "merge_seconds": rung.merge_seconds,
            "seconds": rung.total_seconds,
            "peak_mb": rung.peak_mb,
            "merges_sha256": rung.merges_sha256,
        }
        for rung in timing.run(path, VOCAB_SIZE[scale], (END_OF_TEXT,), rungs=rungs)
    ]


def analyse(results: Results) -> Analysis:
    """Time every rung on every size, smallest first."""
    from hornbook.tokenizer.ladder.timing import RUNGS

    scale, rows = results.scale, []
    rungs = list(RUNGS)
    for size in BYTES[scale]:
        path = _text(results, size)
        for repeat in results.plan.seeds:
            results.console.print(f"{size:,} bytes, repetition {repeat + 1}: {', '.join(rungs)}")
            inputs = {"scale": scale, "size": size, "repeat": repeat, "rungs": rungs, "text": str(results.options.text)}
            measured = results.measured(
                f"{size}-bytes-{repeat}", inputs, lambda path=path, rungs=tuple(rungs): measure(path, scale, rungs)
            )
            rows += [row | {"bytes": size, "repeat": repeat} for row in measured]
        slow = {r["rung"] for r in rows if r["bytes"] == size and r["seconds"] > TOO_SLOW[scale]}
        rungs = [name for name in rungs if name not in slow]
        path.unlink(missing_ok=True)
    figure = _figure(rows, list(RUNGS))
    return Analysis(findings=_findings(rows, scale), figures=[figure], tables=[_table(rows)], rows=rows)


def _text(results: Results, size: int) -> Path:
    path = results.folder / "text" / f"{size}.txt"
    if results.options.text is not None:
        content = bytearray()
        for chunk in TextReader(results.options.text):
            content += chunk
            if len(content) >= size:
                break
        atomic_write(path, content[:size].decode("utf-8", "ignore"))
    else:
        from hornbook.data.corpora import storyworld

        atomic_write(path, storyworld.generate(size, 1))
    return path


def _seconds(rows: Sequence[dict[str, Any]], rung: str, size: int) -> list[float]:
    return [row["seconds"] for row in rows if row["rung"] == rung and row["bytes"] == size]


def _findings(rows: Sequence[dict[str, Any]], scale: Scale) -> list[str]:
    sentences = []
    for size in sorted({row["bytes"] for row in rows}):
        digests = {row["merges_sha256"] for row in rows if row["bytes"] == size}
        names = list(dict.fromkeys(row["rung"] for row in rows if row["bytes"] == size))
        assert len(digests) == 1, "timing.run compares the merges"
        medians = {name: median_high(_seconds(rows, name, size)) for name in names}
        said = f"{size:,} bytes, {VOCAB_SIZE[scale]:,} entries: {len(names)} trainers give the same merges"
        sentences.append(f"{said}; {ranking(medians)}.")
    return sentences


def ranking(seconds: Mapping[str, float]) -> str:
    """Return how the times of trainers compare, in words; those that are mostly starting are not ranked."""
    from hornbook.tokenizer.ladder.timing import SHORTEST

    quick = [name for name, took in seconds.items() if took < SHORTEST]
    if len(quick) == len(seconds):
        return f"each takes under {SHORTEST} s, which is mostly starting and says nothing of their speed"
    slowest, fastest = max(seconds, key=seconds.__getitem__), min(seconds, key=seconds.__getitem__)
    last = f"{slowest} {'' if not quick else 'takes '}{seconds[slowest]:.3f} s"
    if quick:
        return f"{last}; not ranked, because under {SHORTEST} s a time is mostly starting: {', '.join(quick)}"
    return f"{fastest} takes {seconds[fastest]:.3f} s, {last}, {seconds[slowest] / seconds[fastest]:.0f} × as long"


def _figure(rows: Sequence[dict[str, Any]], rungs: Sequence[str]) -> Figure:
    series = []
    for color, rung in enumerate(rungs):
        sizes = sorted({row["bytes"] for row in rows if row["rung"] == rung})
        times = [_seconds(rows, rung, size) for size in sizes]
        series.append(band(rung, {"x": sizes}, times, median_high, style="both", color=color))
    return Figure(
        id="ladder",
        title="Time to train",
        caption="Median over repetitions, counting and merging; the band runs from the fastest to the slowest.",
        x_axes={"x": "bytes of text"},
        y_label="seconds",
        x_log=True,
        y_log=True,
        series=[s for s in series if s.y],
    )


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    body = []
    for size, rung in dict.fromkeys((row["bytes"], row["rung"]) for row in rows):
        chosen = [row for row in rows if row["bytes"] == size and row["rung"] == rung]
        means = {key: fmean(row[key] for row in chosen) for key in ("count_seconds", "merge_seconds", "peak_mb")}
        seconds = mean_interval([row["seconds"] for row in chosen]).cell()
        body.append({"bytes": size, "rung": rung, **means, "seconds": seconds})
    labels = {
        "bytes": "bytes", "rung": "trainer", "count_seconds": "counting (s)", "merge_seconds": "merging (s)",
        "seconds": "together (s)", "peak_mb": "peak memory (MB)",
    }  # fmt: skip
    note = "Means over repetitions. A trainer missing from a larger text was too slow on the smaller one."
    return Table(id="ladder", title="The rungs", columns=columns(labels, "rung"), rows=body, note=note)


STUDY = Study(
    name="bpe_ladder",
    question="What does each idea of a fast BPE trainer buy?",
    design="The same text and vocabulary size through five trainers, naive, incremental, with a heap, with parallel "
    "counting and native; the merges must be equal. Each runs in a fresh process, over growing text.",
    cost={"tiny": "seconds", "cpu": "a few minutes", "gpu": "about half an hour (no GPU is used)"},
    plan=plan,
    analyse=analyse,
)
