"""`hornbook note RUN`: the note and the tags of a run, changed afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from hornbook.cli.main import main
from hornbook.errors import ConfigError
from hornbook.tracking.run import Run

RECIPE = {"run": {"name": "a", "note": "first", "tags": ["old"]}, "optimizer": {"lr": 0.5}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run.create(tmp_path / "a", RECIPE, {"time": 1.0})
    made.release()
    return made


def test_note_and_tags_are_written_and_nothing_else_changes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    note = 'quoted "twice", </script>, \u202e, ü\nand a second line'
    assert main(["note", str(run.path), note, "--tag", "new", "new", "--untag", "old"]) == 0
    again = Run.open(run.path)
    assert (again.note, again.tags) == (note, ["new"])
    assert again.config == {**RECIPE, "run": {"name": "a", "note": note, "tags": ["new"]}}
    assert capsys.readouterr().out.endswith("tags: new\n")


def test_without_words_it_only_says_what_there_is(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run.path / "config.toml").stat().st_mtime_ns
    assert main(["note", str(run.path)]) == 0
    assert capsys.readouterr().out == "note: first\ntags: old\n"
    assert (run.path / "config.toml").stat().st_mtime_ns == before


def test_a_run_that_trains_keeps_its_folder_and_what_a_resume_wrote_stays(run: Run) -> None:
    run.hold()
    stale = Run.open(run.path)
    (run.path / "config.toml").write_text((run.path / "config.toml").read_text().replace("0.5", "0.25"))
    stale.annotate(note="")
    assert Run.open(run.path).config["optimizer"]["lr"] == 0.25
    assert (Run.open(run.path).note, Run.open(run.path).tags) == ("", ["old"])
    run.release()


@pytest.mark.parametrize("tag", ["", "two words", " a", "a\n"])
def test_a_tag_is_one_word(run: Run, tag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["note", str(run.path), "--tag", tag]) == 2
    assert "a tag is one word without spaces" in capsys.readouterr().err
    assert Run.open(run.path).tags == ["old"]


def test_half_a_character_is_refused_and_the_old_note_stays(run: Run) -> None:
    with pytest.raises(ConfigError, match="half a character"):
        run.annotate(note="\ud800")
    assert Run.open(run.path).note == "first"
