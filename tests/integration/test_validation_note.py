"""Losses of different validation texts stand beside each other only with a word about it."""

import json
from pathlib import Path

import pytest

from hornbook.cli.main import main
from hornbook.tracking.run import validation_note

pytestmark = pytest.mark.usefixtures("own_folders")
SIZES = "--model.context-length 8 --model.d-model 8 --model.num-layers 1 --model.num-heads 1"
STEPS = "--training.steps 2 --training.batch-size 2 --training.threads 1 --evaluation.sample-every 0"
TINY = f"{SIZES} {STEPS}".split()


def train(name, *words):
    assert main(["train", "--name", name, *TINY, *words]) == 0


def test_runs_and_reports_say_that_losses_are_of_different_texts(capsys):
    for name in "ab":
        text = "".join(f"The {n}th {name} sat.<|endoftext|>\n" for n in range(300))
        Path(f"{name}.txt").write_text(text, encoding="utf-8")
    train("one", "--text", "a.txt", "--tokenizer.vocab-size", "270")
    train("two", "--text", "a.txt", "--tokenizer.vocab-size", "280")
    Path("held.txt").write_text("Held out.<|endoftext|>\nAnd more. " * 20, encoding="utf-8")
    for name in "ab":
        own = ["--text", f"{name}.txt", "--data.validation-text", "held.txt"]
        train(f"held-{name}", *own, "--tokenizer.vocab-size", "270")
    capsys.readouterr()
    for words in (["runs/one", "runs/two"], ["runs/held-a", "runs/held-b"]):  # another tokenizer, another training text
        assert main(["runs", *words, "--sort", "bits_per_byte"]) == 0
        assert "compare" not in capsys.readouterr().err
        assert main(["report", *words, "--out", "r.html"]) == 0
        assert "only those of one text compare" not in Path("r.html").read_text(encoding="utf-8")
    train("seed", "--text", "a.txt", "--tokenizer.vocab-size", "270", "--data.validation-seed", "1")
    train("tail", "--text", "a.txt", "--tokenizer.vocab-size", "270", "--data.validation-from", "tail")
    capsys.readouterr()
    for words in (["--sort", "best_val_loss"], ["--best"], ["--json"], []):
        assert main(["runs", *words]) == 0
        said = capsys.readouterr()
        told = " ".join(said.err.split())
        assert "the validation losses are of 4 different texts, and only those of one text compare: " in told
        groups = {frozenset(group.split(", ")) for group in told.rsplit(": ", 1)[1].split(" | ")}
        pairs = {"runs/one", "runs/two"}, {"runs/held-a", "runs/held-b"}, {"runs/seed"}, {"runs/tail"}
        assert groups == {*map(frozenset, pairs)}
        if "--json" in words:
            kinds = {row["name"]: row["validation"] for row in json.loads(said.out)}
            assert kinds["runs/one"] == kinds["runs/two"] != kinds["runs/seed"]
    assert main(["report", "runs", "--out", "r.html"]) == 0
    assert "The validation losses are of 4 different texts" in Path("r.html").read_text(encoding="utf-8")


def test_token_files_too_and_a_run_that_does_not_know_is_not_told_of(capsys):
    import numpy as np

    for name, seed in (("t", 0), ("v", 1), ("w", 2)):
        np.save(f"{name}.npy", np.random.default_rng(seed).integers(0, 50, 500, dtype=np.uint16))
    for held_out in "vw":
        tokens = ["--data.tokens", "t.npy", "--data.validation-tokens", f"{held_out}.npy"]
        Path("r.json").write_text("{}", encoding="utf-8")
        words = ["train", "r.json", *TINY, *tokens, "--tokenizer.vocab-size", "300", "--run.name", held_out]
        assert main(words) == 0
    capsys.readouterr()
    assert main(["runs"]) == 0
    assert "are of 2 different texts" in " ".join(capsys.readouterr().err.split())
    record = json.loads(Path("runs/v/data.json").read_text(encoding="utf-8"))
    del record["validation_digest"]
    Path("runs/v/data.json").write_text(json.dumps(record), encoding="utf-8")
    assert main(["runs"]) == 0
    assert "different texts" not in capsys.readouterr().err


def test_the_sentence_stays_short():
    digests = {f"run{n}": str(n % 6) for n in range(60)}
    assert validation_note(digests).endswith("run3, run9, run15 and 7 more | … 2 more")


def test_brackets_in_names_and_settings_are_no_styles(capsys):
    Path("[bold]").mkdir()
    Path("[bold]/[x].txt").write_text("The cat sat on the mat.<|endoftext|>\n" * 40, encoding="utf-8")
    words = ["tokenizer", "train", "[bold]/[x].txt", "--vocab-size", "260", "--out"]
    assert main([*words, "[bold]/tok"]) == 0
    assert main([*words, "tok [/x]"]) == 0
    capsys.readouterr()
    assert main(["tokenizer", "compare", "[bold]/tok", "tok [/x]", "--corpora", "[bold]/[x].txt"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("[bold]/tok", "tok [/x]", "[x].txt"))
