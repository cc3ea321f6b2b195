"""`hornbook generate` on a run that was really trained."""

import gzip
import json
import re

import pytest

import hornbook as hb
from hornbook.cli.main import main
from hornbook.data.corpora import storyworld


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generate")
    (folder / "stories.txt").write_text(storyworld.generate(60_000, 1, "easy"), encoding="utf-8")
    recipe = {
        "run": {"directory": str(folder / "run")},
        "data": {"text": [str(folder / "stories.txt")]},
        "tokenizer": {"vocab_size": 320},
        "model": {"context_length": 64, "d_model": 32, "num_layers": 1, "num_heads": 2},
        "training": {"steps": 3, "batch_size": 4, "threads": 1, "dtype": "float32"},
        "evaluation": {"sample_every": 0},
    }
    return hb.train(recipe)


def test_completion_starts_with_the_prompt_and_is_decided_by_the_seed(run, capsys):
    texts = []
    for seed in ("1", "1", "2"):
        words = ["generate", str(run.path), "--prompt", "Once upon", "--seed", seed, "--max-new-tokens", "12"]
        assert main(words) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0].startswith("Once upon")
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_json_has_one_record_per_sample(run, capsys):
    words = ["generate", str(run.path), "--prompt", "Lily", "--num-samples", "3", "--max-new-tokens", "5", "--json"]
    assert main(words) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["sample"] for record in records] == [0, 1, 2]
    assert all(record["prompt"] == "Lily" and len(record["tokens"]) <= 5 for record in records)


