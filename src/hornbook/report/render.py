"""One HTML file from run and study folders, readable without a network.

Everything is inlined: the style, uPlot (vendored, MIT) and the data as one JSON block. Text from models and corpora is
hostile input: jinja2 escapes it in the markup, `script_json` inside the JSON block, the page's script only ever sets
`textContent`, and a content-security policy admits exactly the one script whose hash it names, and no network at all.
Left out: images; `save_figures` writes SVG and PNG files for a paper.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

import hornbook
from hornbook.errors import DataError
from hornbook.fileio import atomic_write
from hornbook.format import counted, number, setting, visible
from hornbook.report import tables
from hornbook.report.answers import answer_of, size_of
from hornbook.report.design import PAGE, asset
from hornbook.report.drawing import save_figures
from hornbook.report.figures import run_figures
from hornbook.report.forest import forest_html
from hornbook.report.load import RunData, as_number, read_run, read_runs
from hornbook.report.plain_svg import plain_svg
from hornbook.report.storyworld_tables import story_tables, story_value
from hornbook.studies.charts import Figure, record_to_dict
from hornbook.studies.folder import StudyResults, is_study, read_study

MAIN_FIGURES = 3
"""Figures of a study that stand before its tables and are exported; the others follow the tables."""
MOST_FINDINGS = 3
"""Sentences beside a figure that shows the differences; the others are folded."""
MOST_SAMPLES = 24
"""Samples shown of each run, the latest first; the run folder has all."""
LONGEST_SAMPLE = 6_000
"""Characters of one sample on the page."""


def write_report(paths: Sequence[Path], out: Path, *, title: str | None = None, figures: Path | None = None) -> Path:
    """Write one self-contained HTML page about runs and studies.

    Args:
        paths: run folders, study folders, or folders that hold runs.
        out: the HTML file to write (atomically).
        title: heading of the page; by default it names what was given.
        figures: folder for the first three figures of each study, and of the runs, as SVG and PNG (needs matplotlib);
            None writes none.

    Returns:
        `out`.

    Raises:
        DataError: nothing to report in a path.
        FormatError: a folder that is damaged.
        OSError: `out` cannot be written.
    """
    if not paths:
        raise DataError("a report needs at least one run or study folder")
    studies = [read_study(Path(path)) for path in paths if is_study(Path(path))]
    alone = [Path(path) for path in paths if not is_study(Path(path))]
    runs = read_runs(alone) if alone else []
    sections = [study_section(study, i) for i, study in enumerate(studies)]
    if runs:
        sections.append(_runs_section(runs))
    write_page(sections, title or _title(runs, studies), out)
    if figures is not None:
        save_figures([figure for section in sections for figure in section["figures"][:MAIN_FIGURES]], figures)
    return out


def write_page(sections: Sequence[dict[str, Any]], title: str, out: Path) -> None:
    """Write one self-contained page of sections (`section`). Raises OSError."""
    atomic_write(out, visible(_page(sections, title)))


def section(identity: str, **parts: Any) -> dict[str, Any]:
    """Return a part of a page: `title`, `lead`, `findings`, `figures`, `tables`, `samples`, `commands` and what else
    the template (page/page.html.j2) shows; what is not given is left out there."""
    lists = ("findings", "figures", "tables", "samples", "config", "run_names", "environment", "commands", "facts")
    return {"id": identity, "title": "", "lead": "", **{name: [] for name in lists}, **parts}


def _title(runs: Sequence[RunData], studies: Sequence[StudyResults]) -> str:
    if len(studies) == 1 and not runs:
        return f"Study {studies[0].name.replace('_', ' ')} · scale {studies[0].scale}"
    if studies:
        return counted(len(studies), "study") + (f" and {counted(len(runs), 'run')}" if runs else "")
    return f"Run {runs[0].name}" if len(runs) == 1 else f"{len(runs)} runs"


def study_section(study: StudyResults, number: int) -> dict[str, Any]:
    """Return what the template needs to show a study; of every arm the first seed's samples and configuration."""
    shown = {path.parent.name: path for path in reversed(study.runs())}
    firsts = [
        dataclasses.replace(read_run(shown[arm["name"]]), name=arm["name"])
        for arm in study.arms
        if arm["name"] in shown
    ]
    finished = [*filter(None, [study.unfinished]), *study.findings]
    figures = study.figures or (run_figures(firsts) if firsts else [])
    return {
        "id": f"study-{number}",
        "title": study.question,
        "answer": finished[0] if finished else "",
        "size": " · ".join(_size(study)),
        "lead": study.design,
        "findings": finished[1:],
        "figures": figures,
        "main": MAIN_FIGURES,
        "tables": study.tables,
        "samples": _sample_groups(firsts),
        "config": tables.config_rows(firsts) if firsts else [],
        "run_names": [run.name for run in firsts],
        "environment": tables.environment_rows([run.environment for run in firsts] or [study.environment]),
        "commands": [study.command],
        "facts": [],
    }


def _size(study: StudyResults) -> list[str]:
    seeds = counted(len(study.seeds), "seed")
    if not study.arms:
        return [f"scale {study.scale}", seeds]
    arms, runs = counted(len(study.arms), "arm"), counted(len(study.runs()), "run")
    return [f"scale {study.scale}", arms, f"{seeds}, the same for every arm", runs]


