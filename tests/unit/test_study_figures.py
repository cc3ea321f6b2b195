"""The figures of a study: what they draw of runs whose numbers are known, in the page and as files."""

import html
import re
from pathlib import Path

import pytest

from hornbook.report.drawing import save_figures
from hornbook.report.forest import forest_html
from hornbook.report.plain_svg import plain_svg
from hornbook.studies.analysis import comparisons, floor_in_metric, standard
from hornbook.studies.charts import figure_from_dict, record_to_dict
from hornbook.studies.figures import curves, difference_figure, final_figure
from hornbook.studies.study import Arm, Options, Outcome, Plan, Results
from hornbook.tracking.console import Console

SEEDS = 5
LOSSES = {"pre-lr-0.1": 3.0, "pre-lr-0.01": 3.5, "none-lr-0.1": None, "none-lr-0.01": 3.002}


def outcome(arm: str, loss: float | None, seed: int) -> Outcome:
    value = None if loss is None else loss + 0.01 * seed + (0.001 * seed**2 if arm.startswith("none") else 0)
    fall = [6.0, 4.0, value] if value is not None else [6.0, 5.0, 60.0]
    places = [{"step": 20 * i, "tokens": 100 * i, "seconds": 1.0 * i} for i in range(3)]
    records = [place | {"val_loss": height} for place, height in zip(places, fall, strict=True)]
    values = {"step": 40, "uniform_loss": 6.2, "entropy_floor_bits_per_byte": 1.0}
    values |= {} if value is None else {"val_loss": value, "val_bits_per_byte": value / 2}
    status = "diverged" if value is None else "done"
    return Outcome(arm=arm, seed=seed, status=status, path=Path("r"), values=values, records=records)


@pytest.fixture
def results(tmp_path):
    arms = tuple(
        Arm(name=name, overrides={}, x=float(name.rsplit("-", 1)[1]), group=name.split("-")[0]) for name in LOSSES
    )
    plan = Plan(arms=arms, seeds=tuple(range(SEEDS)), baseline="pre-lr-0.1", x_label="peak learning rate")
    outcomes = [outcome(arm, loss, seed) for arm, loss in LOSSES.items() for seed in range(SEEDS)]
    return Results(
        plan=plan, scale="tiny", options=Options(), outcomes=outcomes, folder=tmp_path, console=Console(silent=True),
        commit="c",
    )  # fmt: skip


def test_differences_stand_below_each_other_in_the_colour_of_their_verdict(results):
    figure = difference_figure(results, comparisons(results))
    assert figure.horizontal
    assert list(figure.categories or ()) == ["pre-lr-0.01", "none-lr-0.1", "none-lr-0.01"]
    named = {series.name: series for series in figure.series}
    assert named["worse"].y == pytest.approx([0.5])
    assert (named["worse"].x["x"], named["worse"].color) == ([0], 5)
    assert named["not distinguishable"].x["x"] == [2]
    assert (named["diverged in a seed"].x["x"], named["diverged in a seed"].style) == ([1], "cross")
    assert figure.lines == {"pre-lr-0.1": 0.0}
    assert figure_from_dict(record_to_dict(figure), "r") == figure


def test_the_table_of_differences_is_read_aloud_and_drawn_to_scale(results):
    drawn = forest_html(difference_figure(results, comparisons(results)))
    assert drawn.count("<caption>") == 1
    assert re.findall(r'<th scope="row" class="text">(.*?)</th>', drawn) == [
        "pre-lr-0.01",
        "none-lr-0.1",
        "none-lr-0.01",
    ]
    cells = re.findall(r'<td class="text">(.*?)</td>', drawn)
    words = [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in cells]
    assert words[0].startswith("+0.5000 ± 0.0000 worse")
    assert words[1] == " diverged in a seed"
    zero, high = (float(re.findall(rf'class="{c}" style="left: ([\d.]+)%', drawn)[0]) for c in ("rule", "point"))
    assert 0 <= zero < 10
    assert 90 < high <= 100
    assert "✕" in drawn


def test_colour_tells_the_group_and_dashes_the_rate(results):
    found = {s.name: (s.color, s.style) for s in curves(results).series}
    assert found == {
        "pre-lr-0.1": (0, "line"), "pre-lr-0.01": (0, "dash"),
        "none-lr-0.1 ✕": (1, "line"), "none-lr-0.01": (1, "dash"),
    }  # fmt: skip


def test_a_diverged_arm_is_marked_and_its_curve_ends_before_it_rises(results):
    lost = next(s for s in curves(results).series if s.name.endswith("✕"))
    assert lost.y == [6.0, 5.0]
    final = final_figure(results)
    (cross,) = [s for s in final.series if s.style == "cross"]
    assert cross.x["x"] == [0.1]
    assert "5 diverged runs without a final value: ✕." in final.caption
    assert plain_svg(final).count("✕") == 1


def test_curves_over_a_quantity_go_from_left_to_right(results):
    assert [list(s.x["x"]) for s in final_figure(results).series if s.name == "pre"] == [[0.01, 0.1]]


def test_the_floor_is_drawn_in_the_unit_of_the_figure(results):
    assert floor_in_metric(results) == pytest.approx(2.0)
    assert [f.lines.get("entropy floor") for f in standard(results).figures] == [
        pytest.approx(2.0),
        None,
        pytest.approx(2.0),
    ]


def test_three_figures_are_written_as_files_on_light_paper(results, tmp_path):
    files = save_figures(standard(results).figures, tmp_path / "figures")
    assert sorted(file.name for file in files) == [
        "curves-val_loss.png", "curves-val_loss.svg", "differences.png", "differences.svg", "final-val_loss.png",
        "final-val_loss.svg",
    ]  # fmt: skip
    assert "fill: #ffffff" in (tmp_path / "figures/differences.svg").read_text()
