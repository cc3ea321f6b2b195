"""Sentences of the command line that no other test brings about, each by the command that a person would type."""

import lzma
import shlex
from pathlib import Path

import pytest
from harness.recipes import quiet_train, tiny_recipe

from hornbook.cli.main import main
from hornbook.config.read import dump_toml
from hornbook.fileio import canonical_json
from hornbook.tracking.run import Run

TEXT = "Ada had a cat.\n<|endoftext|>\nBob had a red ball.\n" * 200


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with texts, tokenizers, token files, recipes, and `bare`, a run on token files of nobody's tokenizer."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "a.txt").write_text(TEXT)
    (folder / "empty.txt").write_text("")
    (folder / "a.csv").write_text("text\nab\ncd,ef\n")
    (folder / "a.xz").write_bytes(lzma.compress(b"PAR1" + bytes(60)))
    for name, extra in (("tok", []), ("other", ["--pattern", "cl100k"]), ("plain", ["--special-tokens", "</s>"])):
        words = ["tokenizer", "train", str(folder / "a.txt"), "--vocab-size", "300", "--out", str(folder / name)]
        assert main([*words, *extra]) == 0
    for name in ("tok", "other"):
        tokens = str(folder / name / "a.npy")
        assert main(["tokenizer", "encode", str(folder / name), str(folder / "a.txt"), "--out", tokens]) == 0
    (folder / "wide.npy").write_bytes(b"\x93NUMPY\x02\x00" + (10**6).to_bytes(4, "little"))
    recipe = tiny_recipe(folder / "bare", training={"steps": 4}, checkpoint={"every": 4}, guard={"check_every": 2})
    (folder / "bare.toml").write_text(dump_toml(recipe))
    quiet_train(recipe)
    return folder


SLIPS = [
    ("eval bare/run --html a.html", "--html is the page of the tinted tokens: give --per-token N with it"),
    ("eval bare/run --per-token 3", "has no tokenizer, so its tokens are no text"),
    ("eval bare/run --task cloze", "has no tokenizer, so it cannot read questions"),
    ("eval bare/run --text a.txt", "has no tokenizer, so it cannot read text"),
    ("generate bare/run --prompt a", "was trained on bare token files and keeps no tokenizer"),
    ("generate bare/run --prompt a --num-samples 0", "num_samples = 0 must be at least 1"),
    ("study run norm --seeds 0", "--seeds 0 must be at least 1"),
    ("study run norm --text none.txt", "none.txt is not a file; give a UTF-8 text file"),
    ("study run nrom", "there is no study 'nrom' (did you mean 'norm'?)"),
    ("tokenizer compare tok --corpora a.txt --threads 0", "--threads 0 is below 1"),
    ("tokenizer encode tok --text a --out a.npy", "--out writes a token file of files; with --text the ids go to"),
    ("tokenizer decode tok 1 --tokens tok/a.npy", "give either ids or --tokens: one of them, not both"),
    ("tokenizer decode tok --tokens other/a.npy", "was encoded by another tokenizer (fingerprint"),
    ("tokenizer decode tok --tokens tok/a.npy --start 999999", "--start 999999 or --count None lies outside"),
    ("tokenizer decode tok --tokens wide.npy", "wide.npy has a header of 1,000,000 bytes; a token file's is"),
    ("tokenizer train a.csv --vocab-size 300 --out t", "a.csv, row 2 has 2 columns, the first row names 1"),
    ("tokenizer train a.xz --vocab-size 300 --out t", "a.xz is parquet packed by xz: unpack it first"),
    ("handin nosuch", "there is no folder nosuch; check the path"),
    ("data storyworld --bytes 1KB --out a.txt/x", "a.txt is there already; give another name, or remove it first"),
    ("train empty.toml", "is empty; training needs text"),
    ("train half.toml", "data.tokens needs data.validation_tokens beside it"),
    ("train other_half.toml", "data.validation_tokens goes with data.tokens"),
    ("train blank.toml", "tokenizer.special_tokens holds an empty string"),
    (
        "train --text a.txt --tokenizer.special-tokens a,a",
        "tokenizer.special_tokens = ['a', 'a'] names one token twice",
    ),
    (
        "train bare.toml --run.directory new --training.threads 60000",
        "training.threads = 60,000 is more than four for each core",
    ),
    ("train nothing.toml", "a source of a mixture names no text"),
    (
        "train bare.toml --run.directory new --data.tokens tok/a.npy --data.validation-tokens other/a.npy",
        "the token files were made by different tokenizers",
    ),
    (
        "train bare.toml --run.directory new --tokenizer.path plain --data.tokens tok/a.npy "
        "--data.validation-tokens tok/a.npy",
        "the token files were made by another tokenizer than ",
    ),
    ("study show damaged", "is damaged: it lacks or garbles name, scale, question"),
]


@pytest.mark.parametrize(("line", "words"), SLIPS)
def test_a_slip_is_one_sentence(line, words, place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("HORNBOOK_CACHE", str(place / "cache"))
    Path("nothing.toml").write_text("data = {mixture = [{text = [], weight = 1}]}\n")
    shape = "model = {context_length = 16, d_model = 16, num_layers = 1, num_heads = 2}\n"
    Path("empty.toml").write_text(shape + 'data = {text = ["empty.txt"]}\n')
    Path("blank.toml").write_text(shape + 'data = {text = ["a.txt"]}\ntokenizer = {special_tokens = [""]}\n')
    Path("half.toml").write_text(shape + 'data = {tokens = ["tok/a.npy"]}\n')
    Path("other_half.toml").write_text(shape + 'data = {validation_tokens = ["tok/a.npy"]}\n')
    Path("damaged").mkdir(exist_ok=True)
    Path("damaged/study.toml").write_text('version = 1\nname = "norm"\n')
    results = {"version": 1, "findings": [], "figures": [], "tables": [], "environment": {}}
    Path("damaged/results.json").write_text(canonical_json(results))
    assert main(shlex.split(line)) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.splitlines()[-1].startswith("hornbook: ")
    assert "Traceback" not in error


def test_a_run_that_another_process_trains_in(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    other = Run.open(place / "bare" / "run")
    other.hold()
    try:
        assert main(["train", "bare.toml", "--resume"]) == 2
    finally:
        other.release()
    assert "another process is training in" in capsys.readouterr().err
