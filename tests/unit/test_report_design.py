"""The design: one place of colours, readable in both modes, and no colour anywhere else."""

import itertools
import re
from pathlib import Path

import pytest

from hornbook.report.design import PAGE, SERIES, asset, colors

GROUNDS = ("paper", "card")
WORDS = ("ink", "soft", "accent", "good", "bad", *(f"series-{i}" for i in range(SERIES)))


def luminance(color: str) -> float:
    """Of `#rrggbb`, as WCAG 2.2 defines it."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Of two colours: 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_known_pairs():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the usual example of just too little


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_colour_of_words_and_curves_reads_on_every_ground(mode):
    found = colors(mode)
    pairs = [*itertools.product(WORDS, GROUNDS), ("ink", "mark"), ("card", "ink")]
    low = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in pairs}
    assert {pair: round(value, 2) for pair, value in low.items() if value < 4.5} == {}


def test_colours_stand_in_the_stylesheet_alone():
    for file in sorted(PAGE.glob("*.*")):
        if file.name != "base.css":
            assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?!;?\d*;)", re.sub(r"&#\d+;", "", file.read_text())) == [], file
    assert asset("base.css").count("--series-0:") == 1


def test_every_svg_of_the_docs_has_a_light_ground_of_its_own():
    """A page of a dark theme shows them without one on black, where their dark words vanish."""
    files = sorted((Path(__file__).parents[2] / "docs").rglob("*.svg"))
    assert len(files) >= 8
    for file in files:
        drawn = file.read_text(encoding="utf-8")
        # Of matplotlib a path over all of the canvas, of tools a rectangle, of flame graphs a gradient.
        whole = r'id="patch_1">\s*<path d="[^"]*" style="fill: #ffffff'
        ground = re.search(whole + r'|<rect [^>]*fill="(#fff(fff)?|url\(#background\))"', drawn)
        assert ground is not None, file
        assert "opacity" not in ground[0], file
