"""Training as users run it: from text and from recipes, its switches, its evaluation, and what bad input gets."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from harness.recipes import VOCAB, quiet_train, tiny_recipe

import hornbook as hb
from hornbook.cli.main import main
from hornbook.data.token_data import TokenData
from hornbook.errors import ConfigError, HornbookError
from hornbook.evaluation.loss import evaluate
from hornbook.models.config import ModelConfig
from hornbook.models.transformer import TransformerLM
from hornbook.optim.registry import make_optimizer
from hornbook.tracking.console import Console
from hornbook.training.config import resolve
from hornbook.training.distributed.strategies import SingleProcess
from hornbook.training.load import load_run
from hornbook.training.step import TrainStep

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "the",
    "dog",
    "ran",
    "to",
    "the",
    "red",
    "ball",
    "while",
    "a",
    "bird",
    "sang",
    "in",
    "its",
    "tree",
]


pytestmark = pytest.mark.usefixtures("own_folders")


def write_text(path, documents=60, seed=0):
    random = np.random.default_rng(seed)
    stories = [" ".join(random.choice(WORDS, 40)) + ".\n" for _ in range(documents)]
    path.write_text("<|endoftext|>\n".join(stories))
    return path


SMALL = [
    "--tokenizer.vocab-size", "300", "--model.d-model", "16", "--model.num-layers", "1", "--model.context-length", "16",
    "--training.steps", "30", "--training.batch-size", "4", "--evaluation.every", "10", "--evaluation.sample-tokens",
    "9",
]  # fmt: skip


def test_a_text_becomes_a_trained_run_that_can_be_read_evaluated_listed_and_continued(tmp_path, capsys):
    text = write_text(tmp_path / "my.txt")
    assert main(["train", "--text", str(text), *SMALL, "--evaluation.full"]) == 0
    out = capsys.readouterr().out
    assert "picked for" in out
    assert "expected:" in out
    assert "done: best validation loss" in out
    run = tmp_path / "runs" / "my"
    for name in ("config.toml", "environment.json", "metrics.jsonl", "log.txt", "DONE", "plan.json", "samples.jsonl"):
        assert (run / name).is_file(), name
    model, tokenizer, config = load_run(run)
    assert config.model.vocab_size == tokenizer.vocab_size == 300
    assert not model.training
    assert main(["eval", str(run), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    last = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()][-1]
    assert result["loss"] == pytest.approx(last["val_loss"], rel=1e-5)
    assert result["bits_per_byte"] == pytest.approx(last["val_bits_per_byte"], rel=1e-5)
    assert result["context_length"] == 16
    assert main(["eval", str(run), "--text", str(text)]) == 0
    assert "context 16" in capsys.readouterr().out
    assert main(["runs", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["status"], row["step"]) == ("done", 30)
    assert main(["runs"]) == 0
    assert "\nmy " in capsys.readouterr().out
    assert main(["runs", "--csv"]) == 0
    assert capsys.readouterr().out.startswith("name,status,step,val_loss")
    assert main(["train", str(run), "--resume"]) == 0


def test_the_tokenizer_never_sees_the_validation_part(tmp_path):
    write_text(tmp_path / "a.txt")
    text = (tmp_path / "a.txt").read_text()
    documents = text.split("<|endoftext|>\n")
    documents[-3:] = ["zyzzyva zyzzyva zyzzyva " * 30 + "\n"] * 3  # 60 documents: ⌈5 %⌉ = 3
    (tmp_path / "a.txt").write_text("<|endoftext|>\n".join(documents))
    data = {"text": ["a.txt"], "validation_from": "tail"}
    recipe = resolve({"data": data, "tokenizer": {"vocab_size": 400}, "model": {
        "context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 1}})  # fmt: skip
    from hornbook.data.prepare import prepare

    ready = prepare(recipe.data, recipe.tokenizer, Console(silent=True))
    assert not any(b"zy" in token for token in ready.tokenizer.vocab.values() if len(token) > 1)
    validation = TokenData.open(ready.validation)
    assert ready.tokenizer.decode(validation.arrays[0].tolist()).count("zyzzyva") == 270
    assert validation.num_bytes == 3 * len(documents[-1]) + 2  # the newlines after two separators


def test_fewer_than_twenty_documents_are_cut_at_a_line(tmp_path):
    from hornbook.data.scan import scan_file
    from hornbook.data.split import split_files

    (tmp_path / "one.txt").write_text("".join(f"line {i:04d}\n" for i in range(1000)))
    file = scan_file(tmp_path / "one.txt", "<|endoftext|>")
    training, validation = split_files([file], "<|endoftext|>", 0.05)
    assert (training[0].end, validation[0].start, validation[0].end) == (9500, 9500, 10000)
    (tmp_path / "two.txt").write_text("é" * 1000)
    file = scan_file(tmp_path / "two.txt", None)
    training, validation = split_files([file], None, 0.051)
    assert training[0].end % 2 == 0
    assert 1890 < training[0].end < 1900


@pytest.mark.parametrize(("one_stream", "token_files"), [(True, (1, 1)), (False, (3, 2))])
def test_several_files_and_gzip_are_one_data_set(tmp_path, one_stream, token_files):
    import gzip

    for i in range(3):
        write_text(tmp_path / f"{i}.txt", 30, seed=i)
    with gzip.open(tmp_path / "3.txt.gz", "wb") as file:
        file.write(write_text(tmp_path / "3.txt", 30, seed=3).read_bytes())
    files = ["0.txt", "1.txt", "2.txt", "3.txt.gz"]
    split = {"validation": 0.3, "validation_from": "tail", "one_stream": one_stream}
    recipe = {"data": {"text": files, **split}, "tokenizer": {"vocab_size": 300}}
    model = {"context_length": 16, "d_model": 8, "num_layers": 1, "num_heads": 1}
    run = quiet_train({**recipe, "model": model, "training": {"steps": 3, "batch_size": 2}})
    assert run.status == "done"
    data = json.loads((run.path / "data.json").read_text())
    # 120 documents: 84 train; the third file is cut
    assert (len(data["train"]), len(data["validation"])) == token_files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "nowhere.txt"], "no file or folder nowhere.txt"),
        (["--text", "empty.txt"], "empty.txt is empty"),
        (["--text", "blank.txt"], "nothing but white space"),
        (["--text", "latin.txt"], "latin.txt is not UTF-8: malformed at byte 5 "),
        (["--text", "hollow"], "the folder hollow holds no text"),
        (["--text", "my.txt", "--tokenizer.vocab-size", "200"], "need at least 257"),
        (
            ["--text", "short.txt", "--model.context-length", "512", "--tokenizer.vocab-size", "260"],
            "too few for one window",
        ),
        (["--text", "my.txt", "--model.d-modle", "64"], "did you mean 'd_model'"),
        (["--text", "my.txt", "--modle.d-model", "64"], "did you mean 'model'"),
        (["--text", "my.txt", "--training.steps", "many"], "wanted a whole number, got 'many'"),
        (["--text", "my.txt", "--model.d-model", "10", "--model.num-heads", "3"], "not divisible by num_heads"),
        (["--text", "my.txt", "--model.d-model", "9", "--model.num-heads", "3"], "odd width"),
        (["--text", "my.txt", "--optimizer.name", "adam"], "not one of 'adamw', 'muon', 'lion', 'sgd'"),
        (["--text", "my.txt", "--training.gradient-accumulation", "3"], "equal parts"),
        (["--text", "my.txt", "--training.device", "cuda:7"], "is not there"),
        (["--text", "my.txt", "--data.corpus", "storyworld"], "both given"),
        (["--text", "my.txt", "--optimizer.lr", "10"], "which leaves nothing of the model"),
        (["missing.toml"], "no file or folder missing.toml"),
        (["broken.toml"], "cannot be read as TOML"),
        (["text.md"], "a recipe is a .toml, .json or .yaml file"),
        ([], "nothing to train"),
        (["--resume", "--model.lr"], "there is no such key"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, capsys, arguments, message):
    write_text(tmp_path / "my.txt")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "hollow").mkdir()
    (tmp_path / "blank.txt").write_text("\n<|endoftext|>\n  \n")
    (tmp_path / "latin.txt").write_bytes(b"a caf\xe9 \n" * 50)
    (tmp_path / "short.txt").write_text("only a few words\nand a second line\n")
    (tmp_path / "broken.toml").write_text("[model\n")
    (tmp_path / "text.md").write_text("hello")
    if arguments[:1] == ["--resume"]:
        arguments = ["--text", "my.txt", *arguments]
    assert main(["train", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "runs").exists() or not any((tmp_path / "runs").rglob("config.toml"))


def test_token_ids_beyond_the_vocabulary_are_refused(tmp_path):
    recipe = tiny_recipe(tmp_path)
    ids = np.load(tmp_path / "train.npy")
    ids[1234] = VOCAB + 5
    (tmp_path / "train.json").unlink()
    np.save(tmp_path / "train.npy", ids)
    recipe["data"]["verify"] = True
    with pytest.raises(HornbookError, match=f"position 1,234 has id {VOCAB + 5}"):
        quiet_train(recipe)


def test_bare_token_files_take_the_recipes_vocabulary(tmp_path):
    recipe = tiny_recipe(tmp_path, tokenizer={"vocab_size": 300})
    for name in ("train.json", "validation.json"):
        (tmp_path / name).unlink()
    run = quiet_train(recipe)
    assert run.status == "done"
    assert run.config["model"]["vocab_size"] == 300
    assert "val_bits_per_byte" not in run.summary()


@pytest.fixture(scope="module")
def model_and_data():
    torch.manual_seed(0)
    model = TransformerLM(ModelConfig(VOCAB, 16, 32, 2, 4, dropout=0.5))
    ids = [np.random.default_rng(i).integers(0, VOCAB, n, dtype=np.uint16) for i, n in enumerate((1003, 17, 400))]
    return model, TokenData(ids, num_bytes=2840)


@pytest.mark.parametrize("batch_size", [1, 3, 8, 64, 1000])
def test_the_evaluation_is_the_same_whatever_the_batch_size(model_and_data, batch_size):
    model, data = model_and_data
    reference = evaluate(model, data, 7)
    result = evaluate(model, data, batch_size)
    assert result.num_tokens == 1002 + 16 + 399
    assert result.loss == pytest.approx(reference.loss, rel=1e-6)
    assert result == evaluate(model, data, batch_size), "deterministic, in spite of dropout"
    assert result.bits_per_byte == pytest.approx(result.loss * result.num_tokens / math.log(2) / 2840)
    assert model.training


def test_the_evaluation_equals_a_plain_loop_over_windows(model_and_data):
    model, data = model_and_data
    model.eval()
    nats = 0.0
    with torch.no_grad():
        for ids in data.arrays:
            for start in range(0, len(ids) - 1, 16):
                window = torch.from_numpy(ids[start : start + 17].astype(np.int64))
                logits = model(window[:-1]).double()
                nats -= float(logits.log_softmax(-1)[torch.arange(len(window) - 1), window[1:]].sum())
    model.train()
    assert evaluate(model, data, 5).loss == pytest.approx(nats / (1002 + 16 + 399), rel=1e-6)


def test_a_part_of_the_set_can_be_evaluated(model_and_data):
    model, data = model_and_data
    assert evaluate(model, data, 4, max_tokens=100).num_tokens == 100
    assert evaluate(model, data, 4, max_tokens=1010).num_tokens == 1010
    assert evaluate(model, data, 4, 8).context_length == 8


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_accumulating_a_batch_in_parts_gives_the_same_loss_and_gradient(tmp_path, parts):
    from hornbook.data.sampler import BatchSampler

    results = []
    for count in (1, parts):
        recipe = tiny_recipe(tmp_path, training={"batch_size": 8, "gradient_accumulation": count, "dtype": "float32"})
        config = resolve({**recipe, "model": {**recipe["model"], "dropout": 0.0, "vocab_size": VOCAB}})
        torch.manual_seed(0)
        model = TransformerLM(config.model)
        update = TrainStep(
            SingleProcess(model, config), make_optimizer(config.optimizer, model.named_parameters()), config
        )
        sampler = BatchSampler(TokenData.open(config.data.tokens), 8, 16, seed=0)
        size = 8 // count
        pieces = [
            lambda i=i, size=size, s=sampler: s.batch(0, rows=slice(i * size, (i + 1) * size)) for i in range(count)
        ]
        loss = update.backward(pieces)
        results.append((float(loss), torch.cat([p.grad.flatten() for p in model.parameters()])))
    (whole, gradient), (summed, pieces_gradient) = results
    assert summed == pytest.approx(whole, rel=1e-6)
    assert float((gradient - pieces_gradient).norm() / gradient.norm()) < 1e-5


def test_a_run_can_start_from_the_weights_of_another(tmp_path):
    first = quiet_train(tiny_recipe(tmp_path / "first", evaluation={"full": True}))
    second = quiet_train(
        tiny_recipe(
            tmp_path / "second",
            model={"init_from": str(first.path)},
            training={"steps": 4},
            evaluation={"full": True},
        )
    )
    start = second.metrics()[0]["val_loss"]
    assert start == pytest.approx(first.summary()["best_val_loss"], rel=1e-6)
    assert second.config["model"]["init_from"] == str(first.path)
    with pytest.raises(HornbookError, match=r"d_model is 16 there and 32 in the recipe"):
        quiet_train(tiny_recipe(tmp_path / "third", model={"init_from": str(first.path), "d_model": 32}))


def test_activation_checkpointing_changes_memory_not_the_result(tmp_path):
    runs = [
        quiet_train(tiny_recipe(tmp_path / str(on), training={"activation_checkpointing": on, "steps": 10}))
        for on in (False, True)
    ]
    losses = [[r["train_loss"] for r in run.metrics() if "train_loss" in r] for run in runs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_norms_and_a_profile_are_kept_on_request(tmp_path):
    recipe = tiny_recipe(tmp_path, logging={"norms": True, "profile": True, "every": 5})
    run = quiet_train(recipe)
    records = [json.loads(line) for line in (run.path / "norms.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records] == [5, 10, 15, 20, 25, 30, 35, 40]
    assert records[0]["weight/token_embeddings.weight"] > 0
    assert records[0]["gradient/layers.0.attn.q_proj.weight"] > 0
    assert records[0]["activation/layers.0"] > 0
    assert json.loads((run.path / "profile" / "trace.json").read_text())["traceEvents"]
    assert "most expensive operations" in (run.path / "log.txt").read_text()
    plain = quiet_train(tiny_recipe(tmp_path / "plain", logging={"every": 5}))
    assert plain.summary()["val_loss"] == run.summary()["val_loss"], "looking changes nothing"


def test_a_time_budget_ends_on_time_with_the_rate_decayed(tmp_path):
    class Clock:
        """Every look at it takes some time; no real seconds pass."""

        now = 0.0

        def __call__(self):
            self.now += 0.05
            return self.now

    clock = Clock()
    run = quiet_train(
        tiny_recipe(tmp_path, training={"max_minutes": 0.5}, schedule={"min_lr": 0.0}, evaluation={"every": 20}),
        clock=clock,
    )
    last = run.metrics()[-1]
    assert run.status == "done"
    assert last["lr"] == pytest.approx(0.0, abs=1e-9)
    assert last["seconds"] == pytest.approx(30, abs=1.5)


def test_sinks_get_the_records_of_a_training(tmp_path):
    pytest.importorskip("tensorboard")
    run = quiet_train(tiny_recipe(tmp_path, logging={"sinks": ["tensorboard"]}))
    (file,) = (run.path / "tensorboard").iterdir()
    assert file.read_bytes().count(b"train_loss") >= 10


def test_hb_train_takes_a_path_a_tree_or_a_config_with_overrides(tmp_path):
    from hornbook.config import dump_toml

    recipe = tiny_recipe(tmp_path, training={"steps": 2})
    (tmp_path / "r.toml").write_text(dump_toml(recipe))
    for i, given in enumerate((tmp_path / "r.toml", recipe, resolve(recipe))):
        run = hb.train(
            given, console=Console(silent=True), run={"directory": str(tmp_path / f"r{i}")}, **{"training.seed": 3}
        )
        assert run.config["training"]["seed"] == 3
    with pytest.raises(ConfigError, match="not int"):
        hb.train(3)


def test_show_recipe_prints_what_would_be_trained(tmp_path, capsys):
    import tomllib

    write_text(tmp_path / "my.txt")
    assert main(["train", "--text", "my.txt", "--show-recipe", "--model.d-model", "32"]) == 0
    printed = capsys.readouterr().out
    recipe = tomllib.loads(printed[printed.index("[model]") :])
    assert recipe["model"]["d_model"] == 32
    assert not (tmp_path / "runs").exists()


def test_training_overfits_one_batch(tmp_path):
    recipe = tiny_recipe(
        tmp_path,
        model={"dropout": 0.0, "d_model": 64},
        training={"steps": 150, "batch_size": 1, "gradient_accumulation": 1},
        evaluation={"every": 0},
        checkpoint={"every": 0},
    )
    ids = np.load(tmp_path / "train.npy")[:18]
    from hornbook.tokenizer.token_file import TokenFile

    TokenFile.write(
        tmp_path / "train.npy",
        ids,
        vocab_size=VOCAB,
        tokenizer_fingerprint="none",
        sources=[],
        num_bytes=9,
        num_documents=1,
    )
    run = quiet_train(recipe)
    assert run.summary()["train_loss"] < 0.05


def test_a_peak_that_was_measured_too_low_is_measured_anew(tmp_path, monkeypatch):
    """As when other work holds the machine up while the run starts: no record says more than the whole machine."""
    monkeypatch.setattr("hornbook.training.launch.estimate.peak_flops", lambda device, dtype: 1e3)
    tokens = np.random.default_rng(0).integers(0, 50, 3000).astype(np.uint16)
    np.save(tmp_path / "tokens.npy", tokens)
    run = quiet_train(
        {
            "run": {"directory": str(tmp_path / "run")},
            "data": {"tokens": [str(tmp_path / "tokens.npy")], "validation_tokens": [str(tmp_path / "tokens.npy")]},
            "model": {"vocab_size": 50, "context_length": 16, "d_model": 32, "num_layers": 1, "num_heads": 2},
            "training": {"steps": 4, "batch_size": 8},
            "evaluation": {"sample_every": 0},
            "logging": {"every": 1},
        }
    )
    shares = [record["mfu"] for record in run.metrics() if "mfu" in record]
    assert len(shares) == 4
    assert all(0 < share <= 1 for share in shares)
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["peak_flops"] > 1e6


def test_resuming_what_is_not_there_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "runs/none", "--resume"]) == 2
    assert "there is no run in runs/none to resume" in capsys.readouterr().err
    write_text(tmp_path / "my.txt")
    (tmp_path / "r.toml").write_text(
        '[data]\ntext = ["my.txt"]\n[tokenizer]\nvocab_size = 300\n[model]\ncontext_length = 16\nd_model = 16\n'
        "num_layers = 1\nnum_heads = 2\n[training]\nsteps = 1\nbatch_size = 2\n"
    )
    assert main(["train", "r.toml", "--resume"]) == 0
    assert "there is no run in runs/r to resume: it starts at step 0" in capsys.readouterr().out


def test_importing_the_package_needs_no_torch():
    code = "import sys, hornbook, hornbook.training.config, hornbook.tracking.run; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
