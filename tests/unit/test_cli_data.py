"""`hornbook data`: stories for a person, explained, and written to a file; bad input gets one sentence."""

import pytest

from hornbook.cli.data import size_in_bytes
from hornbook.cli.main import main
from hornbook.data import storyworld
from hornbook.errors import ConfigError


def test_show_prints_the_stories(capsys):
    assert main(["data", "storyworld", "--show", "2", "--seed", "1", "--level", "rich"]) == 0
    out = capsys.readouterr().out
    assert storyworld.story(0, 1, "rich") in out
    assert storyworld.story(1, 1, "rich") in out


def test_explain_shows_every_choice_with_its_probability(capsys):
    assert main(["data", "storyworld", "--show", "1", "--level", "easy", "--explain"]) == 0
    out = capsys.readouterr().out
    decisions = storyworld.parse(storyworld.story(0, 1, "easy"), "easy")
    assert f"{len(decisions)} choices" in out
    assert all(f"{d.weight}/{d.total}" in out for d in decisions)


def test_a_corpus_is_written_whole(tmp_path, capsys):
    out = tmp_path / "corpus.txt"
    assert main(["data", "storyworld", "--bytes", "20KB", "--out", str(out), "--level", "easy", "--seed", "4"]) == 0
    assert out.read_text() == storyworld.generate(20_000, 4, "easy")
    assert str(out) in capsys.readouterr().out


def test_list_names_the_levels(capsys):
    assert main(["data", "list"]) == 0
    assert "easy, normal, rich" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["storyworl"], "did you mean 'storyworld'"),
        (["storyworld", "--bytes", "20MB"], "go together"),
        (["storyworld", "--bytes", "many", "--out", "x"], "no size"),
        (["storyworld", "--show", "0"], "at least 1"),
        (["storyworld", "--seed", "-1"], "seed -1"),
        (["list", "more"], "takes no arguments"),
    ],
)
def test_bad_arguments_get_one_sentence(arguments, words, capsys):
    assert main(["data", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("text", "size"), [("1GB", 10**9), ("1.5 MiB", 1_572_864), ("300", 300), ("2kb", 2000)])
def test_sizes_are_read(text, size):
    assert size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "0", "-3MB", "nanMB", "3XB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ConfigError):
        size_in_bytes(text)
