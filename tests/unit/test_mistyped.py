"""Command lines with a slip in them: each is answered by one plain sentence that says the way out, and exit code 2."""

import shlex

import pytest

from hornbook.cli.main import main

RECIPE = """
[data]
corpus = "storyworld"
[tokenizer]
vocab_size = 300
[model]
context_length = 16
d_model = 32
num_layers = 1
num_heads = 2
"""

SLIPS = [
    # subcommands
    ("trian", "there is no `hornbook trian` (did you mean 'train'?)"),
    ("help trian", "did you mean 'train'"),
    ("chat", "it is one of demo, data, tokenizer, train"),
    ("--verbose", "there is no `hornbook --verbose`"),
    ("data lst", "there is no `hornbook data lst` (did you mean 'list'?)"),
    ("tokenizer trian t.txt", "did you mean 'train'"),
    ("study shwo norm", "did you mean 'show'"),
    # flags
    ("train --txt t.txt", "there is no flag '--txt' (did you mean '--text'?)"),
    ("train r.toml --nmae x", "did you mean '--name'"),
    ("train r.toml -v", "there is no flag '-v'"),
    ("train --recipe r.toml", "there is no flag '--recipe': RECIPE is written without one"),
    ("train --no-name", "there is no flag '--no-name'"),
    ("generate runs/x --top_pp 0.5", "did you mean '--top-p'"),
    ("runs --tags a", "did you mean '--tag'"),
    ("doctor --jsn", "did you mean '--json'"),
    ("eval runs/x --json-summary", "did you mean '--json'"),
    ("train r.toml --overrides x", "there is no flag '--overrides'"),
    ("study run norm --words x", "there is no flag '--words'"),
    # keys of a recipe
    ("train r.toml --steps 100", "did you mean '--training.steps'"),
    ("train r.toml --batch-size 4", "did you mean '--training.batch-size' or '--evaluation.batch-size'"),
    ("train r.toml --batchsize 4", "did you mean '--training.batch-size'"),
    ("account gpt2-xl --d-model 64", "did you mean '--model.d-model'"),
    ("account gpt2-xl --model-d-model 64", "did you mean '--model.d-model'"),
    ("train r.toml --model.d-modle 3", "model.d_modle: there is no such key (did you mean 'd_model'?)"),
    ("train --text t.txt --model.d-modle 3", "model.d_modle: there is no such key"),
    ("study run norm --model.d-mode 3", "model.d_mode: there is no such key (did you mean 'd_model'?)"),
    ("train r.toml --modle.d-model 3", "there is no section [modle] (did you mean 'model'?)"),
    ("train r.toml --model..lr 3", "overrides are written --section.key value"),
    (
        "train r.toml --model.d-model",
        "model.d_model: wanted a whole number, got true, which a key without a value means",
    ),
    ("train empty.toml", "wanted a whole number; give it in the recipe or by --model.context-length"),
    ("train r.toml --training.dtype", "training.dtype: true, which a key without a value means, is not one of"),
    ("train r.toml --model.d-model wide", "model.d_model: wanted a whole number, got 'wide'"),
    (
        "train r.toml --training.dtype float",
        "'float' is not one of 'auto', 'float32', 'bfloat16' (did you mean 'float32'?)",
    ),
    ("train r.toml --optimizer.betas 0.9", "optimizer.betas: wanted 2 values, got 1: '0.9'"),
    ("eval runs/x --model.d-model 3", "there is no flag '--model.d-model'"),
    # values
    ("train r.toml --max-minutes soon", "--max-minutes: wanted a number, got 'soon'"),
    ("train r.toml --max-minutes", "--max-minutes wants a value (NUMBER), and nothing came"),
    ("account gpt2-xl --dtype --json", "--dtype wants a value (TEXT), and --json came"),
    ("tokenizer compare tok --corpora", "--corpora wants a value (TEXT …), and nothing came"),
    ("train --text", "--text wants a value (TEXT …), and nothing came"),
    ("train r.toml --resume yes", "--resume takes no value, and 'yes' came: write --resume or --no-resume"),
    ("runs --json false", "--json takes no value"),
    ("generate runs/x --cache no", "write --cache or --no-cache"),
    ("generate runs/x --cache=maybe", "--cache: wanted true or false, got 'maybe'"),
    ("generate runs/x --top-k 1.5", "--top-k: wanted a whole number, got '1.5'"),
    ("generate runs/x --overflow silde", "did you mean 'slide'"),
    ("data storyworld --level hard", "--level: 'hard' is not one of 'easy', 'normal', 'rich'"),
    ("data storyworld --bytes", "--bytes wants a value (SIZE)"),
    ("tokenizer train t.txt --vocab_size three --out x", "--vocab-size: wanted a whole number, got 'three'"),
    ("tokenizer ladder t.txt --rungs heap nativ", "did you mean 'native'"),
    ("demo --seed 1.5", "--seed: wanted a whole number"),
    # too many words, too few
    (
        "generate runs/x Once upon a time",
        "'Once' is one word too many: `hornbook generate` takes RUN, the rest are flags such as",
    ),
    ("train r.toml extra", "'extra' is one word too many"),
    ("data list more", "`hornbook data list` takes no arguments;"),
    ("demo here", "such as --minutes NUMBER"),
    ("generate", "`hornbook generate` needs RUN: the run's folder; `hornbook generate --help` says what it takes"),
    ("generate --prompt hi", "`hornbook generate` needs RUN"),
    ("report", "`hornbook report` needs PATHS: run folders"),
    ("data get", "`hornbook data get` needs NAME: a name that `hornbook data list` shows"),
    ("tokenizer train t.txt", "`hornbook tokenizer train` needs --vocab-size and --out"),
    ("tokenizer train --vocab-size 300 --out x", "`hornbook tokenizer train` needs FILES: text"),
    ("tokenizer convert a", "`hornbook tokenizer convert` needs OUT and --to"),
    # the wrong kind of file
    ("train t.txt", "a recipe is a .toml, .json or .yaml file; for a text of yours use --text t.txt"),
    ("train runs --resume", "runs is a folder without a run in it"),
    ("eval r.toml", "r.toml"),
    ("completion tcsh", "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
]


@pytest.mark.parametrize(("line", "sentence"), SLIPS, ids=[line for line, _ in SLIPS])
def test_a_slip_gets_one_sentence_and_exit_code_2(line, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.toml").write_text(RECIPE)
    (tmp_path / "t.txt").write_text("a text\n")
    (tmp_path / "empty.toml").touch()
    (tmp_path / "runs").mkdir()
    assert main(shlex.split(line)) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.startswith("hornbook: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
