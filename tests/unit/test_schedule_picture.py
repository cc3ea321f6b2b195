"""`hornbook train … --show-schedule`: the learning rate over a run, before it is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from hornbook.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--schedule.warmup-steps", "40", "--training.steps", "400", "--optimizer.lr", "0.01"],
         "cosine: 0.01 after 40 steps of warm-up, 0.001 at the end"),
        (["--schedule.name", "wsd", "--training.max-minutes", "5", "--optimizer.lr", "0.01", "--schedule.min-lr", "0"],
         "wsd: 0.01 after "),
    ],
)  # fmt: skip
def test_the_rate_is_drawn(
    width: int, words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["train", str(ROOT / "recipes" / "storyworld-cpu.toml"), *words, "--show-schedule"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert said in lines[-1]
    assert lines[0].startswith("1.0e-02 ┤")
    columns = [line[9:].ljust(width - 9) for line in lines[:10]]
    assert all(sum(row[c] == "•" for row in columns) == 1 for c in range(width - 9)), "one dot in every column"
    assert lines[-2].endswith("5 min" if "--training.max-minutes" in words else "400 steps")
