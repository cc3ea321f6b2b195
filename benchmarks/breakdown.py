"""Where the milliseconds of one training step go: `bench_training.py --breakdown`.

Every PyTorch operator and every kernel of hornbook is timed by itself, forward, backward and update apart; of each call
counts the least over all steps, as other work on the machine only ever adds. The last line is what remains of the best
step that nothing is timed in: Python, dispatch, memory. With `--threads 1` the clock is that thread's processor time,
so that such a table can be made on a machine that is busy; with more it is the wall's, and nothing else may run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hornbook.nn import _kernels

PARTS = {
    "mm": "matrix products", "addmm_": "matrix products",
    "attention_forward": "attention", "attention_backward": "attention",
    "swiglu_forward": "silu(gate) · up", "swiglu_backward": "silu(gate) · up",
    "rms_norm_forward": "RMSNorm", "rms_norm_backward": "RMSNorm",
    "cross_entropy": "cross-entropy", "_fused_adamw_": "AdamW",
    "_foreach_norm": "norm of the gradients, clipping", "linalg_vector_norm": "norm of the gradients, clipping",
    "_foreach_mul_": "norm of the gradients, clipping",
    "embedding": "embedding", "embedding_dense_backward": "embedding",
    "cat": "weights side by side", "add": "additions", "add_": "additions",
    "mul_": "scaling by the loss's gradient", "mul": "scaling by the loss's gradient",
}  # fmt: skip
"""Operators of aten and kernels of hornbook → what the table calls them; all others are "the rest"."""
KERNELS = [name for name in PARTS if hasattr(_kernels, name)]

Calls = list[tuple[str, str, float]]
"""Phase, part and seconds of each call, in order."""


class Watch(TorchDispatchMode):
    """Notes the seconds of one call after another."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
        self.phase, self.calls = "", Calls()

    def timed(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Return what the function returns."""
        start = self.clock()
        out = function(*given, **named)
        self.calls.append((self.phase, PARTS.get(name, "the rest"), self.clock() - start))
        return out

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.timed(func.overloadpacket.__name__, func, *args, **(kwargs or {}))


@contextmanager
def watching() -> Iterator[Watch]:
    """Time all operators and kernels that are called inside."""
    watch, before = Watch(), {name: getattr(_kernels, name) for name in KERNELS}
    for name, kernel in before.items():
        setattr(_kernels, name, lambda *a, _n=name, _k=kernel, **k: watch.timed(_n, _k, *a, **k))
    try:
        with watch:
            yield watch
    finally:
        for name, kernel in before.items():
            setattr(_kernels, name, kernel)


Phases = list[tuple[str, Callable[[], object]]]
"""The phases of a step in order: what each is called, and what it runs."""


def breakdown(phases: Phases, repetitions: int) -> tuple[float, Calls]:
    """Return the seconds of the best whole step, and each call's least over the steps that make the first one's calls.

    Not all do: gradients are scaled in those alone that are clipped.
    """
    best, least = float("inf"), Calls()
    for _, run in 2 * phases:  # the first step makes what later ones find
        run()
    for _ in range(repetitions):
        with watching() as watch:
            for watch.phase, run in phases:
                run()
        if not least or [call[:2] for call in least] == [call[:2] for call in watch.calls]:
            pairs = zip(least or watch.calls, watch.calls, strict=True)
            least = [(phase, part, min(before, now)) for (phase, part, before), (_, _, now) in pairs]
        start = watch.clock()
        for _, run in phases:
            run()
        best = min(best, watch.clock() - start)
    return best, least


def table(phases: Phases, best: float, least: Calls) -> str:
    """The table as Markdown, in milliseconds, with each line's share of the step."""
    names = [name for name, _ in phases]
    sums = {part: [0.0] * len(names) for _, part, _ in least}
    for phase, part, seconds in least:
        sums[part][names.index(phase)] += seconds
    rows = sorted(sums.items(), key=lambda row: -sum(row[1]))
    known = sum(seconds for _, _, seconds in least)
    rows.append(("Python, dispatch, memory", [0.0] * (len(names) - 1) + [best - known]))
    lines = [f"| ms of a step of {best * 1e3:,.1f} | {' | '.join(names)} | together | share |"]
    lines.append("|" + "---|" * (len(names) + 3))
    for part, row in rows:
        cells = [f"{s * 1e3:,.1f}" if s else "" for s in (*row, sum(row))]
        lines.append(f"| {part} | {' | '.join(cells)} | {sum(row) / best:.1%} |")
    return "\n".join(lines)
