"""`hornbook tokenizer …` as a user meets it: what it prints, and one sentence for each mistake."""

import gzip
import json
import re

import pytest

from hornbook.cli.main import main

TEXT = "low lower lowest newest widest it's 12345\n<|endoftext|>\n" * 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    lines = "".join(json.dumps({"body": part}) + "\n" for part in TEXT.split("<|endoftext|>\n"))
    (folder / "text.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "empty.txt").write_bytes(b"")
    (folder / "blank.txt").write_bytes(b"<|endoftext|>")
    (folder / "bad.txt").write_bytes(b"abc\xff")
    (folder / "nothing").mkdir()
    assert main(["tokenizer", "train", f"{folder}/text.txt", "--vocab-size", "280", "--out", f"{folder}/tok"]) == 0
    return folder


def run(capsys, *words):
    capsys.readouterr()
    code = main(["tokenizer", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def test_train_prints_a_summary_and_json(folder, capsys):
    code, out, _ = run(capsys, "train", folder / "text.txt", "--vocab-size", 280, "--out", folder / "t1")
    assert code == 0
    for words in ("280 entries, 23 merges", "time", "peak memory", "compression", "bytes per token", "longest"):
        assert words in out
    source = folder / "text.jsonl.gz"
    code, out, _ = run(
        capsys,
        "train",
        source,
        "--vocab-size",
        280,
        "--out",
        folder / "t2",
        "--field",
        "body",
        "--json",
        "--pattern",
        "o200k",
    )
    facts = json.loads(out)
    assert (code, facts["vocab_size"], facts["pattern"]) == (0, 280, "o200k")
    assert facts["bytes_per_token"] == round(facts["corpus_bytes"] / facts["corpus_tokens"], 4)


def test_a_small_text_yields_fewer_entries_and_says_so(folder, capsys):
    code, out, _ = run(capsys, "train", folder / "text.txt", "--vocab-size", 5000, "--out", folder / "t3")
    assert code == 0
    assert "fewer than the 5,000 asked for" in out


def test_encode_and_decode_are_each_others_inverse(folder, capsys):
    text = "lowest newest<|endoftext|>"
    code, out, _ = run(capsys, "encode", folder / "tok", "--text", text)
    assert code == 0
    code, out, _ = run(capsys, "decode", folder / "tok", *out.split())
    assert (code, out) == (0, text + "\n")
    code, out, _ = run(capsys, "encode", folder / "tok", folder / "text.txt", "--out", folder / "tokens.npy")
    assert code == 0
    assert "of 40 documents" in out
    code, out, _ = run(capsys, "decode", folder / "tok", "--tokens", folder / "tokens.npy")
    assert (code, out) == (0, TEXT + "\n")
    code, listed, _ = run(capsys, "encode", folder / "tok", folder / "text.txt")
    code, out, _ = run(capsys, "decode", folder / "tok", *listed.split())
    assert out == TEXT + "\n"


@pytest.mark.parametrize("format", ["gpt2", "tiktoken", "huggingface", "hornbook"])
def test_convert_writes_what_loads_again(folder, capsys, format):
    out_path = folder / f"as-{format}"
    assert run(capsys, "convert", folder / "tok", out_path, "--to", format)[0] == 0
    special = ["--special-tokens", "<|endoftext|>"] if format == "gpt2" else []
    assert run(capsys, "convert", out_path, folder / f"back-{format}", "--to", "hornbook", *special)[0] == 0
    name = "hornbook-tokenizer.json"
    assert (folder / f"back-{format}" / name).read_bytes() == (folder / "tok" / name).read_bytes()


def test_inspect_shows_tokens_trees_and_splits(folder, capsys):
    _, out, _ = run(capsys, "inspect", folder / "tok", folder / "text.txt", "--longest", 3)
    assert "count" in out
    _, out, _ = run(capsys, "inspect", folder / "tok", "--word", "lowest", "--text", "it's low<|endoftext|>")
    assert "merge 0" in out
    assert "‖<|endoftext|>" in out
    _, out, _ = run(capsys, "inspect", folder / "tok", "--word", "lowest", "--text", "it's", "--json")
    facts = json.loads(out)
    assert facts["special_tokens"] == {"<|endoftext|>": 0}
    assert "".join(row["token"] for row in facts["text"]) == "it's"
    assert facts["word"][0]["sides"]


def test_compare_gives_a_cross_table(folder, capsys):
    words = ("compare", folder / "tok", folder / "t1", "--corpora", folder / "text.txt")
    code, out, _ = run(capsys, *words, "--documents", 10)
    assert code == 0
    assert "bytes per token" in out
    assert "no throughput from less than 5 MB of text (text.txt): give more of it" in out
    assert "hours" not in out
    assert re.search(r"entries: [\d,]+ in both, [\d,]+ only in \S+tok, [\d,]+ only in \S+t1", out)
    (folder / "long.txt").write_bytes((folder / "text.txt").read_bytes() * (8_000_000 // len(TEXT.encode()) + 1))
    _, out, _ = run(capsys, "compare", folder / "tok", "--corpora", folder / "long.txt", folder / "text.txt")
    for title in ("bytes per token", "MB/s", "hours for 825 GB"):
        assert title in out
    assert re.search(r"\d\.\d+ │ +– │", out), "a speed for the long text, none for the short one"
    code, out, _ = run(capsys, *words, "--json")
    results = json.loads(out)["results"]
    assert len(results) == 2
    assert results[0]["bytes"] == len(TEXT.encode()) - 40 * len("<|endoftext|>") - 1


def test_ladder_times_the_trainers(folder, capsys):
    figure = folder / "ladder.svg"
    words = ("ladder", folder / "text.txt", "--vocab-size", 270, "--rungs", "heap", "native", "--figure", figure)
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "all with the same merges" in out
    assert re.search(r"^native .* –$", out, re.MULTILINE), "two kilobytes rank no trainer"
    assert "under 0.1 s, which is mostly starting" in out
    assert figure.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "did you mean 'train'"),
        (["train", "{}/absent.txt", "--vocab-size", "300", "--out", "{}/x"], "absent.txt; check the path"),
        (["train", "{}/nothing", "--vocab-size", "300", "--out", "{}/x"], "holds no text"),
        (["train", "{}/*.csv", "--vocab-size", "300", "--out", "{}/x"], "no file matches"),
        (["train", "{}/empty.txt", "--vocab-size", "300", "--out", "{}/x"], "it is empty"),
        (["train", "{}/blank.txt", "--vocab-size", "300", "--out", "{}/x"], "nothing to train on"),
        (["train", "{}/bad.txt", "--vocab-size", "300", "--out", "{}/x"], "malformed.*byte.* 3"),
        (["train", "{}/text.txt", "--vocab-size", "256", "--out", "{}/x"], "need at least 257"),
        (["train", "{}/text.txt", "--vocab-size", "many", "--out", "{}/x"], "many"),
        (["train", "{}/text.txt", "--vocab-size", "300"], "--out"),
        (["train", "{}/text.txt", "--vocab-size", "300", "--out", "{}/x", "--pattern", "gpt3"], "did you mean 'gpt2'"),
        (
            ["train", "{}/text.txt", "--vocab-size", "300", "--out", "{}/x", "--pattern", "("],
            "not a regular expression",
        ),
        (["train", "{}/text.txt", "--vocab-size", "300", "--out", "{}/x", "--pattern", r"\w*"], "can match nothing"),
        (
            ["train", "{}/text.txt", "--vocab-size", "300", "--out", "{}/x", "--pattern", r"\w+"],
            "leaves ' ' at character 3",
        ),
        (
            ["train", "{}/text.txt", "--vocab-size", "300", "--out", "{}/x", "--special-tokens", "a", "a"],
            "given 2 times",
        ),
        (["train", "{}/text.txt", "--vocab-size", "300", "--out", "{}/x", "--threads", "0"], "at least 1"),
        (["train", "{}/text.jsonl.gz", "--vocab-size", "300", "--out", "{}/x"], "no field 'text'.*it has body"),
        (["train", "{}/text.txt", "--vocab-size", "300", "--out", "{}/x", "--format", "spm"], "spm"),
        (["encode", "{}/tok"], "either files or --text"),
        (["encode", "{}/absent", "--text", "x"], "no tokenizer at"),
        (["encode", "{}/nothing", "--text", "x"], "holds no tokenizer"),
        (["encode", "{}/tok", "{}/bad.txt"], "byte.* 3|offset 3"),
        (["encode", "{}/tok", "{}/text.txt", "--out", "{}/x.bin"], "ends in .npy"),
        (["decode", "{}/tok", "999"], "no token with id 999"),
        (["decode", "{}/tok", "x"], "'x' is no token id"),
        (["decode", "{}/t1", "--tokens", "{}/absent.npy"], "absent.npy"),
        (["convert", "{}/tok", "{}/x", "--to", "spm"], "spm"),
        (["convert", "{}/text.txt", "{}/x", "--to", "gpt2"], "no tokenizer that hornbook knows"),
        (["inspect", "{}/tok", "--longest", "-1"], "below 0"),
        (["compare", "{}/tok", "--corpora", "{}/text.txt", "--documents", "0"], "below 1"),
        (["ladder", "{}/absent.txt"], "absent.txt; check the path"),
        (["ladder", "{}/text.txt", "--vocab-size", "3"], "at least 257"),
    ],
)
def test_each_mistake_gets_one_sentence(folder, capsys, words, sentence):
    import re

    code, _, err = run(capsys, *(word.replace("{}", str(folder)) for word in words))
    assert code == 2
    assert err.startswith("hornbook: ")
    assert len(err.splitlines()) == 1
    assert re.search(sentence, err), err