def _runs_section(runs: Sequence[RunData]) -> dict[str, Any]:
    """Return what the template needs to show a group of runs."""
    return {
        "id": "runs",
        "title": "",
        "answer": answer_of(runs),
        "size": size_of(runs[0]) if len(runs) == 1 else "",
        "lead": runs[0].note if len(runs) == 1 else "",
        "figures": run_figures(runs),
        "main": 1 if len(runs) == 1 else 2,
        "tables": [tables.final_metrics(runs), *story_tables(runs)],
        "samples": _sample_groups(runs),
        "config": tables.config_rows(runs),
        "run_names": [run.name for run in runs],
        "environment": tables.environment_rows([run.environment for run in runs]),
        "commands": list(dict.fromkeys(run.command for run in runs)),
        "facts": headline(runs[0]) if len(runs) == 1 else [],
    }


def headline(run: RunData) -> list[tuple[str, str, str]]:
    """Return the headline numbers of a single run."""
    row = tables.final_metrics([run]).rows[0]
    measured = row["ratio"] is not None
    share, samples = story_value(run, "valid_share"), story_value(run, "samples")
    valid = share if share is None or samples is None else f"{share * samples:.0f} of {samples:.0f}"
    facts = [
        ("validation loss", row["val_loss"], "nats per token"),
        ("bits per byte", row["bits_per_byte"], ""),
        ("entropy floor", row["floor"], "bits per byte"),
        ("× floor", row["ratio"], "whole stories"),
        (tables.WINDOW_RATIO, None if measured else row["window_ratio"], ""),
        ("tokens", row["tokens"], "seen"),
        ("wall time", (row["seconds"] or {}).get("text"), ""),
        ("cloze", as_number(run.storyworld.get("cloze_accuracy")), "right of two sentences; 0.5 is chance"),
        ("valid stories", valid, "samples that storyworld's parser takes"),
    ]
    return [
        (name, f"{value:.3f}" if isinstance(value, float) else number(value), unit)
        for name, value, unit in facts
        if value is not None
    ]


def _sample_groups(runs: Sequence[RunData]) -> list[dict[str, Any]]:
    """Return samples grouped by prompt and step, one column per run, the latest step first."""
    groups: dict[tuple[int, str], dict[str, Any]] = {}
    for run in runs:
        for sample in run.samples[-MOST_SAMPLES:]:
            step, prompt = sample.get("step"), str(sample.get("prompt", ""))
            key = (step if isinstance(step, int) else -1, prompt)
            group = groups.setdefault(key, {"step": step, "prompt": prompt, "samples": []})
            text = str(sample.get("text", ""))
            plain = {k: v for k, v in sample.items() if not isinstance(v, (dict, list))}
            details = {k: setting(v) for k, v in plain.items() if k not in ("step", "prompt", "text")}
            shown, cut = text[:LONGEST_SAMPLE], len(text) > LONGEST_SAMPLE
            group["samples"].append({"run": run.name, "text": shown, "cut": cut, "details": details})
    ordered = [groups[key] for key in sorted(groups, key=lambda key: -key[0])]
    return ordered[:MOST_SAMPLES]


def _page(sections: Sequence[dict[str, Any]], title: str) -> str:
    figures: list[Figure] = [figure for section in sections for figure in section["figures"]]
    charts = [figure for figure in figures if not figure.horizontal]
    script = "\n".join(map(asset, ("uplot/uPlot.iife.min.js", "axes.js", "chart.js", "page.js")))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["number"] = number
    environment.filters["cell"] = shown_cell
    environment.filters["svg"] = lambda figure: markupsafe.Markup(plain_svg(figure))
    environment.filters["forest"] = lambda figure: markupsafe.Markup(forest_html(figure))
    environment.globals["MOST_FINDINGS"] = MOST_FINDINGS
    return environment.get_template("page.html.j2").render(
        title=title,
        sections=sections,
        data=script_json([record_to_dict(figure) for figure in charts]),
        style="\n".join(map(asset, ("uplot/uPlot.min.css", "base.css", "page.css"))),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        written=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=hornbook.__version__,
    )


def shown_cell(value: Any) -> dict[str, str]:
    """Return what a table cell shows and what it sorts by."""
    if isinstance(value, dict):
        return {"text": str(value.get("text", "–")), "sort": "" if value.get("value") is None else str(value["value"])}
    return {"text": number(value), "sort": "" if value is None else str(value)}


def script_json(value: Any) -> str:
    """Return `value` as JSON that is safe inside `<script type="application/json">`.

    `<`, `>`, `&` and the two line separators that JavaScript once took for line ends are written as escapes, so that no
    text can close the element or open a comment in it (HTML Standard §13.2.5.4).
    """
    text = json.dumps(seen(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def seen(value: Any) -> Any:
    """Return `value` with all text in it as `visible` writes it."""
    if isinstance(value, dict):
        return {key: seen(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [seen(item) for item in value]
    return visible(value) if isinstance(value, str) else value
