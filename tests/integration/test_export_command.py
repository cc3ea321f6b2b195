"""`hornbook export` and `hornbook import hf`: a run leaves, and comes back, by the command line."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from harness.hub import Hub, serving_hub
from harness.recipes import quiet_train, tiny_recipe

import hornbook as hb
from hornbook.cli.main import main
from hornbook.config import dump_toml
from hornbook.tracking.run import Run

transformers = pytest.importorskip("transformers")

TEXT = "the cat sat on the mat and the dog ran to the red ball while a bird sang in its tree\n<|endoftext|>\n"


pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run on text, whose samples and note try to break out of a model card."""
    place = tmp_path_factory.mktemp("trained")
    (place / "secret-place").mkdir()
    text = place / "secret-place" / "my text.txt"
    text.write_text(TEXT * 60)
    recipe = tiny_recipe(
        place,
        run={"directory": str(place / "runs" / "a"), "name": "a"},
        tokenizer={"vocab_size": 300},
        evaluation={"every": 10, "sample_every": 40, "prompt": "the ```cat"},
    )
    recipe["data"] = {"text": [str(text)], "validation": 0.1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HORNBOOK_CACHE", str(place / "cache"))
        quiet_train(recipe)
    return place


@pytest.fixture
def run(trained, tmp_path):
    """A copy of that run, and of its text, in the working folder."""
    for name in ("secret-place", "runs"):
        shutil.copytree(trained / name, tmp_path / name)
    return "runs/a"


def say(capsys, words: str) -> tuple[int, str]:
    code = main(shlex.split(words))
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_run_leaves_with_its_card_and_comes_back_equal(run, tmp_path, capsys):
    code, said = say(capsys, f"export {run} out --to hf --license mit")
    assert code == 0
    assert said.startswith("out: step ")
    tokenizer = transformers.AutoTokenizer.from_pretrained("out")
    theirs = transformers.AutoModelForCausalLM.from_pretrained("out", dtype=torch.float32)
    ours, own_tokenizer, _ = hb.load_run(run)
    ids = own_tokenizer.encode("the cat sat")
    assert tokenizer("the cat sat")["input_ids"] == ids
    with torch.no_grad():
        torch.testing.assert_close(theirs(torch.tensor([ids])).logits, ours(torch.tensor([ids])), atol=1e-5, rtol=1e-5)

    card = (tmp_path / "out" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers\n")
    assert 'license: "mit"' in card
    assert "on my text.txt" in card
    assert "secret-place" not in card
    assert str(tmp_path) not in card
    assert "````text\nthe ```cat" in card, "a fence in a sample must not end the block that shows it"
    assert "| best val loss (nats/token) |" not in card
    assert "| val loss (nats/token) | " in card
    assert "windows of 16 tokens" in card
    assert "![training and validation loss]" in card
    files = json.loads((Path(run) / "data.json").read_text())
    for part in ("train", "validation"):
        facts = json.loads(Path(files[part][0]).with_suffix(".json").read_text())
        assert f"| {part} | {facts['num_bytes']:,} | {facts['num_tokens']:,} | {facts['num_documents']} | `" in card
        assert facts["sha256"] in card
    assert (tmp_path / "out" / "loss.png").stat().st_size > 1000
    assert "vocab_size = 300" in card

    assert say(capsys, "import hf out --name b")[0] == 0
    back, back_tokenizer, _ = hb.load_run("runs/b")
    assert back_tokenizer.fingerprint == own_tokenizer.fingerprint
    for name, tensor in ours.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor), name
    code, said = say(capsys, 'generate runs/b --prompt "the cat" --temperature 0 --max-new-tokens 5')
    assert code == 0
    assert said == say(capsys, f'generate {run} --prompt "the cat" --temperature 0 --max-new-tokens 5')[1]
    (tmp_path / "other.txt").write_text(TEXT)
    assert say(capsys, "eval runs/b --text other.txt")[0] == 0
    code, said = say(capsys, "runs")
    assert code == 0
    assert "b" in said
    assert say(capsys, "export runs/b again --to hf")[0] == 0
    first, again = (tmp_path / name / "model.safetensors" for name in ("out", "again"))
    assert first.read_bytes() == again.read_bytes()


TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [256], "tokens": ["<|endoftext|>"]}},
}


