"""`hornbook data`: stories for a person and to a file, token files from every kind of text, sentences for the rest."""

import gzip
import itertools
import json
import os
import pty
import re
import sys
import time
from pathlib import Path

import pytest

from hornbook.cli.data import size_in_bytes
from hornbook.cli.main import main
from hornbook.data.corpora import storyworld
from hornbook.errors import ConfigError


def test_show_prints_the_stories(capsys):
    assert main(["data", "storyworld", "--show", "2", "--seed", "1", "--level", "rich"]) == 0
    out = capsys.readouterr().out
    assert storyworld.story(0, 1, "rich") in out
    assert storyworld.story(1, 1, "rich") in out


def test_explain_shows_every_choice_with_its_probability(capsys):
    assert main(["data", "storyworld", "--show", "1", "--level", "easy", "--explain"]) == 0
    out = capsys.readouterr().out
    decisions = storyworld.parse(storyworld.story(0, 1, "easy"), "easy")
    assert f"{len(decisions)} choices" in out
    assert all(f"{d.weight}/{d.total}" in out for d in decisions)


def test_a_corpus_is_written_whole(tmp_path, capsys):
    out = tmp_path / "corpus.txt"
    assert main(["data", "storyworld", "--bytes", "20KB", "--out", str(out), "--level", "easy", "--seed", "4"]) == 0
    assert out.read_text() == storyworld.generate(20_000, 4, "easy")
    assert str(out) in capsys.readouterr().out


def test_a_terminal_sees_a_bar_that_moves_and_is_never_silent_for_two_seconds(tmp_path):
    # A pseudo-terminal for all three streams, as a person has it; a corpus that comes slowly stands for a large one.
    code = (
        "import sys, time; from hornbook.data.corpora.storyworld import corpus; real = corpus.corpus_bytes\n"
        "def slow(*a):\n"
        "    for piece in real(*a):\n"
        "        time.sleep(0.7); yield piece\n"
        "corpus.corpus_bytes = slow; from hornbook.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = ["data", "storyworld", "--bytes", "6MB", "--level", "rich", "--out", str(tmp_path / "c.txt")]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-c", code, *command])
    said, moments = b"", []
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError:  # Linux says that the other end has gone
            break
        if not block:
            break
        said += block
        moments.append(time.monotonic())
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, said.decode()
    percents = [int(p) for p in re.findall(r"telling 6 MB of stories (\d+) %", said.decode())]
    assert len(set(percents)) >= 4, said.decode()
    assert percents == sorted(percents)
    assert max(b - a for a, b in itertools.pairwise(moments)) < 2
    assert (tmp_path / "c.txt").read_bytes() == storyworld.generate(6_000_000, 1, "rich").encode()


