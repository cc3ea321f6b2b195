"""Lists on a terminal of less than 100 columns: lines that wrap at words instead of a squeezed table."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from hornbook.cli.main import main
from hornbook.cli.runs import shared_folder, short_lines

ROW = {
    "name": "runs/first", "status": "done", "step": 1200, "val_loss": 1.5, "best_val_loss": 1.25, "bits_per_byte": 0.75,
    "minutes": 12.34, "tags": "", "note": "a sentence about why it was made, long enough to need two lines here",
    "changed": "optimizer.lr=0.01 model.d_model=256",
}  # fmt: skip


@pytest.mark.parametrize("width", [60, 80])
def test_a_run_is_lines_of_words(width: int) -> None:
    other = {**ROW, "name": "runs/group/second", "val_loss": None, "best_val_loss": None, "bits_per_byte": None,
             "minutes": None, "note": "", "changed": "", "step": None, "status": "running"}  # fmt: skip
    lines = short_lines([ROW, other], width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert text.startswith("in runs:\nfirst  done  1,200 steps · val 1.5000 · best 1.2500 ·")
    assert "bits/byte 0.7500" in text, "a figure is not torn from its name"
    assert "\n    changed: optimizer.lr=0.01 model.d_model=256\n" in text
    assert text.endswith("group/second  running  0 steps")


def test_a_wide_table_has_the_common_folder_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("runs/first", "runs/group/second"):
        shutil.copytree(Path(__file__).parents[1] / "fixtures/fff94a8/runs/adamw", name)
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["runs"]) == 0
    folder, head, *rows = capsys.readouterr().out.splitlines()
    assert folder == "in runs:"
    assert head.startswith("run ")
    assert [row.split()[0] for row in rows] == ["first", "group/second"]


def test_relative_and_absolute_places_share_no_folder() -> None:
    names = ["runs/a", "/elsewhere/b"]
    assert shared_folder([{"name": name} for name in names]) == ("", names)
    assert shared_folder([{"name": "a"}, {"name": "b"}]) == ("", ["a", "b"])


@pytest.mark.parametrize("width", [60, 80])
def test_the_catalogue_wraps_at_words(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["study", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0] == "learning_rate"
    assert "    tiny: 8 runs of about 2 s; cpu: 50 runs" in "\n".join(lines)
