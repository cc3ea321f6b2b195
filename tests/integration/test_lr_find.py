"""`hornbook lr-find`: a rate that grows until the loss runs away, and what is read from the curve."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hornbook.cli.lr_find import picture
from hornbook.cli.main import main
from hornbook.config import dump_toml
from hornbook.training.launch.lr_range import RangeTest, _read
from tests.harness.recipes import tiny_recipe

pytestmark = pytest.mark.usefixtures("own_folders")


def curve(rates: list[float]) -> list[float]:
    """A loss that falls from 6 most steeply at 1e-3, is lowest near 1e-2, and rises after."""
    x = np.log10(rates)
    return list(6 - 3 / (1 + np.exp(-4 * (x + 3))) + 8 / (1 + np.exp(-6 * (x + 1))))


def test_the_suggestion_is_the_lower_of_the_steepest_point_and_a_tenth_of_the_lowest() -> None:
    rates = [10 ** (-5 + 5 * k / 199) for k in range(200)]
    found = _read(rates, curve(rates), ran_away=True)
    assert found.steepest == pytest.approx(1e-3, rel=0.1)
    assert 0.01 < found.lowest < 0.03
    assert found.suggestion == pytest.approx(min(found.steepest, found.lowest / 10), rel=0.05)
    noisy = [v + 0.2 * math.sin(37 * k) for k, v in enumerate(curve(rates))]
    assert _read(rates, noisy, ran_away=True).steepest == pytest.approx(1e-3, rel=0.3)


def test_where_nothing_falls_nothing_is_suggested() -> None:
    rates = [10 ** (-5 + 5 * k / 99) for k in range(100)]
    assert _read(rates, [4.0 + k / 50 for k in range(100)], ran_away=False).suggestion is None
    assert _read(rates, [4.0] * 100, ran_away=False).suggestion is None


@pytest.mark.parametrize("width", [60, 80])
def test_the_picture_fits(width: int) -> None:
    rates = [10 ** (-5 + 5 * k / 199) for k in range(200)]
    found = _read(rates, curve(rates), ran_away=True)
    lines = picture(found, width)
    assert max(map(len, lines)) <= width
    assert sum("•" in line for line in lines) == 10
    assert "▲" in lines[-2]
    assert "1e-3" in lines[-1]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    sections = tiny_recipe(tmp_path / "data")
    del sections["run"]
    path = tmp_path / "recipe.toml"
    path.write_text(dump_toml(sections))
    return path


def test_a_recipe_is_tested_and_nothing_is_kept(
    recipe: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = {*tmp_path.rglob("*")}
    words = ["lr-find", str(recipe), "--steps", "60", "--html", "lr.html", "--optimizer.lr", "0.02"]
    assert main([*words, "--high", "1000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ran_away"] is True
    assert found["rates"][0] == pytest.approx(1e-5)
    ratios = {round(b / a, 6) for a, b in zip(found["rates"], found["rates"][1:], strict=False)}
    assert len(ratios) == 1, "the rate is multiplied by the same factor after every update"
    assert 1e-4 < found["suggestion"] < 1
    assert found["losses"][0] == pytest.approx(math.log(61), abs=0.6)
    page = Path("lr.html").read_text()
    assert "Smith 2017" in page
    assert '<p class="answer">Suggestion: ' in page
    assert "the recipe has 0.02" in page
    assert {*tmp_path.rglob("*")} - before == {tmp_path / "lr.html"}
    assert main([*words[:4], "--high", "0.001"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the test ended before the loss ran away (--high goes further)" in said
    assert "not which rate ends lowest after a whole run" in said


def test_muon_keeps_the_ratio_of_its_rates(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lr-find", str(recipe), "--steps", "40", "--optimizer.name", "muon", "--json", "--high", "1e3"]) == 0
    assert json.loads(capsys.readouterr().out)["ran_away"] is True


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "nothing to train: give a recipe"),
        (["nosuch.toml"], "there is no file or folder nosuch.toml"),
        (["RECIPE", "--low", "2", "--high", "1"], "a sweep from 2 to 1 in 200 updates is none"),
        (["RECIPE", "--steps", "5"], "in 5 updates is none: give 0 < --low < --high, and --steps 20 or more"),
        (["RECIPE", "--low", "1e5", "--high", "1e6"], "the loss ran away after"),
        (["RECIPE", "--optimizer.lr", "0"], "optimizer.lr = 0 has no ratio to other rates"),
        (["RECIPE", "--model.nosuch", "1"], "model.nosuch"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    recipe: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["lr-find", *(str(recipe) if word == "RECIPE" else word for word in words)]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


def test_a_test_is_plain_values() -> None:
    assert RangeTest([1.0], [1.0], True, [1.0], [0.0]).suggestion is None
