"""`hornbook generate` on a run that was really trained."""

import json

import pytest

import hornbook as hb
from hornbook.cli.main import main
from hornbook.data import storyworld


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
