"""Cases of the field that no test of a part shows: a terminal of ASCII, numbers of YAML, formats of a later version."""

import json
import os
import subprocess
import sys
import time

import pytest
from harness.recipes import quiet_train, tiny_recipe

from hornbook.checkpoint.store import CheckpointStore
from hornbook.cli.main import main
from hornbook.config.read import read
from hornbook.errors import ConfigError, HornbookError

SMALL = [
    "--tokenizer.vocab-size",
    "270",
    "--model.context-length",
    "8",
    "--model.d-model",
    "8",
    "--model.num-layers",
    "1",
    "--model.num-heads",
    "1",
    "--training.steps",
    "3",
    "--training.batch-size",
    "2",
]


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}])
def test_a_terminal_of_ascii_ends_nothing(environment, tmp_path):
    (tmp_path / "a.txt").write_text("a cat sat → there.\n<|endoftext|>\n" * 200, encoding="utf-8")
    hornbook = [sys.executable, "-m", "hornbook"]
    words = [*hornbook, "train", "--text", "a.txt", *SMALL, "--run.name", "r", "--run.note", "→"]
    own = os.environ | {"HORNBOOK_CACHE": str(tmp_path / "cache")} | environment
    done = subprocess.run(words, cwd=tmp_path, env=own, capture_output=True)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run([*hornbook, "runs"], cwd=tmp_path, env=own, capture_output=True, check=True).stdout
    if "PYTHONIOENCODING" in environment:
        assert done.stdout.isascii()
        assert b"\\u2192" in listed


def test_numbers_of_yaml_are_those_of_its_core_rules(tmp_path):
    (tmp_path / "a.yaml").write_text("model:\n  context_length: 010\n  d_model: 1_000\n  rope_theta: 1e4\n")
    assert read(tmp_path / "a.yaml")["model"] == {"context_length": 10, "d_model": 1000, "rope_theta": 1e4}
    (tmp_path / "a.yaml").write_text("model:\n  d_model: 8\n  d_model: 9\n")
    with pytest.raises(ConfigError, match="the key 'd_model' is given twice in one section"):
        read(tmp_path / "a.yaml")


def test_a_checkpoint_of_a_later_version_says_version_and_not_damaged(tmp_path):
    recipe = tiny_recipe(tmp_path, training={"steps": 4})
    run = quiet_train(recipe)
    store = CheckpointStore(run.path / "checkpoints")
    manifest = store.path(store.steps()[-1]) / "MANIFEST.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": 99}))
    with pytest.raises(HornbookError, match="has version 99, and this hornbook reads 1: a newer one"):
        store.load(store.steps()[-1])
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": 1, "step": 99}))
    with pytest.raises(HornbookError, match="is of another step, or lists no files"):
        store.load(store.steps()[-1])


def test_a_long_sample_is_printed_in_linear_time(capsys):
    from hornbook.cli.generate import _print_live
    from hornbook.tokenizer.tokenizer import Tokenizer

    tokenizer = Tokenizer({i: bytes([i]) for i in range(256)}, [])
    text = "ab→é𝄞" * 3_000  # 33,000 ids
    began = time.process_time()
    _print_live("P", tokenizer, ([byte] for byte in text.encode()))
    assert time.process_time() - began < 5
    assert capsys.readouterr().out == f"P{text}\n"
    _print_live("P", tokenizer, ([byte] for byte in b"a\xff\xff\xff\xff\xff\xffb\xe2\x86"))
    assert capsys.readouterr().out.rstrip("\n").rstrip("\ufffd") == "Pa" + "\ufffd" * 6 + "b"


@pytest.mark.parametrize(
    ("note", "words"),
    [("caf\udce9", r"caf\xe9 is not UTF-8: write it in UTF-8"), ("\udcc3\udca9", "é came to a program that reads")],
    ids=["Latin-1", "UTF-8 that an ASCII environment could not read"],
)
def test_an_argument_that_could_not_be_read_is_a_sentence(note, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a cat sat.\n<|endoftext|>\n" * 200)
    assert main(["train", "--text", "a.txt", *SMALL, "--run.note", note]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_working_folder_whose_name_is_not_utf8_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "a.txt").write_text("a cat sat.\n<|endoftext|>\n" * 200)
    assert main(["train", "--text", "a.txt", *SMALL]) == 2
    assert r"caf\xe9" in (said := capsys.readouterr().err)
    assert "is not UTF-8: rename the file or folder that is called so" in said
    assert not [*folder.glob("runs/*/config.toml")]
