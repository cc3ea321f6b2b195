"""Preparing data: what the cache goes by, two at once, a kill within."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hornbook.data.prepare import prepare
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.tracking.console import Console

TOKENIZER = TokenizerSection(vocab_size=300)
PREPARE = """
import sys
from hornbook.data.prepare import prepare
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.tracking.console import Console
print(prepare(DataSection(text=(sys.argv[1],)), TokenizerSection(vocab_size=300), Console(silent=True)).digest)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def stories(word: str, count: int = 40) -> str:
    return "".join(f"The {word} number {i} ran home.\n<|endoftext|>\n" for i in range(count))


def prepared(*texts: Path, tokenizer: TokenizerSection = TOKENIZER, **keys):
    data = DataSection(text=tuple(map(str, texts)), **keys)
    return prepare(data, tokenizer, Console(silent=True))


def text_of(dataset, part: str = "train") -> str:
    return dataset.tokenizer.decode(np.concatenate([np.load(path) for path in getattr(dataset, part)]).tolist())


def start(text: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PREPARE, str(text)], stdout=subprocess.PIPE, text=True)


def test_a_text_changed_with_the_same_size_and_time_is_read_anew(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text(stories("cat"))
    before, status = prepared(text), text.stat()
    text.write_text(stories("dog"))
    os.utime(text, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = prepared(text)
    assert text.stat().st_mtime_ns == status.st_mtime_ns
    assert text.stat().st_size == status.st_size
    assert before.digest != after.digest
    assert "dog" in text_of(after)
    assert "cat" not in text_of(after)


def test_records_changed_with_the_same_size_and_time_are_unpacked_anew(tmp_path):
    text = tmp_path / "a.jsonl"
    text.write_text("".join(f'{{"text": "A cat, {i}."}}\n' for i in range(30)))
    prepared(text)
    status = text.stat()
    text.write_text(text.read_text().replace("cat", "dog"))
    os.utime(text, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "dog" in text_of(prepared(text))


def test_the_same_text_in_another_place_is_not_prepared_again(tmp_path, cache):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(stories("cat"))
    assert prepared(tmp_path / "a.txt").train == prepared(tmp_path / "b.txt").train
    assert len(list((cache / "prepared").iterdir())) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"validation": 0.2},
        {"errors": "replace"},
        {"tokenizer": TokenizerSection(vocab_size=301)},
        {"tokenizer": TokenizerSection(vocab_size=300, pattern="cl100k")},
        {"tokenizer": TokenizerSection(vocab_size=300, special_tokens=("<|endoftext|>", "<|x|>"))},
    ],
)
def test_whatever_decides_the_token_files_is_in_the_key(tmp_path, change):
    text = tmp_path / "a.txt"
    text.write_text(stories("cat"))
    assert prepared(text).digest != prepared(text, **change).digest


def test_two_preparations_at_once_give_one_whole_data_set(tmp_path, cache):
    text = tmp_path / "a.txt"
    text.write_text(stories("cat", 4000))
    both = [start(text), start(text)]
    answers = {process.communicate()[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(answers) == 1
    assert [path.name for path in (cache / "prepared").iterdir()] == [answers.pop().strip()[:24]]


def test_a_preparation_killed_within_leaves_nothing_that_is_taken_for_whole(tmp_path, cache):
    text = tmp_path / "a.txt"
    text.write_text(stories("cat", 40_000))
    process = start(text)
    while process.poll() is None and not list((cache / "prepared").glob(".*.tmp/tokenizer")):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not list((cache / "prepared").glob("[!.]*"))
    assert text_of(prepared(text)) + text_of(prepared(text), "validation") == text.read_text()


def test_a_prepared_folder_without_its_end_mark_is_made_again(tmp_path, cache):
    text = tmp_path / "a.txt"
    text.write_text(stories("cat"))
    prepared(text)
    (folder,) = (cache / "prepared").iterdir()
    (folder / "READY.json").unlink()
    (folder / "train-00000.npy").write_bytes(b"cut short")
    assert "cat" in text_of(prepared(text))
