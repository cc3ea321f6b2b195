"""Every subcommand over folders, recipes, tokenizers, texts and servers of a stranger: no ESC, no traceback."""

import json

import pytest
from harness.web import serving

import hornbook as hb
from hornbook.cli.main import SUBCOMMANDS, main

EVIL = "\x1b]0;owned\x07\x9b31m\u202egnp.exe\r"
TOML_EVIL = json.dumps(EVIL)[1:-1].replace("\x9b", "\\u009b")
COMMANDING = {*"\x1b\x07\x9b\u202e\r\ud800\udfff\udcff"}
CODES = (0, 1, 2, 130)
CONFIG = f"""
[model]
context_length = 16
d_model = 8
num_layers = 1
num_heads = 1
vocab_size = 300
[run]
name = "{TOML_EVIL}"
note = "{TOML_EVIL}"
tags = ["{TOML_EVIL}"]
[data]
text = ["{TOML_EVIL}"]
"""
METRICS = [
    {"step": 1, "val_loss": 2.0, "seconds": 1, "train_loss": 3.0},
    {"step": 2, "val_loss": EVIL, "seconds": "x"},
    {"step": "3", "val_loss": [1]},
    {"step": 4, "mfu": "fast", "seconds": 1e999, "lr": {}, "tokens": 10**400},
]
# Each changes one file of a run that is sound but for its words.
CHANGES = {
    "sound": {},
    "metrics": {"metrics.jsonl": "\n".join(json.dumps(record) for record in METRICS)},
    "huge number": {"metrics.jsonl": '{"step": 1, "seconds": ' + "9" * 400 + "}\n"},
    "huge loss": {"metrics.jsonl": '{"step": 1, "val_loss": ' + "9" * 400 + ', "train_loss": -1e308}\n'},
    "metrics, no objects": {"metrics.jsonl": "[1]\n3\nnull\n"},
    "metrics, deep": {"metrics.jsonl": "[" * 100_000 + "\n"},
    "samples": {"samples.jsonl": json.dumps({"step": 1, "prompt": EVIL, "text": EVIL + "\ud800"}) + "\n"},
    "samples, types": {"samples.jsonl": '{"step": [], "prompt": 3, "text": {"a": 1}}\n{"step": null}\n'},
    "status": {"status.json": json.dumps({"status": EVIL, "reason": EVIL + "\udfff"})},
    "status, types": {"status.json": '{"status": [1], "reason": {}}'},
    "status, a list": {"status.json": "[]"},
    "run is a number": {"config.toml": "run = 3\n"},
    "tags is a number": {"config.toml": CONFIG.replace(f'tags = ["{TOML_EVIL}"]', "tags = 5")},
    "tags of numbers": {"config.toml": CONFIG.replace(f'tags = ["{TOML_EVIL}"]', "tags = [5, [1]]")},
    "note is a list": {"config.toml": CONFIG.replace(f'note = "{TOML_EVIL}"', "note = [1]")},
    "model is a list": {"config.toml": 'model = [1]\n[run]\nname = "a"\n'},
    "time is text": {"environment.json": json.dumps({"time": EVIL, "commit": [EVIL], "hornbook": EVIL})},
    "environment of types": {"environment.json": '{"time": {}, "gpu": [1], "commit": 3, "packages": "x"}'},
    "environment with half a pair": {"environment.json": '{"time": 1, "processor": "\\ud800", "\\udcff": 1}'},
    "summary": {"summary.json": json.dumps({"entropy_floor_bits_per_byte": EVIL, EVIL: [1]})},
    "data": {"data.json": json.dumps({"train": [EVIL], "validation": 3})},
    "estimate": {"estimate.json": json.dumps({"seconds": EVIL, "peak_flops": []})},
    "tokenizer": {"tokenizer/hornbook-tokenizer.json": json.dumps({"format": EVIL})},
}


def hostile_run(folder, change):
    folder.mkdir(parents=True)
    good = {"config.toml": CONFIG, "environment.json": json.dumps({"time": 1.0, "commit": EVIL, EVIL: EVIL})}
    for name, content in ({**good, "status.json": '{"status": "done"}'} | CHANGES[change]).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8", errors="surrogatepass")
    return folder


def check(capsys, *argv):
    """Run a command; it must end well-mannered, whatever it says."""
    code = main([str(word) for word in argv])
    said = capsys.readouterr()
    for text in (said.out, said.err):
        bad = COMMANDING & {*text}
        assert not bad, (argv, bad, text[-500:])
        assert "Traceback" not in text
    assert code in CODES, argv
    return code, said


