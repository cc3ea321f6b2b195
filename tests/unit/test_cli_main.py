"""What a user who slips is told: one sentence on standard error, exit code 2, no traceback."""

import errno

import pytest

from hornbook.cli import main as cli
from hornbook.cli.main import describe_os_error, main


def test_help_lists_every_verb(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in cli.VERBS)


def test_unknown_verb_is_answered_with_the_nearest(capsys):
    assert main(["trian"]) == 2
    assert "did you mean 'train'" in capsys.readouterr().err


@pytest.mark.parametrize("verb", list(cli.VERBS))
def test_every_verb_explains_itself(verb, capsys):
    try:
        code = main([verb, "--help"])
    except SystemExit as stop:  # tyro's way to end after its help
        code = stop.code
    assert code in (0, None)
    assert f"hornbook {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["generate"], "missing"),
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
        (IsADirectoryError(errno.EISDIR, "is a directory", "a"), "a is a folder"),
        (OSError(errno.ENOSPC, "No space left", "a.txt"), "disk is full"),
        (OSError(errno.EIO, "Input/output error", "a.txt"), "a.txt: Input/output error"),
    ],
)
def test_operating_system_errors_are_sentences(error, words):
    assert words in describe_os_error(error)