@pytest.mark.parametrize(
    ("post_processor", "settings", "around"),
    [
        (TEMPLATE, {}, "'<|endoftext|>' before each text"),
        (
            {"type": "RobertaProcessing", "cls": ["<|endoftext|>", 256], "sep": ["<|endoftext|>", 256]},
            {},
            "'<|endoftext|>' before and '<|endoftext|>' after each text",
        ),
        (
            TEMPLATE,
            {"add_bos_token": False},
            "'<|endoftext|>' before each text",
        ),  # transformers passes over the setting
        (None, {"add_bos_token": True}, ""),
    ],
)
def test_what_is_put_around_each_text_is_said_kept_and_put_back(
    run, tmp_path, capsys, post_processor, settings, around
):
    """A Llama's tokenizer puts a token before each text in transformers; ours gives the ids of the text alone."""
    assert say(capsys, f"export {run} theirs --to hf")[0] == 0
    for name, changes in (
        ("tokenizer.json", {"post_processor": post_processor}),
        ("tokenizer_config.json", settings),
        ("config.json", {"eos_token_id": [256, 44], "bos_token_id": 256}),
    ):
        path = tmp_path / "theirs" / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    code, said = say(capsys, "import hf theirs --name b")
    assert code == 0
    notes = [line for line in said.splitlines() if line.startswith("note: ")]
    assert len(notes) == bool(around)
    assert around in said
    assert not around or "and export puts it back" in notes[0]
    assert say(capsys, "export runs/b again --to hf")[0] == 0
    first, again = (transformers.AutoTokenizer.from_pretrained(name) for name in ("theirs", "again"))
    text = "the cat<|endoftext|>sat"
    assert again(text)["input_ids"] == first(text)["input_ids"]
    _, tokenizer, _ = hb.load_run("runs/b")
    ids = tokenizer.encode(text)
    assert again(text, add_special_tokens=False)["input_ids"] == ids
    assert len(again(text)["input_ids"]) - len(ids) == around.count("<|endoftext|>")
    for name in ("config.json", "generation_config.json"):
        assert json.loads((tmp_path / "again" / name).read_text())["eos_token_id"] == [256, 44]
    assert say(capsys, "export runs/b again.gguf --to gguf")[0] == 0
    found = pytest.importorskip("gguf").GGUFReader("again.gguf").fields
    added = (found[f"tokenizer.ggml.add_{key}_token"].contents() for key in ("bos", "eos"))
    assert tuple(added) == ("before" in around, "after" in around)


def test_a_text_ends_with_the_separator_of_training_also_where_it_is_not_the_first_special_token(tmp_path, capsys):
    gguf = pytest.importorskip("gguf")
    specials = ["<|pad|>", "<|endoftext|>"]
    (tmp_path / "text.txt").write_text(TEXT * 60)
    vocab, merges = hb.train_bpe(tmp_path / "text.txt", 300, specials)
    hb.Tokenizer(vocab, merges, specials).save(tmp_path / "tok")
    recipe = tiny_recipe(tmp_path, run={"name": "a"}, tokenizer={"path": "tok"})
    run = quiet_train({**recipe, "data": {"text": ["text.txt"], "validation": 0.1}}).path
    assert say(capsys, f"export {run} out --to hf")[0] == 0
    tokenizer = transformers.AutoTokenizer.from_pretrained("out")
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.eos_token_id) == ("<|endoftext|>",) * 2 + (end,)
    assert transformers.GenerationConfig.from_pretrained("out").eos_token_id == end
    assert say(capsys, f"export {run} out.gguf --to gguf")[0] == 0
    assert gguf.GGUFReader("out.gguf").fields["tokenizer.ggml.eos_token_id"].contents() == end


