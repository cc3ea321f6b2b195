"""A path that is missing is told before anything heavy is imported, by every subcommand that takes one."""

import json
import subprocess
import sys

import pytest

from hornbook.cli.main import SUBCOMMANDS, find

SHAPE = ["--model.context-length", "8", "--model.d-model", "8", "--model.num-layers", "1", "--model.num-heads", "1"]
COMMANDS = [
    ["tokenizer", "train", "nosuch", "--vocab-size", "300", "--out", "x"],
    ["tokenizer", "encode", "nosuch", "nosuch"],
    ["tokenizer", "decode", "nosuch", "1"],
    ["tokenizer", "decode", "nosuch", "--tokens", "nosuch"],
    ["tokenizer", "inspect", "nosuch"],
    ["tokenizer", "ladder", "nosuch"],
    ["tokenizer", "convert", "nosuch", "x", "--to", "gpt2"],
    ["tokenizer", "compare", "nosuch", "--corpora", "nosuch"],
    ["train", "nosuch"],
    ["train", "nosuch.toml"],
    ["train", "nosuch", "--resume"],
    ["train", "--text", "nosuch"],
    ["train", "--data.text", "nosuch"],
    ["train", "--data.text", "nosuch", *SHAPE],
    ["train", "--data.text", "there.txt", "--data.validation-text", "nosuch", *SHAPE],
    ["train", "--data.tokens", "nosuch", "--data.validation-tokens", "nosuch", *SHAPE],
    ["train", "--data.corpus", "storyworld", "--tokenizer.path", "nosuch", *SHAPE],
    ["train", "--data.corpus", "storyworld", "--model.init-from", "nosuch"],
    ["train", "--text", "nosuch", "--show-recipe"],
    ["show", "nosuch"],
    ["eval", "nosuch"],
    ["eval", "run", "--text", "nosuch"],
    ["eval", "nosuch", "--task", "cloze"],
    ["lr-find", "nosuch"],
    ["lr-find", "nosuch.toml"],
    ["lr-find", "--text", "nosuch"],
    ["export", "nosuch", "out", "--to", "hf"],
    ["export", "nosuch", "out.gguf", "--to", "gguf"],
    ["import", "hf", "./nosuch"],
    ["runs", "nosuch"],
    ["serve", "nosuch"],
    ["ui", "nosuch"],
    ["handin", "nosuch"],
    ["generate", "nosuch"],
    ["generate", "nosuch", "--prompt", "x"],
    ["generate", "run", "--prompt-file", "nosuch"],
    ["demo", "--text", "nosuch"],
    ["doctor", "nosuch.toml"],
    ["data", "prepare", "nosuch.toml"],
    ["data", "prepare", "recipe.toml", "--data.text", "nosuch"],
    ["account", "nosuch"],
    ["note", "nosuch", "x"],
    ["checkpoint", "consolidate", "nosuch"],
    ["study", "show", "nosuch"],
    ["study", "search", "nosuch.toml", "--optimizer.lr", "1e-4:1e-2:log"],
    ["report", "nosuch"],
    ["study", "run", "nosuch"],
    ["study", "run", "learning_rate", "--scale", "tiny", "--text", "nosuch"],
]  # those of the tokenizer come first, as others import NumPy (reports and studies compute with it)
READ_NO_PATH = {
    "data list",
    "data get",
    "data storyworld",
    "data cloze",
    "study list",
    "completion",
}  # nothing, a name on the web, or where to write to
HEAVY = ["torch", "numpy", "scipy", "matplotlib", "huggingface_hub", "fastapi"]
PROGRAM = """
import json, sys
from hornbook.cli.main import main
codes, heavy = [], {}
for argv in json.loads(sys.argv[1]):
    codes.append(main(argv))
    for name in json.loads(sys.argv[2]):
        if name in sys.modules:
            heavy.setdefault(name, " ".join(argv))
print(json.dumps([codes, heavy]))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("here")
    (folder / "there.txt").write_text("some text\n" * 100)
    (folder / "recipe.toml").write_text("[model]\ncontext_length = 8\nd_model = 8\nnum_layers = 1\nnum_heads = 1\n")
    (folder / "run").mkdir()
    (folder / "run" / "config.toml").write_text((folder / "recipe.toml").read_text())
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(COMMANDS), json.dumps(HEAVY)],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    codes, heavy = json.loads(done.stdout.splitlines()[-1])
    left = sorted(path.name for path in folder.iterdir())
    return codes, done.stderr.splitlines(), heavy, left


def test_every_subcommand_refuses_it_in_one_sentence(answers):
    codes, sentences, _, left = answers
    refused = dict(zip(map(" ".join, COMMANDS), codes, strict=True))
    assert refused == dict.fromkeys(refused, 2)
    assert len(sentences) == len(COMMANDS), "\n".join(sentences)
    assert all("nosuch" in sentence for sentence in sentences), "\n".join(sentences)
    assert left == ["recipe.toml", "run", "there.txt"], "nothing was begun"


def test_these_are_all_subcommands_that_read_a_path():
    assert {find(words)[0] for words in COMMANDS} == set(SUBCOMMANDS) - READ_NO_PATH


def test_nothing_heavy_was_imported_for_it(answers):
    first = answers[2]
    assert set(first) <= {"numpy"}, "module: the first command that imported it"
    assert not first.get("numpy", "").startswith("tokenizer")
