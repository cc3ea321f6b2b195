"""Whatever text comes from: `hornbook train` through the command line, and resumed from another folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from hornbook.cli.main import main
from hornbook.config import read

TEXT = "".join(f"The {n}th cat sat on mat {n * n}.\n<|endoftext|>\n" for n in range(400))
SIZES = "--tokenizer.vocab-size 300 --model.context-length 16 --model.d-model 16 --model.num-layers 1"
STEPS = "--training.steps 4 --training.batch-size 2 --training.threads 1 --checkpoint.every 2"
TINY = f"{SIZES} --model.num-heads 2 {STEPS} --evaluation.sample-every 0".split()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "work" / "a.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path / "work"


@pytest.mark.parametrize("source", ["- < a.txt", "<(cat a.txt)"])
def test_a_stream_trains_and_resumes(folder, source):
    hornbook = f"{sys.executable} -m hornbook train"
    given = f"cat a.txt | {hornbook} --text {source.split()[0]}" if "<" in source[1:] else f"{hornbook} --text {source}"
    line = f"{given} --name s {' '.join(TINY)}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = read("runs/s/config.toml")["data"]["text"]
    assert Path(kept[0]).read_text(encoding="utf-8") == TEXT
    assert main(["train", "runs/s", "--resume"]) == 0


def test_a_run_resumes_from_another_folder(folder, monkeypatch, capsys):
    assert main(["train", "--text", "a.txt", "--name", "s", *TINY]) == 0
    monkeypatch.chdir(folder.parent)
    assert main(["train", "work/runs/s", "--resume"]) == 0
    monkeypatch.chdir(folder)
    assert main(["train", "runs/s", "--resume", "--text", "a.txt"]) == 0
    capsys.readouterr()
    (folder / "b.txt").write_text("other", encoding="utf-8")
    assert main(["train", "runs/s", "--resume", "--text", "b.txt"]) == 2
    assert "the run was made with data.text" in capsys.readouterr().err


def test_a_run_goes_on_where_its_text_is_gone_and_its_token_files_are_whole(folder, tmp_path, capsys):
    assert main(["train", "--text", "a.txt", "--name", "s", *TINY]) == 0
    (folder / "a.txt").unlink()
    assert main(["train", "runs/s", "--resume"]) == 0
    assert "a.txt is gone; its token files" in capsys.readouterr().out
    (ready,) = (tmp_path / "cache" / "prepared").glob("*/READY.json")
    ready.write_text("{}", encoding="utf-8")
    assert main(["train", "runs/s", "--resume"]) == 2
    assert "there is no file or folder" in capsys.readouterr().err
