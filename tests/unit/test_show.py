"""`hornbook show RUN`: one screen about a run, in every state that a run can be in."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hornbook.cli.arguments import parse_words
from hornbook.cli.main import find, load_subcommand, main
from hornbook.cli.show import curve
from hornbook.fileio import atomic_write
from hornbook.tracking.run import Run
from tests.harness.recipes import quiet_train, tiny_recipe


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("show")
    return quiet_train(tiny_recipe(folder, run={"note": "why it was made", "tags": ["first"]}))


def shown(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    assert main(["show", *map(str, argv)]) == 0
    return capsys.readouterr().out


def test_a_finished_run(done: Run, capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(shown(capsys, done.path).split())
    last = done.summary()
    for words in (
        "status done (",
        "note why it was made",
        "[first]",
        "6.1 k parameters · 1 layer · width 16 · 2 heads · context 16 · vocabulary 61",
        "6 k tokens to train on, 700 to validate on",
        "plan 40 steps of 64 tokens = 2.56 k tokens",
        "done 40 steps · 2.56 k tokens · ",
        f"loss training {last['train_loss']:.4f} · learning rate 0.001",
        f"{last['val_loss']:.4f} ({last['val_bits_per_byte']:.4f} bits/byte)",
        f"best {last['best_val_loss']:.4f} at step {last['best_step']}",
        "checkpoints 36, 40 · ",
        "optimizer.lr=0.01",
        "model.dropout=0.1",
        "schedule.warmup_steps=5",
        f"train {done.path} --resume --training.steps 80 trains it for twice as long",
    ):
        assert words in said, said
    assert "optimizer.eps" not in said, "what is at its default is not shown"


@pytest.mark.parametrize("columns", [60, 80])
def test_it_keeps_to_the_terminal(
    done: Run, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    screen, _, _ = shown(capsys, done.path).partition("\nnext:\n")  # commands stay whole, to be pasted
    assert max(map(len, screen.splitlines())) <= columns


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("stopped", "signal 15 at step 12", "goes on where it was stopped"),
        ("failed", "the disk is full", "goes on where it was stopped"),
        ("diverged", "the loss became nan at step 7", "--optimizer.lr 0.0033 --run.directory none --name run-again"),
        ("running", "", "again later"),
    ],
)
def test_what_to_do_next_follows_from_the_status(
    tmp_path: Path, done: Run, capsys: pytest.CaptureFixture[str], status: str, reason: str, words: str
) -> None:
    run = Run.create(tmp_path / "run", done.config, {})
    run.set_status(status, reason)
    try:
        facts = json.loads(shown(capsys, run.path, "--json"))
        assert (facts["status"], facts["reason"], facts["step"]) == (status, reason, None)
        text = shown(capsys, run.path)
        assert words in text
        assert "nothing yet" in text
        for printed, _ in facts["next"]:
            name, rest = find(shlex.split(printed)[1:])
            parse_words(load_subcommand(name), rest, name)
    finally:
        run.release()


def test_a_run_of_another_version_is_shown_without_its_recipe(
    tmp_path: Path, done: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run.create(tmp_path / "run", done.config, {})
    run.release()
    text = (run.path / "config.toml").read_text().replace("[optimizer]", '[optimizer]\nunheard_of = "x"')
    atomic_write(run.path / "config.toml", text)
    assert "recipe       not one that this version reads" in shown(capsys, run.path)


def test_no_run_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(tmp_path / "nosuch")]) == 2
    assert "there is no run in" in capsys.readouterr().err


def test_torch_is_not_waited_for(done: Run) -> None:
    program = (
        "import sys; from hornbook.cli.main import main; code = main(['show', sys.argv[1]]); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(done.path)], check=True, capture_output=True)


def test_a_curve_is_drawn_from_the_lowest_to_the_highest_value() -> None:
    assert curve([8.0, 4.0, 1.0]) == "█▄▁"
    assert curve([3.0, float("nan"), 3.0, 3.0]) == "▁▁▁"
    assert curve([1.0, 2.0]) == ""
    assert len(curve([float(i) for i in range(500)])) == 20