def prepare(capsys, *words):
    """Run `hornbook data prepare`; return the token files that it names, by role."""
    assert main(["data", "prepare", *map(str, words)]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    return {role: [Path(line[1]) for line in lines if line[0] == role] for role in ("train", "validation")}


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


SMALL = ["--tokenizer.vocab-size", "300"]
MODEL = {"context_length": 16, "d_model": 8, "num_layers": 1, "num_heads": 1}
STORIES = storyworld.split_stories(storyworld.generate(30_000, 2, "easy"))


@pytest.mark.usefixtures("own_cache")
def test_prepare_makes_the_token_files_of_a_recipe_once(capsys):
    recipe = Path(__file__).resolve().parents[2] / "recipes" / "storyworld-cpu.toml"
    words = [recipe, "--data.corpus-bytes", "300000", *SMALL]
    files = prepare(capsys, *words)
    from hornbook.tokenizer.token_file import TokenFile
    from hornbook.tokenizer.tokenizer import Tokenizer

    (train,), (validation,) = files["train"], files["validation"]
    tokenizer = Tokenizer.load(train.parent / "tokenizer")
    assert tokenizer.vocab_size == 300
    text = tokenizer.decode([*TokenFile.open(train).ids.tolist(), *TokenFile.open(validation).ids.tolist()])
    whole = storyworld.generate(300_000, 1, "normal")
    assert sorted(storyworld.split_stories(text)) == sorted(storyworld.split_stories(whole))
    before = train.stat().st_mtime_ns
    assert prepare(capsys, *words) == files
    assert train.stat().st_mtime_ns == before


def write_kind(kind, folder):
    """Write the stories in one of the kinds that people have; return the path to name."""
    records = [json.dumps({"story": story, "id": i}) for i, story in enumerate(STORIES)]
    text = "\n<|endoftext|>\n".join(STORIES)
    if kind == "a.txt":
        (folder / kind).write_text(text)
    elif kind == "a.txt.gz":
        (folder / kind).write_bytes(gzip.compress(text.encode()))
    elif kind == "a.jsonl":
        (folder / kind).write_text("\n".join(records))
    elif kind == "a.jsonl.gz":
        (folder / kind).write_bytes(gzip.compress("\n".join(records).encode()))
    elif kind == "a.jsonl.zst":
        (folder / kind).write_bytes(pytest.importorskip("zstandard").compress("\n".join(records).encode()))
    elif kind == "a.parquet":
        arrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(arrow.table({"story": STORIES}), folder / kind)
    else:  # a folder, or a glob of it
        (folder / "many").mkdir()
        third = len(STORIES) // 3
        (folder / "many" / "1.txt").write_text("\n<|endoftext|>\n".join(STORIES[:third]))
        (folder / "many" / "2.jsonl").write_text("\n".join(records[third:]))
    return kind


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    "kind", ["a.txt", "a.txt.gz", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet", "many", "many/*"]
)
def test_prepare_takes_text_as_people_have_it(tmp_path, kind, capsys):
    from hornbook.tokenizer.token_file import TokenFile
    from hornbook.tokenizer.tokenizer import Tokenizer

    name = write_kind(kind, tmp_path)
    recipe = {"data": {"text": [name], "field": "story", "validation": 0.1}, "model": MODEL}
    (tmp_path / "r.json").write_text(json.dumps(recipe))
    files = prepare(capsys, "r.json", *SMALL)
    tokenizer = Tokenizer.load(files["train"][0].parent / "tokenizer")
    assert [len(files[role]) for role in ("train", "validation")] == [1, 1]
    texts = [tokenizer.decode(TokenFile.open(p).ids.tolist()) for p in (*files["train"], *files["validation"])]
    assert sorted(story for text in texts for story in storyworld.split_stories(text)) == sorted(STORIES)


@pytest.mark.usefixtures("own_cache")
def test_what_get_fetched_is_what_prepare_reads(tmp_path, monkeypatch, capsys):
    from harness.web import serving

    from hornbook.data.datasets import DATASETS, RemoteDataset, RemoteFile

    text = "\n<|endoftext|>\n".join(STORIES).encode()
    recipe = Path(__file__).resolve().parents[2] / "recipes" / "tinystories-cpu.toml"
    assert main(["data", "prepare", str(recipe)]) == 2
    said = capsys.readouterr().err
    assert "there is no file data/TinyStoriesV2-GPT4-train.txt; fetch it with: hornbook data get tinystories" in said
    with serving(text) as site:
        names = [file.name for file in DATASETS["tinystories"].files]
        files = tuple(RemoteFile(f"{site.url}/{name}") for name in names)
        monkeypatch.setitem(DATASETS, "tinystories", RemoteDataset("tinystories", "a test", files))
        site.cuts = [10_000]
        assert main(["data", "get", "tinystories"]) == 0
    capsys.readouterr()
    files = prepare(capsys, recipe, *SMALL)
    assert len(files["train"]) == len(files["validation"]) == 1
    assert json.loads(files["train"][0].with_suffix(".json").read_text())["num_documents"] == len(STORIES)


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("missing.txt", "there is no file or folder missing.txt"),
        ("empty", "the folder empty holds no text"),
        ("bad.jsonl", "bad.jsonl, line 2 is not JSON"),
        ("other.jsonl", "has no field 'text'"),
        ("cut.txt.gz", "cut.txt.gz is cut short"),
    ],
)
def test_text_that_cannot_be_read_is_one_sentence(tmp_path, text, words, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{"text": \n')
    (tmp_path / "other.jsonl").write_text('{"story": "a"}\n')
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(os.urandom(2000).hex().encode())[:-30])
    (tmp_path / "r.json").write_text(json.dumps({"data": {"text": [text]}, "model": MODEL}))
    assert main(["data", "prepare", "r.json"]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_list_names_the_levels(capsys):
    assert main(["data", "list"]) == 0
    assert "easy, normal, rich" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["storyworl"], "did you mean 'storyworld'"),
        (["storyworld", "--bytes", "20MB"], "go together"),
        (["storyworld", "--bytes", "many", "--out", "x"], "no size"),
        (["storyworld", "--show", "0"], "at least 1"),
        (["storyworld", "--seed", "-1"], "seed -1"),
        (["list", "more"], "takes no arguments"),
    ],
)
def test_bad_arguments_get_one_sentence(arguments, words, capsys):
    assert main(["data", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("text", "size"), [("1GB", 10**9), ("1.5 MiB", 1_572_864), ("300", 300), ("2kb", 2000)])
def test_sizes_are_read(text, size):
    assert size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "0", "-3MB", "nanMB", "3XB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ConfigError):
        size_in_bytes(text)
