"""SGD on a toy problem at learning rates 1, 10, 100 and 1000: the handout's §4.2, Eq. 20, seen and computed.

The loss is the mean of the squares of a 10 × 10 matrix w that starts at 5·randn. Its gradient is w / 50, so one step of
Eq. 20 multiplies w by 1 − α / (50 √(t+1)): the whole course is known in closed form, and measured against it.
"""

from __future__ import annotations

import math
from statistics import fmean

from hornbook.studies.charts import Figure, Table, band, columns
from hornbook.studies.statistics import mean_interval
from hornbook.studies.study import Analysis, Options, Plan, Results, Scale, Study

RATES = (1.0, 10.0, 100.0, 1000.0)
STEPS = 10
SIDE = 10


def plan(scale: Scale, options: Options) -> Plan:
    """Return a plan without runs: the toy problem is measured directly."""
    return Plan(seeds=tuple(range(options.seeds or 5)))


def measure(seed: int, rate: float) -> list[float]:
    """Return the loss before each of the steps and after the last, for one seed and learning rate."""
    import torch

    from hornbook.optim.sgd import SGD

    generator = torch.Generator().manual_seed(seed)
    w = torch.nn.Parameter(5 * torch.randn(SIDE, SIDE, generator=generator))
    optimizer = SGD([w], lr=rate)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = (w**2).mean()
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return [*losses, (w**2).mean().item()]


def predicted(first: float, rate: float) -> list[float]:
    """Return the losses that Eq. 20 gives in closed form from the first one."""
    losses = [first]
    for t in range(STEPS):
        losses.append(losses[-1] * (1 - 2 * rate / (SIDE * SIDE * math.sqrt(t + 1))) ** 2)
    return losses


def analyse(results: Results) -> Analysis:
    """Measure all seeds and learning rates and hold them against the closed form."""
    seeds = results.plan.seeds
    curves: dict[str, list[list[float]]] = results.measured(
        "toy_sgd",
        {"seeds": list(seeds), "rates": RATES},
        lambda: {f"{r:g}": [measure(s, r) for s in seeds] for r in RATES},
    )
    rows, series, worst, csv = [], [], 0.0, []
    for color, rate in enumerate(RATES):
        runs = curves[f"{rate:g}"]
        at_step = list(zip(*runs, strict=True))
        series.append(band(f"lr {rate:g}", {"step": list(range(STEPS + 1))}, at_step, fmean, color=color))
        for seed, run in zip(seeds, runs, strict=True):
            exact = predicted(run[0], rate)
            pairs = [(a, b) for a, b in zip(run, exact, strict=True) if b > 1e-12]
            worst = max(worst, *(abs(a / b - 1) for a, b in pairs))
            csv += [{"lr": rate, "seed": seed, "step": t, "loss": loss} for t, loss in enumerate(run)]
        first, last = (mean_interval([run[i] for run in runs]) for i in (0, -1))
        kind = "converges" if last.mean < 1e-6 * first.mean else "falls" if last.mean < first.mean else "diverges"
        shown = {"value": last.mean, "text": f"{last.mean:.4g}"}
        rows.append({"lr": rate, "first": first.cell(), "last": shown, "kind": kind})
    sentences = [
        f"lr {row['lr']:g}: {row['kind']}, mean loss {row['first']['value']:.4g} → {row['last']['value']:.4g} in "
        f"{STEPS} steps."
        for row in rows
    ]
    sentences.append(f"The measured losses follow the closed form of Eq. 20 to within {worst:.1e} relative (float32).")
    last = f"loss after {STEPS} steps"
    labels = {"lr": "learning rate", "first": "loss at the start", "last": last, "kind": "course"}
    figure = Figure(
        id="toy-sgd",
        title="SGD of Eq. 20 on the mean of squares",
        caption=f"Mean over {len(seeds)} seeds; the band runs from the lowest to the highest.",
        x_axes={"step": "step"},
        y_label="loss",
        y_log=True,
        series=series,
    )
    table = Table(id="toy-sgd", title="Learning rates", columns=columns(labels, "kind"), rows=rows)
    return Analysis(findings=sentences, figures=[figure], tables=[table], rows=csv)


STUDY = Study(
    name="toy_sgd",
    question="What do learning rates 1, 10, 100 and 1000 do to SGD on a toy problem?",
    design="A 10 × 10 matrix started at 5·randn, loss the mean of its squares, ten steps of the handout's Eq. 20 "
    "(learning rate divided by √(t+1)); every course is compared with its closed form.",
    cost={"tiny": "under 5 s", "cpu": "under 5 s", "gpu": "under 5 s"},
    plan=plan,
    analyse=analyse,
)
