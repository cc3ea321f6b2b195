"""Files that anybody may hand over take a small multiple of their size while they are read."""

import io
import json
import os
import re
import shutil
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

import hornbook as hb
from hornbook.cli import generate
from hornbook.cli.main import main
from hornbook.config import read
from hornbook.data.datasets import find_sources
from hornbook.data.scan import scan_file
from hornbook.encodings import joined, read_lines, read_whole
from hornbook.errors import DataError, HornbookError
from hornbook.fileio import read_json_object
from hornbook.tokenizer.formats import read_gpt2, read_parts
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tracking.records import read_records


def peak(read, path) -> float:
    """The most memory of Python's that reading takes, over the size of the file."""
    tracemalloc.start()
    try:
        kept = read(path)
        assert kept
        return tracemalloc.get_traced_memory()[1] / path.stat().st_size
    finally:
        tracemalloc.stop()


def test_records_take_four_times_their_file(tmp_path):
    names = ("tokens", "seconds", "train_loss", "lr", "grad_norm", "tokens_per_second", "mfu", "memory_bytes")
    lines = (json.dumps({"step": step, **dict.fromkeys(names, step * 1.1)}) + "\n" for step in range(10_000))
    (tmp_path / "m.jsonl").write_text("".join(lines))
    assert peak(read_records, tmp_path / "m.jsonl") < 4


def test_counts_are_not_copied(tmp_path):
    counts = hb.PretokenCounts()
    for number in range(200_000):
        counts.add(b"word %d" % number, number + 1)
    counts.save(tmp_path / "counts")
    with pytest.raises(HornbookError, match="at most 1,000,000 are read"):
        hb.PretokenCounts.load(tmp_path / "counts", most_bytes=1_000_000)
    assert peak(hb.PretokenCounts.load, tmp_path / "counts") < 2


def test_a_small_file_among_many_takes_220_bytes_beside_its_name(tmp_path):
    for number in range(3000):
        (tmp_path / f"{number:06d}.txt").write_text(f"Story {number} is short.")
    scan_file(next(tmp_path.iterdir()), END_OF_TEXT)
    tracemalloc.start()
    try:
        names = find_sources([str(tmp_path)])
        named = tracemalloc.get_traced_memory()[0]
        found = [scan_file(name, END_OF_TEXT, special_tokens=[END_OF_TEXT]) for name in names]
        assert len(found) == 3000
        assert (tracemalloc.get_traced_memory()[0] - named) / len(found) < 220
    finally:
        tracemalloc.stop()


