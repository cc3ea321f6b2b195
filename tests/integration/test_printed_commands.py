"""Every command that hornbook prints can be pasted into a shell."""

import re
import shlex
from pathlib import Path

import pytest

import hornbook
from hornbook.cli.common import command
from hornbook.cli.main import main
from hornbook.data.corpora import storyworld

NAME = "it's [my] file (1) & $HOME"
SHAPE = "--model.context-length 64 --model.d-model 32 --model.num-layers 1 --model.num-heads 2"
TINY = f"{SHAPE} --tokenizer.vocab-size 320 --training.steps 3 --training.batch-size 4 --training.threads 1"


def test_words_are_quoted():
    assert shlex.split(command("train", Path(NAME), "--resume")) == ["hornbook", "train", NAME, "--resume"]
    assert command("train", "runs/plain", "--resume") == "hornbook train runs/plain --resume"


def test_no_command_is_put_together_by_hand():
    subcommands = "train|runs|eval|generate|report|account|export|import|data [a-z]+|tokenizer [a-z]+|study [a-z]+"
    by_hand = re.compile(rf"hornbook ({subcommands}) \{{|command\(\)\}}")
    for path in Path(hornbook.__file__).parent.rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            assert not by_hand.search(line), f"{path}:{number}: {line.strip()}"


@pytest.mark.parametrize("name", [NAME, "runs-here/--strange"])
def test_what_a_finished_run_proposes_works_as_it_stands(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "a.txt").write_text(storyworld.generate(30_000, 1, "easy"), encoding="utf-8")
    assert main(["train", "--text", "a.txt", "--run.directory", name, *TINY.split()]) == 0
    shown = capsys.readouterr()
    line = next(line for line in (shown.out + shown.err).splitlines() if line.startswith("try: "))
    proposed = line.removeprefix("try: ").split("     ")
    assert len(proposed) == 2
    for words in map(shlex.split, proposed):
        assert words[0] == "hornbook"
        assert main(words[1:]) == 0


def test_a_note_is_a_flag(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(storyworld.generate(30_000, 1, "easy"), encoding="utf-8")
    assert main(["train", "--text", "a.txt", "--note", "why [not]", "--show-recipe"]) == 0
    assert 'note = "why [not]"' in capsys.readouterr().out