def test_a_card_tells_of_the_weights_that_are_beside_it(run, tmp_path, capsys):
    """Figures and samples of the exported step, and where the weights came from."""
    losses = {record["step"]: record["val_loss"] for record in Run.open(Path(run)).metrics() if "val_loss" in record}
    step = sorted(int(path.name[5:]) for path in Path(run, "checkpoints").glob("step-*"))[-2]
    measured = max(s for s in losses if s <= step)
    assert step < 40
    assert say(capsys, f"export {run} earlier --to hf --checkpoint {step}")[0] == 0
    card = (tmp_path / "earlier" / "README.md").read_text()
    assert f"The weights are those of step {step}." in card
    assert f"| | at step {measured} |" in card
    assert f"| val loss (nats/token) | {losses[measured]:.4f} |" in card
    assert "Written at step 40" not in card
    assert "trained from random weights" in card
    assert "max_new_tokens=8," in card, "half of the context of 16"

    assert say(capsys, "import hf earlier --name theirs")[0] == 0
    assert say(capsys, "export runs/theirs again --to hf")[0] == 0
    card = (tmp_path / "again" / "README.md").read_text()
    assert "imported into hornbook from earlier" in card
    assert "random weights" not in card
    assert "## Recipe" not in card

    recipe = tiny_recipe(tmp_path / "made", run={"directory": "runs/tuned", "name": "tuned"})
    recipe["data"] = {"text": [str(tmp_path / "secret-place" / "my text.txt")], "validation": 0.1}
    recipe["model"] = {"init_from": "runs/theirs"}
    quiet_train(recipe)
    assert say(capsys, "export runs/tuned tuned --to hf")[0] == 0
    assert "trained from the weights of theirs" in (tmp_path / "tuned" / "README.md").read_text()


@pytest.mark.parametrize(
    ("lr", "measured", "sentence"),
    [
        (0.01, True, None),
        (30.0, True, "the lowest validation loss was at step 0, of which there is no sound checkpoint"),
        (0.01, False, "no validation loss was measured; the weights of step 4 stand for the best"),
    ],
)
def test_the_best_checkpoint_says_where_it_is_another(tmp_path, capsys, lr, measured, sentence):
    """To a command that takes it, and to a run that begins with it."""
    made = tiny_recipe(
        tmp_path / "made", run={"directory": "runs/a"}, training={"steps": 4}, guard={"action": "off"},
        optimizer={"lr": lr, "weight_decay": 0.0}, schedule={"warmup_steps": 0}, evaluation={"every": 2},
    )  # fmt: skip
    quiet_train(made)
    if not measured:
        metrics = Path("runs/a/metrics.jsonl")
        lines = [json.loads(line) for line in metrics.read_text().splitlines()]
        metrics.write_text("".join(json.dumps(line) + "\n" for line in lines if "val_loss" not in line))
        Path("runs/a/checkpoints/best.json").unlink()
    again = tiny_recipe(tmp_path / "made", run={"directory": "runs/b"}, training={"steps": 1})
    Path("again.toml").write_text(dump_toml(again | {"model": {"init_from": "runs/a"}}))
    for words in ("export runs/a out --to hf --checkpoint best", "train again.toml"):
        code, said = say(capsys, words)
        assert code == 0, said
        notes = [line for line in said.splitlines() if "stand for the best" in line]
        assert len(notes) == (sentence is not None), said
        assert sentence is None or sentence in notes[0]
    assert "stand for the best" not in say(capsys, "export runs/a last --to hf --checkpoint last")[1]


