"""Tables of what storyworld's instruments said of runs: valid stories, where the others fail, novelty, plots.

The numbers are those that `evaluation/storyworld.py` keeps in a run's `summary.json`; a run that nobody has measured is
left out, and so is anything in the file that is no number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hornbook.report.load import RunData, as_number
from hornbook.studies.charts import Table, columns

MEASURES = {
    "samples": "stories written",
    "valid_share": "valid",
    "mean_valid_prefix": "valid part of a sample",
    "sentence_share": "sentences that parse",
    "novelty": "of the valid ones new",
    "plot_coverage": "plots that occur",
    "plot_distance": "distance from the true plots",
    "plot_distance_by_chance": "the same by chance, about",
}
NOTE = (
    "Stories that the model writes from their start at temperature 1, read by storyworld's own parser. Valid part of a "
    "sample: the share of its characters that a story could open with, 1 for a valid one. Sentences "
    "that parse: those before a sample's first mistake. New: not in the training "
    "text. Distance: total variation between the plots of the valid stories and their true probabilities, and what as "
    "many stories of the corpus itself would show."
)


def story_value(run: RunData, key: str) -> float | int | None:
    """Return one measure of a run's written stories, or None."""
    return as_number(_part(run.storyworld, "written").get(key))


def story_tables(runs: Sequence[RunData]) -> list[Table]:
    """Return the tables for those of the runs that were measured: measures, failures by kind, plots."""
    measured = [run for run in runs if _part(run.storyworld, "written")]
    if not measured:
        return []
    shown = columns({"name": "run"} | MEASURES, "name")
    rows = [{"name": run.name} | {key: story_value(run, key) for key in MEASURES} for run in measured]
    tables = [Table(id="stories", title="What storyworld's parser says", columns=shown, rows=rows, note=NOTE)]
    names = {f"run-{i}": run.name for i, run in enumerate(measured)}
    failures = _by_name(measured, "failures", as_number)
    if any(value for row in failures for key, value in row.items() if key != "name"):
        tables.append(
            Table(
                id="story-failures",
                title="Where samples stop being stories",
                columns=columns({"name": "first failure"} | names, "name"),
                rows=failures,
                note="Samples by the kind of their first failure; docs/storyworld.md says what each kind is.",
            )
        )
    plots = _by_name(measured, "plots", lambda value: as_number(_mapping(value).get("count")))
    true = _part(measured[0].storyworld, "written", "plots")
    for row in plots:
        share = as_number(_mapping(true.get(row["name"])).get("true_share"))
        row["true"] = None if share is None else {"value": share, "text": f"{100 * share:.1f} %"}
    tables.append(
        Table(
            id="story-plots",
            title="Plots of the valid stories",
            columns=columns({"name": "plot"} | names | {"true": "share in the corpus"}, "name"),
            rows=plots,
        )
    )
    return tables


def _by_name(runs: Sequence[RunData], part: str, read: Any) -> list[dict[str, Any]]:
    """Return a row for each name in a part of the summaries, with a column for each run."""
    found = [_part(run.storyworld, "written", part) for run in runs]
    names = list(dict.fromkeys(str(name) for part in found for name in part))
    return [{"name": name} | {f"run-{i}": read(part.get(name)) for i, part in enumerate(found)} for name in names]


def _part(part: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for key in path:
        part = _mapping(part.get(key))
    return part


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