def sparse(path, size=10**10, begin=b""):
    """A file of `size` bytes that takes no room on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(begin)
    os.truncate(path, size)
    return path


def refused_at_once(call, says):
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(HornbookError, match=says) as error:
            call()
        assert tracemalloc.get_traced_memory()[1] < 50e6
        assert time.process_time() - start < 2
    finally:
        tracemalloc.stop()
    assert str(error.value).count("\n") == 0


ROOT = Path(__file__).resolve().parents[2]
WHOLE = re.compile(r"\.read_bytes\(|\.read_text\(|\.read\(\)")
OURS = {
    "accounting/memory_limit.py", "locks.py", "tracking/environment.py",  # the kernel's
    "config/describe.py", "data/corpora/python_docs.py", "data/corpora/storyworld/corpus.py", "report/design.py",
    "interop/huggingface_export.py", "training/launch/story_ladder.py", "serve/board.py",  # beside the program
    "data/documents.py", "cli/demo.py", "cli/eval.py", "studies/data.py", "tokenizer/ladder/parallel.py",  # text
    "tracking/sinks.py", "checkpoint/single.py", "serve/security.py",  # what this run, caller or operator has made
}  # fmt: skip
READERS = {
    "records": ("m.jsonl", read_records),
    "object": ("m.json", read_json_object),
    "recipe": ("r.yaml", read),
    "counts": ("counts", hb.PretokenCounts.load),
    "tokenizer.json": ("tokenizer.json", read_parts),
    "ranks": ("a.tiktoken", lambda file: read_parts(file, pattern="gpt2")),
    "vocab": ("vocab.json", lambda file: read_gpt2(file, file.with_name("merges.txt"))),
    "own": ("tok/tokenizer.json", lambda file: read_parts(file.parent)),
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_of_10_gb_is_refused_before_it_is_read(tmp_path, name):
    file, reader = READERS[name]
    path = sparse(tmp_path / file, begin=b"HBCOUNTS" if name == "counts" else b"")
    refused_at_once(lambda: reader(path), "has 10,000,000,000 bytes or more; .* at most [0-9,]+ are read")


def test_a_line_of_17_mb_is_refused(tmp_path):
    path = sparse(tmp_path / "m.jsonl", 17 << 20, b'{"step": 1}\n')
    with pytest.raises(HornbookError, match=r"line 2 of .* has 16,777,217 bytes or more"):
        read_records(path)


def test_a_file_that_grows_or_has_no_size_is_read_no_further_than_the_limit(tmp_path):
    with pytest.raises(DataError, match="/dev/zero has"):
        read_whole("/dev/zero", DataError, 1 << 20)
    with pytest.raises(DataError, match="line 1 of /dev/zero has 11 bytes"):
        list(read_lines("/dev/zero", DataError, 100, 10))
    (tmp_path / "lines").write_bytes(b"a\n" * 10)
    lines = read_lines(tmp_path / "lines", DataError, 20, 2)
    assert next(lines) == b"a\n"
    with (tmp_path / "lines").open("ab") as file:
        file.write(b"b\n")
    with pytest.raises(DataError, match="lines has 22 bytes or more"):
        list(lines)


def test_a_stream_is_read_no_further_than_the_limit():
    stream = iter([b"abc"] * 10)
    with pytest.raises(DataError, match="a pipe has 12 bytes or more"):
        joined(stream, "a pipe", DataError, 10)
    assert len(list(stream)) == 6
    assert joined([b"a", b"b"], "a pipe", DataError, 2) == b"ab"


def test_values_that_take_twenty_times_their_size_are_refused(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"step": 1, "a": [[], []]}\n')
    with pytest.raises(HornbookError, match="line 1 is not a JSON object of plain values"):
        read_records(tmp_path / "m.jsonl")
    assert read_records(tmp_path / "m.jsonl", flat=False)


def test_an_endless_prompt_and_endless_ids_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tokens = {n: bytes([n]) for n in range(256)}
    hb.Tokenizer(tokens, []).save("tok")
    with io.BufferedReader(io.FileIO("/dev/zero")) as zeros:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=zeros))
        assert main(["tokenizer", "decode", "tok"]) == 2
    assert "standard input has" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"long\.txt has"):
        generate._read_prompt(str(sparse(tmp_path / "long.txt", begin=b"Once upon a time")), "text", "strict")


def test_what_others_made_is_read_whole_by_one_mechanism():
    source = ROOT / "src/hornbook"
    found = {str(file.relative_to(source)) for file in source.rglob("*.py") if WHOLE.search(file.read_text())}
    assert found == OURS, "read what anybody may have made by hornbook.encodings, which has a limit"


@pytest.mark.parametrize("name", ["config.toml", "environment.json", "status.json", "metrics.jsonl", "DONE"])
def test_one_file_of_10_gb_in_a_run_folder(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    for run in ("good", "bad"):
        shutil.copytree(ROOT / "tests/fixtures/fff94a8/runs/adamw", f"runs/{run}")
    sparse(Path("runs/bad", name))
    start = time.process_time()
    assert main(["runs"]) == 0
    said = capsys.readouterr()
    assert "good" in said.out
    assert f"{name} has 10,000,000,000 bytes or more" in said.err or name == "DONE"
    assert main(["show", "runs/bad"]) == (0 if name == "DONE" else 2)
    assert time.process_time() - start < 10