def test_the_snippet_of_the_card_runs(run, tmp_path, capsys):
    assert say(capsys, f"export {run} out --to hf")[0] == 0
    snippet = (tmp_path / "out" / "README.md").read_text().split("```python\n")[1].split("```\n")[0]
    exec(compile(snippet.replace('folder = "."', 'folder = "out"'), "card", "exec"), {})
    assert len(capsys.readouterr().out) > 20


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("export runs/a out --to hf", "out is there already; nothing was written"),
        ("export runs/none new --to hf", "there is no run in runs/none"),
        ("export runs/a new --to hf --checkpoint 7", "there is no checkpoint of step 7"),
        ("export runs/a new", "needs --to"),
        ("export runs/a new --to onnx", "'onnx' is not one of 'hf', 'gguf'"),
        ("export runs/a out --to gguf", "out is there already; nothing was written"),
        ("export runs/a new --to gguf --dtype bfloat16", "--to gguf has no --dtype bfloat16; it has f32, f16, q8_0"),
        ("export runs/a new --to gguf --push me/x", "are of --to hf"),
        ("import hf out", "out holds no Hugging Face model"),
        ("import hf runs/a", "holds no Hugging Face model"),
        ("import hf sound --name a", "runs/a is there already"),
        ("import hf qwen", "model_type is 'qwen2', wanted 'llama'"),
        ("import hf cut", "is not a sound safetensors file"),
        ("import hf prefix", "adds a space before each text"),
        ("import hf twice", "post_processor TemplateProcessing has the text 2 times, wanted once"),
        ("import hf small", "its tokenizer has 300 entries, and its model only 299"),
        (
            "import hf vast",
            "embed_tokens.weight has shape (300, 16), and its config.json says (1000000000, 16), as vocab",
        ),
        ("import hf tied", "lm_head.weight is not the embedding, and config.json says that they are one"),
        ("import hf nan", "model.norm.weight holds NaN or infinity"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(run, tmp_path, capsys, words, sentence):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert say(capsys, f"export {run} sound --to hf")[0] == 0
    variant = words.split()[2]
    if variant in ("qwen", "cut", "prefix", "twice", "small", "vast", "tied", "nan"):
        (tmp_path / "sound").rename(variant)
        config = json.loads((tmp_path / variant / "config.json").read_text())
        if variant == "qwen":
            config["model_type"] = "qwen2"
        if variant == "vast":
            config["vocab_size"] = 10**9
        if variant == "cut":
            weights = tmp_path / variant / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-100])
        if variant == "prefix":
            pipeline = tmp_path / variant / "tokenizer.json"
            pipeline.write_text(pipeline.read_text().replace('"add_prefix_space": false', '"add_prefix_space": true'))
        if variant == "twice":
            pipeline = tmp_path / variant / "tokenizer.json"
            post = TEMPLATE | {"single": TEMPLATE["single"][1:] * 2}
            pipeline.write_text(json.dumps(json.loads(pipeline.read_text()) | {"post_processor": post}))
        if variant == "small":
            config["vocab_size"] = 299
            from safetensors.torch import load_file, save_file

            weights = tmp_path / variant / "model.safetensors"
            save_file({k: t[:299].clone() if len(t) == 300 else t for k, t in load_file(weights).items()}, weights)
        if variant in ("tied", "nan"):
            from safetensors.torch import load_file, save_file

            config["tie_word_embeddings"] = variant == "tied"
            tensors = load_file(weights := tmp_path / variant / "model.safetensors")
            tensors["model.norm.weight"][3] = float("nan" if variant == "nan" else 1)
            save_file(tensors, weights)
        (tmp_path / variant / "config.json").write_text(json.dumps(config))
    before = set(tmp_path.rglob("*"))
    code, said = say(capsys, words)
    assert code == 2
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
    assert set(tmp_path.rglob("*")) == before
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["../x", "/tmp/x", ".", "..", "", " ", ".x", "a/b", "a\\b", "a\nb", "a\x7fb", "a\x85b"]
)
def test_a_name_stays_in_the_folder_of_all_runs(run, tmp_path, capsys, name):
    """Of an imported run as of a trained one; and of two flags that say where to put it neither is passed over."""
    assert say(capsys, f"export {run} sound --to hf")[0] == 0
    before = set(tmp_path.rglob("*"))
    for words in (["import", "hf", "sound"], ["train", "--text", "secret-place/my text.txt"]):
        code = main([*words, "--name" if words[0] == "import" else "--run.name", name])
        said = capsys.readouterr().err
        assert (code, len(said.splitlines())) == (2, 1), said
        assert "cannot be a folder's name" in said
        assert set(tmp_path.rglob("*")) == before
    assert main(["import", "hf", "sound", "--name", "b", "--out", "elsewhere/c"]) == 0
    assert Run.open(Path("elsewhere", "c")).config["run"]["name"] == "b"


