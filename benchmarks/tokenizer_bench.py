"""What the two tokenizer benchmarks share: fresh processes, systems by turns, medians with spreads, a plot."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

import instruction_set

SEPARATOR = "<|endoftext|>"


def measure(script: str, arguments: list[str], threads: int) -> dict:
    """Run one measurement in a fresh process; it prints one line of JSON."""
    environment = os.environ | {
        "RAYON_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "true",
    }
    run = subprocess.run(
        [sys.executable, script, "--worker", *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if run.returncode:
        sys.exit(f"{arguments} failed:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout.strip().splitlines()[-1])


def alternate(script: str, systems: list[str], arguments: list[str], threads: int, pairs: int) -> dict[str, list[dict]]:
    """Measure the systems by turns, `pairs` times, so that a change of the machine's mood meets all of them."""
    results: dict[str, list[dict]] = {system: [] for system in systems}
    for _ in range(pairs):
        for system in systems:
            results[system].append(measure(script, [system, *arguments, str(threads)], threads))
    return results


def peak_megabytes() -> float:
    """Peak resident memory of this process, file pages included. Not ru_maxrss: a child's begins at its parent's, here
    that of the process that wrote the corpora."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.3f} ({min(values):.3f}–{max(values):.3f})"


def median(results: list[dict], key: str) -> float:
    return statistics.median(result[key] for result in results)


def ratios(ours: list[dict], theirs: list[dict], key: str, *, higher_is_better: bool) -> list[float]:
    """How many times better ours is, pair by pair."""
    pairs = zip(ours, theirs, strict=True)
    return [(a[key] / b[key]) if higher_is_better else (b[key] / a[key]) for a, b in pairs]


def machine() -> str:
    """The processor in general words, and the commit."""
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    flags = "AVX-512" if "avx512bw" in Path("/proc/cpuinfo").read_text() else "AVX2"
    isa = instruction_set.name()
    where = f"{names[0]} ({len(names)} cores, {flags}; hornbook's isa: {isa})"
    return f"{where}, Python {platform.python_version()}, commit {commit.strip()}"


def plot(path: Path, title: str, label: str, bars: dict[str, dict[str, list[float]]]) -> None:
    """Bars by setting and system, with the range of the runs, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 0.6 + 0.42 * sum(map(len, bars.values()))))
    systems = list(dict.fromkeys(system for group in bars.values() for system in group))
    colours = dict(zip(systems, ["#1b7f79", "#c8553d", "#8d8d8d", "#5b7db1"], strict=False))
    at, ticks = 0.0, []
    for setting, group in bars.items():
        for system, values in group.items():
            middle = statistics.median(values)
            axes.barh(at, middle, color=colours[system], height=0.8)
            axes.plot([min(values), max(values)], [at, at], color="black", linewidth=1)
            axes.text(max(values), at, f"  {middle:.3g}", va="center", fontsize=8)
            ticks.append((at, f"{system}, {setting}"))
            at += 1
        at += 0.5
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
