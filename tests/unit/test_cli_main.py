"""What a user who slips is told: one sentence on standard error, exit code 2, no traceback."""

import errno
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from hornbook.cli import main as cli
from hornbook.cli.common import command
from hornbook.cli.main import describe_os_error, entry, main


def test_help_lists_every_subcommand(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in cli.names())


def test_an_unknown_subcommand_is_answered_with_the_nearest(capsys):
    assert main(["trian"]) == 2
    assert "did you mean 'train'" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*cli.SUBCOMMANDS, *cli.GROUPS])
def test_every_subcommand_explains_itself_in_eighty_columns(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"usage: hornbook {name}" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["generate"], "needs RUN"),
        (["data", "storyworld", "--level", "hard"], "'easy', 'normal', 'rich'"),
        (["train", "no-such-recipe.toml"], "no-such-recipe.toml"),
        (["eval", "runs/no-such-run"], "no run"),
        (["demo", "--sed", "1"], "--sed"),
    ],
)
def test_a_slip_gets_one_sentence(argv, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("hornbook: ")
    assert words in error
    assert error.count("\n") == 1
    assert "─" not in error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "a.txt"), "there is no file or folder a.txt"),
        (PermissionError(errno.EACCES, "denied", "a.txt"), "permission"),
        (NotADirectoryError(errno.ENOTDIR, "not a directory", "a.txt"), "a.txt is not a folder, and one was wanted"),
        (FileExistsError(errno.EEXIST, "exists", "a.txt"), "a.txt is there already; give another name"),
        (IsADirectoryError(errno.EISDIR, "is a directory", "a"), "a is a folder"),
        (OSError(errno.ENOSPC, "No space left", "a.txt"), "disk is full"),
        (OSError(errno.EIO, "Input/output error", "a.txt"), "a.txt: Input/output error"),
    ],
)
def test_operating_system_errors_are_sentences(error, words):
    assert words in str(describe_os_error(error))


def test_a_demo_that_was_stopped_says_how_to_go_on(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    seen = {}

    def train(recipe, console):
        seen.update(recipe)
        return SimpleNamespace(status="stopped", path=Path("demo/run"))

    monkeypatch.setattr("hornbook.training.loop.train", train)
    assert main(["demo", "--quick", "--training.batch-size", "7", "--data.errors", "replace"]) == 130
    out = capsys.readouterr().out
    assert re.search(r"about 1 minutes, 0\.4 of them training: \d layers of width \d+, .* updates of", out)
    assert re.search(r"expect the loss to end at .* \d\.\d\d × the true entropy of the stories, and \d+%", out)
    assert out.endswith("train demo/run --resume\n")
    assert seen["training"] == {"max_minutes": 0.4, "batch_size": "7", "seed": 0}
    assert seen["data"]["errors"] == "replace"


def test_a_demo_of_no_time_is_refused(capsys):
    assert main(["demo", "--minutes", "0"]) == 2
    assert "--minutes 0 is too short" in capsys.readouterr().err


@pytest.mark.parametrize(("given", "spin"), [({}, "5000"), ({"GOMP_SPINCOUNT": "7"}, "7")])
def test_threads_that_wait_do_not_spin_for_long(monkeypatch, given, spin):
    monkeypatch.setattr("sys.argv", ["hornbook", "--version"])
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "")  # so that it is put back at the end
    monkeypatch.delenv("GOMP_SPINCOUNT")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        entry()
    assert os.environ["GOMP_SPINCOUNT"] == spin


def test_hints_call_hornbook_as_the_user_did(monkeypatch):
    monkeypatch.setattr("sys.argv", [".venv/bin/hornbook", "demo"])
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert command() == ".venv/bin/hornbook"
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/hornbook")
    assert command() == "hornbook"