@pytest.mark.parametrize(
    "words", ["export runs/a new --to hf", "export runs/a new --to gguf", "import hf sound --out new", "data cloze new"]
)
def test_a_full_disk_is_told_by_the_file_and_leaves_nothing(run, tmp_path, capsys, monkeypatch, words):
    """Whichever file it is that no longer fits."""
    assert say(capsys, f"export {run} sound --to hf")[0] == 0
    before = set(tmp_path.rglob("*"))
    real, named = os.fsync, set()
    for at in (1, 2, 3, 5, 8, 13, 21):
        calls = iter(range(1, 1000))

        def fsync(descriptor, calls=calls, at=at):
            if next(calls) == at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        code, said = say(capsys, words)
        if code == 0:
            break
        if "did not confirm" in said:  # the last flush of all: what is there is whole
            assert said.startswith("hornbook: new: the new content is in place")
            break
        named |= set(re.findall(r"\(writing (.*?)\)", said))
        assert said.count("\n") == 1
        assert "the disk is full (writing new" in said, said
        assert "run the command again" in said
        assert ".tmp" not in said
        assert set(tmp_path.rglob("*")) == before
    assert named
    assert len(named) > 1 or "gguf" in words, named


def test_a_model_that_no_llama_expresses_asks_for_custom_code(tmp_path, capsys):
    recipe = tiny_recipe(tmp_path / "made", run={"directory": "runs/a"}, model={"norm": "post"})
    quiet_train(recipe)
    code, said = say(capsys, "export runs/a out --to hf")
    assert code == 2
    assert "norm = 'post'" in said
    assert "--custom-code" in said
    assert not (tmp_path / "out").exists()
    code, said = say(capsys, "export runs/a out --to hf --custom-code")
    assert code == 0
    assert "keeps no tokenizer" in said
    assert "trust_remote_code=True" in (tmp_path / "out" / "README.md").read_text()


@pytest.fixture
def hub():
    with serving_hub() as hub:
        yield hub


