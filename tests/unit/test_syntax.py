"""A file that its parser refuses: the place and what stands there, and not the parser's words."""

import json

import pytest

from hornbook.cli.main import main

PARSERS_WORDS = r"Expecting|delimiter|char \d|token|parser|unhashable|Exceeds|Expected|invalid|mapping values|recursion"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.toml", "[model]\nd_model = 64\nsteps 100\n", "line 3, column 7, in 'steps 100'"),
        ("a.toml", "[model]\nd_model = \n", "it is cut short, behind 'd_model ='"),
        ("a.toml", "[model]\nd_model = 1\nd_model = 2\n", "line 3 gives something twice: 'd_model = 2'"),
        ("a.toml", "[model", "it is cut short, behind '[model'"),
        ("a.toml", "a = " + "[" * 5000, "sections and lists are nested too deeply"),
        ("a.json", '{"model": {"d_model": 64,}}', "column 26, in"),
        ("a.json", '{\n "model": {"d_model" 64}\n}', "line 2, column 22, in"),
        ("a.json", '{"model": ', "it is cut short"),
        ("a.json", "", "it is empty or cut short"),
        ("a.json", '{"model": {"d_model": ' + "9" * 5000 + "}}", "a number has too many digits"),
        ("a.json", '{"a": "' + "x" * 500 + '" "b": 1}', "xxxxx"),
        ("a.yaml", "model:\n  d_model: 64\n bad: [1\n", "line 3, column 2, in 'bad: [1'"),
        ("a.yaml", "model: {d_model: 64", "it is cut short"),
        ("a.yaml", "model:\n\td_model: 64\n", "line 2, column 1, in"),
    ],
)
def test_a_recipe_that_cannot_be_parsed(name, content, words, tmp_path, capsys):
    path = tmp_path / name
    path.write_text(content)
    assert main(["train", str(path)]) == 2
    said = capsys.readouterr().err.replace(str(path), "FILE")
    assert words in said
    assert f"FILE cannot be read as {name[2:].upper()}: " in said
    assert said.count("\n") == 1
    assert len(said) < 200
    for word in PARSERS_WORDS.split("|"):
        assert word not in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", '{"text": "a"}\n{"text" "b"}\n', 'a.jsonl, line 2 is not JSON: column 9, in \'{"text" "b"}\''),
        ("a.json", '[{"text": "a"}, {"text": nope}]', "a.json, record 2 is not JSON: column 10, in"),
        ("a.csv", 'text\n"a" b\n', "a.csv is not whole csv behind row 0: is a quote not closed, or within a field?"),
        ("a.txt.xz", b"\xfd7zXZ\0\0\x04nonsense", "a.txt.xz is damaged, or not xz\n"),
        ("a.txt.bz2", b"BZh9nonsense", "a.txt.bz2 is damaged, or not bzip2\n"),
        ("a.txt.gz", b"\x1f\x8b\x08nonsense", "a.txt.gz is damaged, or not gzip\n"),
        ("a.txt.zst", b"\x28\xb5\x2f\xfdnonsense", "a.txt.zst is damaged, or not zstd\n"),
        ("a.parquet", b"PAR1nonsense", "a.parquet is not whole parquet (row 0): it is cut short or damaged\n"),
    ],
)
def test_a_text_that_cannot_be_read(name, content, words, tmp_path, capsys):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["tokenizer", "train", str(path), "--vocab-size", "300", "--out", str(tmp_path / "t.json")]) == 2
    assert words in capsys.readouterr().err


def test_a_tokenizer_that_cannot_be_read(tmp_path, capsys):
    path = tmp_path / "t.json"
    for content in ('{"format": "hornbook-tokenizer", "a" 1}', '{"a": 1, "a": 2}', '{"a": ' + "1" * 30 + "}", "[NaN]"):
        path.write_text(content)
        assert main(["tokenizer", "encode", str(path), "--text", "a"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "is not the JSON of a tokenizer: column 38, in" in said[0]
    assert said[1].endswith("is not the JSON of a tokenizer: the key 'a' stands twice in one object")
    assert said[2].endswith("the number 11111111111111111111… is too long")
    assert said[3].endswith("NaN is not a JSON value")


def test_a_pattern_that_is_no_regular_expression(tmp_path, capsys):
    text = tmp_path / "a.txt"
    text.write_text("a b")
    words = ["tokenizer", "train", str(text), "--vocab-size", "300", "--out", str(tmp_path / "t"), "--pattern", "(a|b"]
    assert main(words) == 2
    assert "the pattern '(a|b' is not a regular expression: see character 4" in capsys.readouterr().err


def test_a_model_of_others_that_is_cut_short(tmp_path, capsys):
    (tmp_path / "config.json").write_text(json.dumps({"run": {}})[:-1])
    assert main(["import", "hf", str(tmp_path)]) == 2
    assert "config.json is not JSON: it is cut short, behind '{\"run\": {}'; it was" in capsys.readouterr().err
