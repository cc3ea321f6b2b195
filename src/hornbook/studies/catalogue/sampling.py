"""Temperature × top-p: how repetitive, how varied and how valid the samples of one trained model are."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

from hornbook.data.sections import DataSection
from hornbook.studies import analysis, figures
from hornbook.studies.charts import Figure, Table, columns
from hornbook.studies.scales import base_recipe, seeds_of
from hornbook.studies.statistics import mean_interval
from hornbook.studies.study import Analysis, Arm, Options, Outcome, Plan, Results, Scale, Study
from hornbook.tokenizer.special import END_OF_TEXT

TEMPERATURES: dict[Scale, tuple[float, ...]] = {
    "tiny": (0.0, 1.0),
    "cpu": (0.0, 0.4, 0.7, 1.0, 1.3),
    "gpu": (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5),
}
TOP_P: dict[Scale, tuple[float, ...]] = {"tiny": (1.0,), "cpu": (0.8, 0.95, 1.0), "gpu": (0.5, 0.8, 0.9, 0.95, 1.0)}
SAMPLES: dict[Scale, int] = {"tiny": 4, "cpu": 32, "gpu": 200}
LENGTH: dict[Scale, int] = {"tiny": 32, "cpu": 200, "gpu": 400}
STEPS_FACTOR = {"tiny": 1, "cpu": 2, "gpu": 2}
"""The model is trained longer than a study's arms are: samples of a bad model say little about sampling."""
MEASURES = {
    "repetition": "share of 4-word sequences that occurred before in the same sample",
    "distinct_1": "distinct words ÷ words, over all samples",
    "distinct_2": "distinct word pairs ÷ word pairs",
    "distinct_3": "distinct word triples ÷ word triples",
    "valid": "share of samples that storyworld's parser accepts as a whole story",
    "valid_part": "share of a sample's characters that a story could open with, 1 for a valid one",
    "novelty": "share of the valid samples that are not in the training text",
    "plot_distance": "total variation between the plots of the valid samples and their true probabilities",
    "words": "words per sample",
}
STORY_MEASURES = {
    "valid": "valid_share",
    "valid_part": "mean_valid_prefix",
    "novelty": "novelty",
    "plot_distance": "plot_distance",
}
"""This study's names → those of `storyworld.Assessment`."""
SETTING = {"temperature": "temperature", "top_p": "top-p"}
"""The first columns of every table."""


def plan(scale: Scale, options: Options) -> Plan:
    """Return one arm, the model that is sampled, once per seed."""
    base = base_recipe(scale, options)
    base["training"] = base["training"] | {"steps": base["training"]["steps"] * STEPS_FACTOR[scale]}
    return Plan(base=base, arms=(Arm(name="model", overrides={}),), seeds=seeds_of(scale, options))


def measure(outcome: Outcome, scale: Scale) -> list[dict[str, Any]]:
    """Return the measures of every setting for the model of one run."""
    import torch

    import hornbook as hb

    model, tokenizer, config = hb.load_run(outcome.path)
    stop = tokenizer.special_token_ids[END_OF_TEXT]
    rows = []
    for temperature, top_p in itertools.product(TEMPERATURES[scale], TOP_P[scale]):
        if temperature == 0 and top_p != 1.0:
            continue  # greedy takes the most probable token whatever top-p is
        generator = torch.Generator().manual_seed(1000 + outcome.seed)
        # Greedy repeats itself exactly; one sample says it all.
        count = 1 if temperature == 0 else SAMPLES[scale]
        ids = hb.generate(
            model, [[stop]] * count, LENGTH[scale], temperature=temperature, top_p=top_p, stop_token=stop,
            generator=generator,
        )  # fmt: skip
        texts = [tokenizer.decode(row.tolist()).strip("\n") for row in ids]
        rows.append(
            {"seed": outcome.seed, "temperature": temperature, "top_p": top_p, "samples": count}
            | text_measures(texts)
            | story_measures(texts, config.data)
            | {"example": texts[0]}
        )
    return rows


def story_measures(texts: Sequence[str], data: DataSection) -> dict[str, Any]:
    """Return what storyworld's instruments say of a set of samples; None where the model is of another corpus."""
    if data.corpus != "storyworld":
        return dict.fromkeys(STORY_MEASURES) | {"failures": {}}
    from hornbook.evaluation.storyworld import assess_samples

    found = assess_samples(texts, data).to_dict()
    measures = {key: found[name] for key, name in STORY_MEASURES.items()}
    if len(texts) == 1:
        measures["plot_distance"] = None  # one story has one plot, which says nothing of a distribution
    return measures | {"failures": found["failures"]}


def text_measures(texts: Sequence[str]) -> dict[str, float | None]:
    """Return repetition, distinct-n (Li et al. 2016) and length of a set of samples; None where there are no words."""
    words = [text.split() for text in texts]
    found: dict[str, float | None] = {"words": sum(map(len, words)) / len(words)}
    for n in (1, 2, 3):
        grams = [gram for row in words for gram in ngrams(row, n)]
        found[f"distinct_{n}"] = len(set(grams)) / len(grams) if grams else None
    rows = [ngrams(row, 4) for row in words]
    total = sum(map(len, rows))
    found["repetition"] = sum(len(row) - len(set(row)) for row in rows) / total if total else None
    return found


def ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """Return every sequence of `n` neighbouring words."""
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def analyse(results: Results) -> Analysis:
    """Sample every seed's model at every setting."""
    rows: list[dict[str, Any]] = []
    for outcome in results.outcomes:
        if outcome.status != "done":
            continue
        results.console.print(f"sampling the model of seed {outcome.seed}")
        inputs = {"version": 2, "scale": results.scale, "seed": outcome.seed, "loss": outcome.values.get("val_loss")}
        rows += results.measured(
            f"samples-seed-{outcome.seed}", inputs, lambda outcome=outcome: measure(outcome, results.scale)
        )
    trained = analysis.arm_table(results)
    if not rows:
        return Analysis(findings=["No model of this study finished, so nothing was sampled."], tables=[trained])
    drawn = [_figure(rows, key) for key in ("valid", "repetition", "distinct_2") if _known(rows, key)]
    drawn.append(figures.curves(results))
    tables = [_table(rows), *_failures(rows), _examples(rows), dataclasses.replace(trained, title="The models")]
    csv = [{key: value for key, value in row.items() if key not in ("example", "failures")} for row in rows]
    return Analysis(findings=_findings(rows), figures=drawn, tables=tables, rows=csv)


def _known(rows: Sequence[dict[str, Any]], key: str) -> bool:
    return any(row[key] is not None for row in rows)


def _settings(rows: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    return list(dict.fromkeys((row["temperature"], row["top_p"]) for row in rows))


def _values(rows: Sequence[dict[str, Any]], setting: tuple[float, float], key: str) -> dict[int, float]:
    chosen = [row for row in rows if (row["temperature"], row["top_p"]) == setting]
    return {row["seed"]: row[key] for row in chosen if row[key] is not None}


def _findings(rows: Sequence[dict[str, Any]]) -> list[str]:
    sentences = []
    for key, better in (("valid", max), ("repetition", min), ("distinct_2", max)):
        means = {s: mean_interval(list(v.values())).mean for s in _settings(rows) if (v := _values(rows, s, key))}
        if not means:
            continue
        worse = min if better is max else max
        best, worst = better(means, key=means.__getitem__), worse(means, key=means.__getitem__)
        if means[best] == means[worst]:
            sentences.append(f"{MEASURES[key]}: {means[best]:.3f} at every setting.")
            continue
        sentences.append(
            f"{MEASURES[key]}: from {means[worst]:.3f} (temperature {worst[0]:g}, top-p {worst[1]:g}) to "
            f"{means[best]:.3f} (temperature {best[0]:g}, top-p {best[1]:g})."
        )
    return [sentence[0].upper() + sentence[1:] for sentence in sentences]


def _figure(rows: Sequence[dict[str, Any]], key: str) -> Figure:
    series = []
    for color, top_p in enumerate(sorted({row["top_p"] for row in rows})):
        points = [
            (t, mean_interval(list(v.values())))
            for t in sorted({row["temperature"] for row in rows})
            if (v := _values(rows, (t, top_p), key))
        ]
        series += figures.interval_series(f"top-p {top_p:g}", points, color)
    return Figure(
        id=key.replace("_", "-"),
        title=MEASURES[key][0].upper() + MEASURES[key][1:],
        caption="Mean over the models of all seeds; the band is the 95 % interval of the mean, "
        "below three models each is a dot.",
        x_axes={"x": "temperature"},
        y_label=key.replace("_", "-"),
        series=series,
    )


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    body = []
    for setting in _settings(rows):
        row: dict[str, Any] = {"temperature": setting[0], "top_p": setting[1]}
        for key in MEASURES:
            values = list(_values(rows, setting, key).values())
            row[key] = mean_interval(values).cell() if values else None
        body.append(row)
    labels = SETTING | {key: key.replace("_", "-") for key in MEASURES if _known(rows, key)}
    note = "; ".join(f"{key.replace('_', '-')}: {text}" for key, text in MEASURES.items() if _known(rows, key)) + "."
    return Table(id="settings", title="Settings", columns=columns(labels), rows=body, note=note)


def _failures(rows: Sequence[dict[str, Any]]) -> list[Table]:
    """Return where the samples of each setting stop being stories, summed over the seeds."""
    kinds = list(dict.fromkeys(kind for row in rows for kind, number in row["failures"].items() if number))
    if not kinds:
        return []
    body = []
    for setting in _settings(rows):
        chosen = [row for row in rows if (row["temperature"], row["top_p"]) == setting]
        row: dict[str, Any] = {"temperature": setting[0], "top_p": setting[1]}
        row["samples"] = sum(r["samples"] for r in chosen)
        body.append(row | {kind: sum(r["failures"].get(kind, 0) for r in chosen) for kind in kinds})
    labels = SETTING | {key: key for key in ("samples", *kinds)}
    note = "Samples of all seeds by the kind of their first failure; docs/storyworld.md says what each kind is."
    title = "Where samples stop being stories"
    return [Table(id="failures", title=title, columns=columns(labels), rows=body, note=note)]


def _examples(rows: Sequence[dict[str, Any]]) -> Table:
    first = min(row["seed"] for row in rows)
    body = [
        {"temperature": row["temperature"], "top_p": row["top_p"], "text": row["example"][:400]}
        for row in rows
        if row["seed"] == first
    ]
    shown = columns(SETTING | {"text": "the first sample (its first 400 characters)"}, "text")
    return Table(id="examples", title=f"Examples, model of seed {first}", columns=shown, rows=body)


STUDY = Study(
    name="sampling",
    question="How do temperature and top-p trade repetition against validity?",
    design="One model per seed, trained longer than the arms of other studies, and samples from it at every "
    "temperature and top-p: repetition within a sample, distinct-n over all, and, on storyworld, what the corpus's "
    "own parser says: valid stories, where the others fail, novelty, plots.",
    cost={"tiny": "2 runs of about 2 s", "cpu": "5 runs of about 60 s and the samples", "gpu": "5 runs of about 3 min"},
    plan=plan,
    analyse=analyse,
)
