"""`hornbook lr-find RECIPE | --text FILE…`: which learning rates do the first updates stand?

The test is training/launch/lr_range.py's; here are its words, its picture on the terminal and its page.
"""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook import config
from hornbook.cli.arguments import Overrides
from hornbook.cli.common import command, result_console
from hornbook.cli.plot import MARGIN, plot
from hornbook.cli.train import recipe_sections
from hornbook.training.config import check_paths

if TYPE_CHECKING:
    from hornbook.training.launch.lr_range import RangeTest

HONEST = (
    "It says what the first updates from these weights stand, with this batch and clipping; not which rate ends lowest "
    "after a whole run: with a warm-up higher ones are often stood, longer runs want lower ones. Whole runs tell: "
)


def main(
    recipe: str | None = None,
    *,
    text: tuple[str, ...] = (),
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 200,
    html: Path | None = None,
    json_: bool = False,
    overrides: Overrides,
) -> int:
    """A learning-rate range test: one short training whose rate grows until the loss runs away. Nothing is kept.

    Args:
        recipe: a recipe, or the folder of a run, whose recipe is then tested from fresh weights.
        text: text to train on, as in `hornbook train`.
        low: rate of the first update.
        high: rate of the last, if the loss has not run away before.
        steps: updates from low to high.
        html: also write the curve as a page.
        json_: print JSON.
        overrides: keys of the recipe.

    Examples:
        hornbook lr-find recipes/storyworld-cpu.toml
        hornbook lr-find --text my.txt --html lr.html
    """
    console = result_console(json_)
    sections = config.merge(recipe_sections(recipe, text, False, overrides, console), overrides)
    check_paths(sections)
    from hornbook.training.launch.lr_range import range_test
    from hornbook.training.launch.setup import resolve_recipe

    resolved = resolve_recipe(sections)
    found = range_test(resolved, low, high, steps, console)
    sentences = words(found, resolved.optimizer.lr)
    given = [*([recipe] if recipe else []), *(["--text", *text] if text else [])]
    if html is not None:
        write_html(found, sentences, html, command("lr-find", *given))
    if json_:
        print(json.dumps({**_as_json(found), "sentences": sentences, "page": None if html is None else str(html)}))
        return 0
    width = max(40, min(110, shutil.get_terminal_size((100, 24)).columns))
    print("\n".join(picture(found, width)))
    for sentence in sentences:
        print("\n".join(textwrap.wrap(sentence, width, break_on_hyphens=False)))
    if found.suggestion is not None:
        lr = f"{found.suggestion:g}"
        print(f"try: {command('train', *given, '--optimizer.lr', lr)}")
    print(f"     {command('study', 'run', 'learning_rate', '--scale', 'cpu')}")
    if html is not None:
        print(f"page: {html}")
    return 0


def _as_json(found: RangeTest) -> dict[str, Any]:
    """Return a test as plain values."""
    curve = {key: getattr(found, key) for key in ("rates", "losses", "smooth", "slopes")}
    return {key: getattr(found, key) for key in ("suggestion", "steepest", "lowest", "ran_away")} | curve


def words(found: RangeTest, recipes: float) -> list[str]:
    """Return what a test says, in sentences; `recipes` is the rate that the recipe has."""
    end = f"{len(found.rates)} updates, from {found.rates[0]:.2g} to {found.rates[-1]:.2g}, where " + (
        "the loss ran away" if found.ran_away else "the test ended before the loss ran away (--high goes further)"
    )
    if found.suggestion is None:
        return [f"{end}. The loss never fell: no rate can be suggested from it."]
    rule = (
        f"the loss falls most steeply at {found.steepest:.2g} ({min(found.slopes):.2f} nats per decade) and is lowest "
        f"at {found.lowest:.2g}, a tenth of which is {found.lowest / 10:.2g}"
    )
    return [
        f"{end}; {rule}.",
        f"Suggestion: {found.suggestion:g}, the lower of the two (the recipe has {recipes:g}).",
        f"{HONEST}hornbook study run learning_rate.",
    ]


def picture(found: RangeTest, width: int) -> list[str]:
    """Return the smoothed loss over the rate as lines of text; `▲` stands under the suggestion."""
    columns = width - MARGIN
    last = len(found.rates) - 1
    shown = [min(found.smooth[round(c * last / (columns - 1))], found.losses[0] * 1.05) for c in range(columns)]
    inside = [power for power in range(-9, 7) if found.rates[0] <= 10.0**power <= found.rates[-1]]
    ticks = {_column(found.rates, 10.0**power, columns): f"1e{power}" for power in inside}
    mark = None if found.suggestion is None else _column(found.rates, found.suggestion, columns)
    return plot(shown, "{:7.3f}".format, ticks, mark)


def _column(rates: Sequence[float], rate: float, columns: int) -> int:
    from math import log

    return round((columns - 1) * log(rate / rates[0]) / log(rates[-1] / rates[0]))


def write_html(found: RangeTest, sentences: list[str], path: Path, made_by: str) -> None:
    """Write the curve as a page of the reports' design."""
    from hornbook.report.render import section, write_page
    from hornbook.studies.charts import Figure, Series

    top = 2 * max(found.losses[0], found.smooth[0])
    x = {"lr": found.rates}
    series = [
        Series(name="each batch", x=x, y=[v if v < top else None for v in found.losses], style="points", color=1),
        Series(name="smoothed", x=x, y=[v if v < top else None for v in found.smooth], color=0),
    ]
    if found.suggestion is not None:
        at = [found.suggestion, found.suggestion]
        series.append(Series(name="suggestion", x={"lr": at}, y=[min(found.smooth), found.smooth[0]], style="dash"))
    figure = Figure(
        id="lr-find", title="Loss while the learning rate grows", x_axes={"lr": "learning rate"}, x_log=True,
        y_label="loss (nats per token)", series=series,
        caption="One training; every batch is seen once, and the rate is multiplied by the same factor after each. "
        "Smith 2017, arXiv:1506.01186, §3.3.",
    )  # fmt: skip
    answer = sentences[0] if found.suggestion is None else sentences[1]
    part = section("lr-find", answer=answer, findings=sentences, figures=[figure], commands=[made_by])
    write_page([part], "Learning-rate range test", path)