def test_temperatures_stand_side_by_side_and_write_what_each_writes_alone(run, capsys):
    words = ["generate", str(run.path), "--prompt", "Lily", "--max-new-tokens", "8", "--num-samples", "2"]
    alone = []
    for temperature in ("0", "0.7", "1.5"):
        assert main([*words, "--temperature", temperature, "--json"]) == 0
        alone += [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main([*words, "--temperature", "0,0.7,1.5", "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == alone
    assert [record["temperature"] for record in alone] == [0, 0, 0.7, 0.7, 1.5, 1.5]
    assert main([*words, "--temperature", "0, 0.7,1.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["temperature", "0", "temperature", "0.7", "temperature", "1.5"]
    assert sum(line.count("Lily") == 3 for line in lines) == 2, "a row for each sample"
    assert main([*words, "--temperature", "0,warm"]) == 2
    assert "--temperature: wanted a number" in capsys.readouterr().err


def test_the_device_can_be_chosen(run, capsys):
    words = ["generate", str(run.path), "--prompt", "Lily", "--max-new-tokens", "5", "--device"]
    assert main([*words, "cpu"]) == 0
    assert capsys.readouterr().out.startswith("Lily")
    assert main([*words, "abacus"]) == 2
    assert "'abacus' is not a device" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--temperature", "-1"], "temperature"),
        (["--top-p", "3"], "top_p"),
        (["--checkpoint", "7"], "7"),
        (["--stop", "<|nothing|>"], "special token"),
        (["--prompt-file", "no-such-file"], "no-such-file"),
    ],
)
def test_a_refused_setting_prints_one_sentence_and_nothing_else(run, capsys, words, sentence):
    assert main(["generate", str(run.path), "--prompt", "x", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sentence in shown.err
    assert shown.err.count("\n") == 1


def test_a_prompt_that_is_not_utf8_is_a_sentence(run, capsys, tmp_path):
    (tmp_path / "latin1.txt").write_bytes("caf\u00e9".encode("latin-1"))
    assert main(["generate", str(run.path), "--prompt-file", str(tmp_path / "latin1.txt")]) == 2
    assert "is not UTF-8: malformed at byte 3 (it looks like Windows-1252" in capsys.readouterr().err


PROMPT = "Once upon a time,\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.txt", PROMPT.encode(), []),
        ("a.txt", b"\xef\xbb\xbf" + PROMPT.encode(), []),
        ("a.txt.gz", gzip.compress(PROMPT.encode(), mtime=0), []),
        ("a.jsonl", json.dumps({"text": PROMPT}).encode(), []),
        ("a.json", json.dumps([{"body": PROMPT}]).encode(), ["--field", "body"]),
    ],
)
def test_a_prompt_is_read_as_text_is(run, capsys, tmp_path, name, content, options):
    (tmp_path / name).write_bytes(content)
    words = ["generate", str(run.path), "--max-new-tokens", "2", "--json", "--prompt-file", str(tmp_path / name)]
    assert main([*words, *options]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == PROMPT


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", PROMPT.encode("utf-16"), "is UTF-16 text, which hornbook does not read: convert it: iconv"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "b"}\n', "a prompt is one text, and a.jsonl holds 2 records"),
        ("folder/a.txt", b"a", "a prompt is one text, and folder holds 2 files"),
        ("a.txt", b"", "there is no text in a.txt: it is empty"),
    ],
)
def test_a_prompt_file_that_is_no_prompt_is_a_sentence(run, capsys, tmp_path, monkeypatch, name, content, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.txt").write_text("b")
    (tmp_path / name).write_bytes(content)
    assert main(["generate", str(run.path), "--prompt-file", name.split("/")[0]]) == 2
    assert sentence in capsys.readouterr().err


def test_malformed_bytes_of_a_prompt_can_be_replaced(run, capsys, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    words = ["--prompt-file", str(tmp_path / "a.txt"), "--errors", "replace", "--max-new-tokens", "2"]
    assert main(["generate", str(run.path), *words]) == 0
    assert capsys.readouterr().out.startswith("caf\ufffd")


@pytest.mark.parametrize("name", ["batch-size", "context-length", "max-tokens"])
def test_an_evaluation_of_no_size_is_refused(run, capsys, name):
    assert main(["eval", str(run.path), f"--{name}", "0"]) == 2
    assert f"{name.replace('-', '_')} = 0 of an evaluation must be at least 1" in capsys.readouterr().err


def test_an_evaluation_can_read_past_malformed_bytes(run, capsys, tmp_path):
    (tmp_path / "latin1.txt").write_bytes(b"Once upon a time there was a caf\xe9. " * 30)
    assert main(["eval", str(run.path), "--text", str(tmp_path / "latin1.txt")]) == 2
    assert "--errors replace" in capsys.readouterr().err
    assert main(["eval", str(run.path), "--text", str(tmp_path / "latin1.txt"), "--errors", "replace"]) == 0
    assert "bits per byte" in capsys.readouterr().out


def test_a_report_into_a_folder_is_refused(run, capsys, tmp_path):
    assert main(["report", str(run.path), "--out", str(tmp_path)]) == 2
    assert f"--out {tmp_path} is a folder; name the file" in capsys.readouterr().err


def test_each_token_is_shown_with_its_loss(run, capsys, tmp_path):
    (tmp_path / "a.txt").write_text("Once upon a time <b>&there</b> \x1b[31mwas caf\u00e9.\n" * 8, encoding="utf-8")
    words = ["eval", str(run.path), "--text", str(tmp_path / "a.txt")]
    page = tmp_path / "surprise.html"
    assert main([*words, "--per-token", "90", "--json", "--html", str(page)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert main([*words, "--max-tokens", "90", "--json"]) == 0
    assert shown["mean"] == pytest.approx(json.loads(capsys.readouterr().out)["loss"], rel=1e-5)
    assert len(shown["tokens"]) == 90
    written = page.read_text(encoding="utf-8")
    assert written.count("<span") == 90
    assert "--series-0: light-dark(" in written  # the pages' own design, for light and dark
    reds = [float(red) for red in re.findall(r"rgba\(220, 60, 40, ([\d.]+)\)", written)]
    assert len(reds) == 90
    assert max(reds) <= 0.6
    assert "\x1b" not in written
    assert "<b>" not in written
    assert main([*words, "--per-token", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [float(line.split()[0]) for line in lines[:3]] == pytest.approx(
        [token["loss"] for token in shown["tokens"][:3]], abs=1e-3
    )
    assert lines[3].endswith("3 tokens, mean loss " + lines[3].split()[-2] + " nats.")
    assert main([*words, "--per-token", "0"]) == 2
    assert "num_tokens = 0 of an evaluation must be at least 1" in capsys.readouterr().err


def test_an_evaluation_reads_what_training_reads(run, capsys, tmp_path):
    stories = list(filter(None, storyworld.generate(6000, 2, "easy").split("<|endoftext|>\n")))
    (tmp_path / "a.txt").write_text("<|endoftext|>".join([*stories, ""]), encoding="utf-8")
    (tmp_path / "a.gz").write_bytes(gzip.compress((tmp_path / "a.txt").read_bytes()))
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"body": s}) for s in stories), encoding="utf-8")
    losses = []
    for words in (["a.txt"], ["a.gz"], ["a.jsonl", "--field", "body"], ["a.*l", "--field", "body"]):
        name, *rest = words
        assert main(["eval", str(run.path), "--text", str(tmp_path / name), *rest, "--json"]) == 0
        losses.append(json.loads(capsys.readouterr().out)["loss"])
    assert len(set(losses)) == 1
    (tmp_path / "none.txt").write_bytes(b"")
    assert main(["eval", str(run.path), "--text", str(tmp_path / "none.txt")]) == 2
    assert "it is empty" in capsys.readouterr().err