@pytest.mark.parametrize("change", CHANGES)
def test_runs_of_a_stranger(tmp_path, capsys, change, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = hostile_run(tmp_path / "runs" / "a\x1b]0;b\x07", change)
    sound = hostile_run(tmp_path / "runs" / "b", "sound")
    for argv in (
        ["runs", "runs"],
        ["runs", "runs", "--json"],
        ["runs", "runs", "--csv"],
        ["show", folder],
        ["show", folder, "--json"],
        ["report", folder, "--out", "r.html"],
        ["report", folder, sound, "--out", "r.html"],
        ["eval", folder],
        ["generate", folder, "--prompt", "x"],
        ["train", folder, "--resume"],
        ["train", folder / "config.toml", "--show-recipe"],
        ["account", folder / "config.toml"],
        ["data", "prepare", folder / "config.toml"],
        ["export", folder, "out", "--to", "hf"],
    ):
        check(capsys, *argv)
        if (tmp_path / "r.html").exists():
            page = (tmp_path / "r.html").read_text(encoding="utf-8")
            assert not COMMANDING & {*page}
    _, said = check(capsys, "runs", "runs")
    rows = [line.split() for line in said.out.splitlines()]
    assert [sound.name] in [row[:1] for row in rows], "one bad run does not hide the others"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.toml", f'[model]\n"{TOML_EVIL}" = 3\n'),
        ("a.toml", f'[model]\nd_model = "{TOML_EVIL}"\n'),
        ("a.toml", f"x = {EVIL}"),
        ("a.json", json.dumps({EVIL: {EVIL: 1}})),
        ("a.yaml", f'"{TOML_EVIL}": 1'),
        ("a.yaml", "{1: 2}"),
        ("a.json", "[" * 5000),
        ("a\x1b[31m.toml", "x ="),
    ],
)
def test_recipes_of_a_stranger(tmp_path, capsys, name, content, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(content)
    for words in (["train"], ["account"], ["data", "prepare"], ["train", "--show-recipe"]):
        assert check(capsys, *words, name)[0] == 2


def hostile_tokenizers(folder):
    entry = EVIL.encode()
    vocab = {**{i: bytes([i]) for i in range(256)}, 256: entry[:2]}
    tokenizer = hb.Tokenizer(vocab, [(entry[:1], entry[1:2])], [EVIL])
    tokenizer.save(folder / "sound")
    good = json.loads((folder / "sound" / "hornbook-tokenizer.json").read_text())
    changes = [{"pattern": EVIL}, {"version": EVIL}, {EVIL: 1}, {"special_tokens": [[EVIL, EVIL]]}, {"vocab": [EVIL]}]
    changes += [
        {"merges": [[EVIL, EVIL]]},
        {"pattern": "(" * 5000},
        {"unicode_version": EVIL},
        {"pattern": r"(?:a|b){e<=3}"},
    ]
    for number, change in enumerate(changes):
        (folder / str(number)).mkdir()
        (folder / str(number) / "hornbook-tokenizer.json").write_text(json.dumps({**good, **change}))
    (folder / "hf").mkdir()
    (folder / "hf" / "tokenizer.json").write_text(json.dumps({"model": {"type": EVIL}, EVIL: EVIL}))
    (folder / "gpt2").mkdir()
    (folder / "gpt2" / "vocab.json").write_text(json.dumps({EVIL: EVIL}))
    (folder / "gpt2" / "merges.txt").write_text(EVIL)
    (folder / "a.tiktoken").write_text(EVIL)
    return sorted(folder.iterdir())


def test_tokenizers_of_a_stranger(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tok").mkdir()
    text = tmp_path / "text.txt"
    text.write_text(EVIL + "ab ")
    for tokenizer in hostile_tokenizers(tmp_path / "tok"):
        for argv in (
            ["tokenizer", "inspect", tokenizer],
            ["tokenizer", "inspect", tokenizer, "--text", EVIL],
            ["tokenizer", "encode", tokenizer, text],
            ["tokenizer", "encode", tokenizer, text, "--out", "ids.npy"],
            ["tokenizer", "convert", tokenizer, "made", "--to", "gpt2"],
            ["tokenizer", "compare", "--tokenizers", tokenizer, "--texts", text],
        ):
            check(capsys, *argv)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", json.dumps({EVIL: EVIL})),
        ("a.jsonl", "{" + EVIL),
        ("a.jsonl", '{"text": 3}'),
        ("a.txt", b"\xff\xfe\x1b"),
        ("a.gz", b"\x1f\x8b" + EVIL.encode()),
        ("a.zst", b"\x28\xb5\x2f\xfd" + EVIL.encode()),
        ("a.parquet", b"PAR1" + EVIL.encode()),
        ("a\x1b]0;x\x07.jsonl", "{"),
    ],
)
def test_texts_of_a_stranger(tmp_path, capsys, name, content, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for argv in (["tokenizer", "train", name, "--vocab-size", "260", "--out", "t"], ["train", "--text", name]):
        assert check(capsys, *argv)[0] == 2


def test_a_server_of_a_stranger(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with serving(b"content") as site:
        for header in ("Content-Encoding", "ETag", "X-Linked-Etag"):
            site.headers = {header: "\x1b[31m" + "x"}
            check(capsys, "data", "get", f"{site.url}/{header}")
        site.headers = {}
        check(capsys, "data", "get", f"{site.url}/a%1b[31mb")
        check(capsys, "data", "get", EVIL)
        check(capsys, "data", "get", "http://" + EVIL)
    assert not [path.name for path in tmp_path.rglob("*") if "\x1b" in path.name]


def test_names_of_a_stranger_as_arguments(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in SUBCOMMANDS:
        for words in ([EVIL], [f"--{EVIL}", "1"], [f"--model.{EVIL}", "1"], ["\udcff"]):
            # The first four take no names, cloze takes long, import asks the hub.
            if name not in ("completion", "doctor", "demo", "data storyworld", "data cloze", "import hf"):
                check(capsys, *name.split(), *words)
    check(capsys, EVIL)
