"""The signature of a function is the parser of a subcommand."""

import re
import shlex
from pathlib import Path
from typing import Annotated, Literal

import pytest

from hornbook.cli.arguments import Overrides, Words, docstring_of, parse_words
from hornbook.cli.help import command_help
from hornbook.cli.main import SUBCOMMANDS, find, load_subcommand, main
from hornbook.errors import ConfigError
from hornbook.training.config import describe


def bake(
    recipe: Path,
    extras: tuple[str, ...] = (),
    *,
    oven_heat: int = 180,
    bake_time: float | None = None,
    label: str | None = None,
    pan: Literal["round", "square"] = "round",
    marks: Annotated[tuple[str, ...], "MARK …"] = ("x",),
    layers: tuple[int, ...] = (),
    cover: bool = True,
    json_: bool = False,
):
    """Bake a cake, described in a sentence that is long enough to be broken at eighty columns and before a hundred.

    Args:
        recipe: the file with
            the recipe.
        extras: what else goes in.
        oven_heat: of the oven.
        bake_time: in minutes.
        label: what stands on it.
        pan: its shape.
        marks: cut into it.
        layers: heights.
        cover: with paper.
        json_: as JSON.

    Examples:
        hornbook bake cake.toml
    """


def read(line: list[str]):
    return parse_words(bake, line, "hornbook bake")


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["a.toml"], {"recipe": Path("a.toml")}),
        (["a.toml", "nuts", "figs"], {"recipe": Path("a.toml"), "extras": ("nuts", "figs")}),
        (["--oven-heat", "200", "a"], {"recipe": Path("a"), "oven_heat": 200}),
        (["a", "--oven_heat=2e2"], {"recipe": Path("a"), "oven_heat": 200}),
        (["a", "--oven-heat", "-5"], {"recipe": Path("a"), "oven_heat": -5}),
        (["a", "--oven-heat", "1", "--oven-heat", "2"], {"recipe": Path("a"), "oven_heat": 2}),
        (["a", "--bake-time", "30"], {"recipe": Path("a"), "bake_time": 30.0}),
        (["a", "--label", "none"], {"recipe": Path("a"), "label": "none"}),
        (["a", "--bake-time", "none"], {"recipe": Path("a"), "bake_time": None}),
        (["a", "--label", "--- 50 years"], {"recipe": Path("a"), "label": "--- 50 years"}),
        (["a", "--label=--x=y"], {"recipe": Path("a"), "label": "--x=y"}),
        (["a", "--label="], {"recipe": Path("a"), "label": ""}),
        (["a", "--pan", "square"], {"recipe": Path("a"), "pan": "square"}),
        (["--layers", "1", "2", "--json", "a"], {"recipe": Path("a"), "layers": (1, 2), "json_": True}),
        (["a", "--layers", "1", "--layers", "2", "3"], {"recipe": Path("a"), "layers": (1, 2, 3)}),
        (["a", "--marks"], {"recipe": Path("a"), "marks": ()}),
        (["a", "--no-cover"], {"recipe": Path("a"), "cover": False}),
        (["a", "--no-cover", "--cover"], {"recipe": Path("a"), "cover": True}),
        (["a", "--cover=no"], {"recipe": Path("a"), "cover": False}),
        (["--", "--a", "-b"], {"recipe": Path("--a"), "extras": ("-b",)}),
        (["-", "-3"], {"recipe": Path("-"), "extras": ("-3",)}),
    ],
)
def test_words_become_values_of_the_parameters_types(words, values):
    assert read(words) == values


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "`hornbook bake` needs RECIPE: the file with the recipe; `hornbook bake --help` says what it takes"),
        (["a", "--layers"], r"--layers wants a value \(INT …\), and nothing came"),
        (["a", "--layers", "1", "x"], "--layers: wanted a whole number, got 'x'"),
        (["a", "--oven-heat", "--json"], "and --json came"),
        (["a", "--no-json=1"], "there is no flag '--no-json'"),
        (["a", "--model.d-model", "3"], "there is no flag '--model.d-model'"),
    ],
)
def test_what_does_not_fit_is_a_sentence(words, sentence):
    with pytest.raises(ConfigError, match=sentence):
        read(words)


def test_keys_of_a_recipe_are_collected_where_they_are_taken():
    def roast(beans: str = "all", *, hot: bool = False, overrides: Overrides, words: Words):
        """Roast."""

    line = ["--model.d-model", "8", "--hot", "--model.tie_embeddings", "--data.text=a,b", "some"]
    assert parse_words(roast, line, "hornbook roast") == {
        "beans": "some",
        "hot": True,
        "overrides": {"model": {"d_model": "8", "tie_embeddings": True}, "data": {"text": "a,b"}},
        "words": tuple(line),
    }


@pytest.mark.parametrize("columns", [80, 120])
def test_help_keeps_within_the_terminal_and_is_plain_in_a_pipe(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = command_help(bake, "hornbook bake")
    assert max(map(len, text.splitlines())) <= columns
    assert "\x1b" not in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        "usage: hornbook bake RECIPE [EXTRAS …] [flags]",
        "RECIPE the file with the recipe.",
        "--oven-heat INT of the oven. (default 180)",
        "--bake-time NUMBER in minutes.",
        "--pan round|square its shape. (default round)",
        "--marks MARK … cut into it. (default x)",
        "--cover, --no-cover with paper.",
        "--json as JSON.",
        "hornbook bake cake.toml",
    ):
        assert line in lines


@pytest.mark.parametrize("columns", [80, 120])
def test_train_help_lists_every_key_with_type_default_and_meaning(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= columns
    for section in describe():
        assert f"\n[{section.name}] " in text
        for key in section.keys:
            assert f"\n  --{section.name}.{key.flag} " in text
            assert key.text
    words = " ".join(text.split())
    assert "--training.steps INT Updates of the weights; not used where `max_minutes` is given. (default 5000)" in words
    assert "--model.d-model INT C, the width of the residual stream. (required)" in words
    assert "--training.compile true|false|auto Compile the step;" in words


def test_the_examples_of_help_are_understood():
    examples = [docstring_of(load_subcommand(name))[2] for name in SUBCOMMANDS]
    lines = re.findall(r"hornbook [a-z][^>)#\n]*", "\n".join(examples))
    assert len(lines) > 20
    for line in lines:
        name, words = find(shlex.split(line)[1:])
        assert isinstance(parse_words(load_subcommand(name), words, name), dict)