def at(hub: Hub, place: Path, words: str, token: str = "hf_secret") -> tuple[int, str]:
    """Run a command as a process of its own that knows this hub only, as the library reads its address at import."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(place / "hub"),
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-c", "from hornbook.cli.main import entry; entry()", *shlex.split(words)]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_a_model_goes_to_the_hub_and_comes_from_it(run, tmp_path, hub):
    code, said = at(hub, tmp_path, f"export {run} out --to hf --push me/small")
    assert code == 0, said
    assert f"uploaded to {hub.url}/me/small" in said
    assert hub.files["me/small"] == {
        str(path.relative_to("out")): path.read_bytes() for path in Path("out").rglob("*") if path.is_file()
    }
    assert "Bearer hf_secret" in hub.tokens
    code, said = at(hub, tmp_path, "import hf me/small")
    assert code == 0, said
    ours, back = hb.load_run(run)[0].state_dict(), hb.load_run("runs/small")[0].state_dict()
    assert all(torch.equal(ours[name], back[name]) for name in ours)


@pytest.mark.parametrize(
    ("status", "words", "sentence"),
    [
        (403, "export runs/a out --to hf --push me/small", "the hub does not let this token do it (403)"),
        ("away", "export runs/a out --to hf --push me/small", "the hub cannot be reached; check the network"),
        ("nobody", "export runs/a out --to hf --push me/small", "nobody is logged in; run `hf auth login`"),
        (500, "import hf me/small", "fetching it from the hub failed: "),
        ("away", "import hf me/small", "the hub cannot be reached; check the network"),
        (None, "import hf me/none", "the hub has no such repository"),
        (None, "import hf not//a-name", "that is no name of a repository"),
        (None, "export runs/a out --to hf --push me/small/er", "no name of a repository"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(run, tmp_path, hub, status, words, sentence):
    if status == "away":
        hub.url = "http://127.0.0.1:9"
    elif status != "nobody":
        hub.refuses = status
    code, said = at(hub, tmp_path, words, "" if status == "nobody" else "hf_secret")
    assert code == 2, said
    assert sentence in said
    assert "Traceback" not in said
    assert "hf_secret" not in said
    assert not (tmp_path / "out").exists()
    assert len(said.splitlines()) == 1


def test_a_name_of_others_is_told_when_it_is_made_and_the_folder_stays(run, tmp_path, hub):
    """Only the hub knows who may write where; its answer comes after the folder is whole, and costs nothing."""
    for _ in range(2):
        code, said = at(hub, tmp_path, f"export {run} out --to hf --push others/small")
        assert code == 2, said
        assert "the hub does not let this token do it (403)" in said.splitlines()[-1]
        assert "out is written (the same command goes on from it)" in said.splitlines()[-1]
        assert "Traceback" not in said
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    code, said = at(hub, tmp_path, f"export {run} out --to hf --push me/small")
    assert code == 0, said
    assert hub.files == {"me/small": before}


def test_an_upload_that_failed_is_repeated_by_the_same_command(run, tmp_path, hub):
    words = f"export {run} out --to hf --push me/small"
    hub.refuses_files = 500
    code, said = at(hub, tmp_path, words)
    assert code == 2
    assert (
        "out is written (the same command goes on from it); uploading it to me/small failed: the hub answered" in said
    )
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    hub.refuses_files = None
    code, said = at(hub, tmp_path, f"{words} --license mit")
    assert code == 2, said
    assert "out is there already; nothing was written" in said
    code, said = at(hub, tmp_path, words)
    assert code == 0, said
    assert "out is there already and holds this very export; it is uploaded as it is" in said
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert hub.files["me/small"] == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_the_guide_to_moving_a_model_is_true(tmp_path, capsys):
    """Every command and line of docs/how-to/move-a-model.md, in order, on a small text."""
    follow_the_guide(tmp_path, capsys, with_llama_cpp=False)


@pytest.mark.hours
def test_the_guide_leads_to_llama_cpp(tmp_path, capsys):
    pytest.importorskip("llama_cpp")
    follow_the_guide(tmp_path, capsys, with_llama_cpp=True)


def follow_the_guide(tmp_path, capsys, with_llama_cpp):
    guide = (Path(__file__).parents[2] / "docs" / "how-to" / "move-a-model.md").read_text(encoding="utf-8")
    (tmp_path / "recipes").symlink_to(Path(__file__).parents[2] / "recipes")
    shorter = {
        "--max-minutes 10": "--max-minutes 0.02", "steps 100": "steps 3", "tokens 100000": "tokens 1000",
        "20MB": "400KB", "items 1000": "items 20",
        "--name stories": "--name stories --data.corpus-bytes 100000 --tokenizer.vocab-size 300 --training.steps 3",
    }  # fmt: skip
    blocks = re.findall(r"```(sh|python)\n(.*?)```", guide, re.S)
    assert [kind for kind, _ in blocks] == ["sh", "python", "sh", "sh", "python", "sh"]
    for kind, block in blocks:
        if kind == "python":
            if with_llama_cpp or "llama_cpp" not in block:
                exec(compile(block, "guide", "exec"), {})
            continue
        for line in block.splitlines():
            words = line
            for long, short in shorter.items():
                words = words.replace(long, short)
            assert words.startswith("hornbook ")
            assert main(shlex.split(words)[1:]) == 0, line
    assert "the cat" in capsys.readouterr().out
