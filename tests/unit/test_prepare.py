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
from hornbook.errors import ConfigError
from hornbook.tracking.console import Console

END = "<|endoftext|>\n"
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
    documents = documents_of(prepared(text)) + documents_of(prepared(text), "validation")
    assert sorted(documents) == sorted(["", *map(str.strip, text.read_text().split(END))])
    assert not list((cache / "prepared").glob(".*")), "what the killed one left is removed by the next"


def test_a_prepared_folder_without_its_end_mark_is_made_again(tmp_path, cache):
    text = tmp_path / "a.txt"
    text.write_text(stories("cat"))
    prepared(text)
    (folder,) = (cache / "prepared").iterdir()
    (folder / "READY.json").unlink()
    (folder / "train-00000.npy").write_bytes(b"cut short")
    assert "cat" in text_of(prepared(text))


def write_many(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{number:05d}.txt" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(f"Story {number} is short.")
    return paths


def documents_of(dataset, part: str = "train") -> list[str]:
    return [document.strip() for document in text_of(dataset, part).split("<|endoftext|>")]


def test_many_short_files_are_one_stream_with_separators(tmp_path):
    write_many(tmp_path / "many", 200)
    dataset = prepared(tmp_path / "many")
    assert [len(dataset.train), len(dataset.validation)] == [1, 1]
    train, validation = documents_of(dataset), documents_of(dataset, "validation")
    assert len(validation) == 10
    assert sorted(train + validation) == sorted(f"Story {number} is short." for number in range(200))


def test_validation_is_drawn_by_content_and_seed_not_by_names_or_order(tmp_path):
    paths = write_many(tmp_path / "many", 200)
    first = set(documents_of(prepared(*paths), "validation"))
    assert first == set(documents_of(prepared(*reversed(paths)), "validation"))
    (tmp_path / "one.txt").write_text("".join(f"{path.read_text()}\n{END}" for path in paths))
    assert first == set(documents_of(prepared(tmp_path / "one.txt"), "validation")) - {""}
    assert first != {f"Story {number} is short." for number in range(190, 200)}
    assert first != set(documents_of(prepared(*paths, validation_seed=1), "validation"))


def test_the_share_is_met_and_equal_documents_fall_on_one_side(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("".join(f"Story {number // 2}.\n{END}" for number in range(2000)))
    dataset = prepared(text, validation=0.1001)
    train, validation = (documents_of(dataset, part)[:-1] for part in ("train", "validation"))
    assert len(validation) == 201
    assert len(set(train) & set(validation)) == 1  # the share cuts one pair


def test_tail_takes_the_last_documents_of_one_stream(tmp_path):
    paths = write_many(tmp_path / "many", 200)
    drawn = prepared(*paths)  # by seed 0: another data set of the same text
    dataset = prepared(*paths, validation_from="tail")
    assert dataset.digest != drawn.digest
    assert documents_of(dataset, "validation") == [f"Story {number} is short." for number in range(190, 200)]


def test_what_stored_recipes_mean_is_prepared_as_it_was(tmp_path):
    paths = []
    for name in "abc":
        paths.append(tmp_path / f"{name}.txt")
        paths[-1].write_text(stories(name))
    dataset = prepared(*paths, validation_from="tail", one_stream=False)
    assert len(dataset.train) == 3
    # The digest that runs of the first version compare, of these texts.
    assert dataset.digest == "ecf9ddf5717428149fb22a2d133534547b88e273a7eb5fbc213680bc7c6f8ab1"


def test_texts_without_a_separator_are_joined_by_line_breaks(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo")
    (tmp_path / "b.txt").write_text("three\n" * 40)
    plain = TokenizerSection(vocab_size=256, special_tokens=())
    dataset = prepared(tmp_path / "a.txt", tmp_path / "b.txt", tokenizer=plain)
    assert text_of(dataset).startswith("one\ntwo\nthree\n")


def test_a_given_tokenizer_brings_its_own_separator(tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(f'{{"text": "Story {number}."}}\n' for number in range(40)))
    made = prepared(tmp_path / "a.jsonl", tokenizer=TokenizerSection(vocab_size=270, special_tokens=("</s>",)))
    made.tokenizer.save(tmp_path / "tokenizer")
    dataset = prepared(tmp_path / "a.jsonl", tokenizer=TokenizerSection(path=str(tmp_path / "tokenizer")))
    ids = np.load(dataset.train[0]).tolist()
    assert ids.count(made.tokenizer.special_token_ids["</s>"]) >= 37
    assert "endoftext" not in text_of(dataset)


def test_a_drawn_part_and_a_token_file_for_each_text_are_refused_together():
    with pytest.raises(ConfigError, match='validation_from = "tail"'):
        DataSection(text=("a.txt",), one_stream=False)
