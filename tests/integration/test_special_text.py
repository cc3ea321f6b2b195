"""Special tokens that stand in the text itself, at every door through which text comes: split, text or error."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from hornbook.cli.main import main
from hornbook.data.special_text import STAND_IN
from hornbook.tokenizer.tokenizer import Tokenizer

pytestmark = pytest.mark.usefixtures("own_folders")
END, USER = "<|endoftext|>", "<|user|>"
RECORDS = [f"Record {n} says{f' {END} {USER}' if n % 7 == 3 else ''} so.\n" for n in range(40)]
PLAIN = [f"Plain {n} asks{f' {USER}s' if n % 5 == 2 else ''}.\n" for n in range(30)]
PATTERNS = ["gpt2", r"\w+|\W"]


def write_text() -> list[str]:
    """Write the documents as records, packed rows and plain text; return them in order."""
    lines = "".join(json.dumps({"text": text}) + "\n" for text in RECORDS[:25])
    Path("a.jsonl").write_text(lines, encoding="utf-8")
    rows = "".join(f'"{text}"\n' for text in RECORDS[25:])
    Path("b.csv.gz").write_bytes(gzip.compress(f"text\n{rows}".encode()))
    Path("c.txt").write_text(END.join(PLAIN), encoding="utf-8")
    return [*RECORDS, *PLAIN]


def recipe(in_text, pattern="gpt2", data=None, tokenizer=None):
    Path("held.txt").write_text(f"Held out.{END}And more of it.", encoding="utf-8")
    text = {"text": ["a.jsonl", "b.csv.gz", "c.txt"], "validation_text": ["held.txt"]}
    sections = {
        "data": {**text, "special_tokens_in_text": in_text, **(data or {})},
        "tokenizer": {"special_tokens": [END, USER], "vocab_size": 300, "pattern": pattern, **(tokenizer or {})},
        "model": {"context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 1},
    }
    Path("r.json").write_text(json.dumps(sections), encoding="utf-8")


def prepared(capsys):
    """Return ids of each training file, of each validation file, and the tokenizer, as `data prepare` prints them."""
    assert main(["data", "prepare", "r.json"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.endswith(".npy")]
    files = [[np.load(words[1]) for words in lines if words[0] == role] for role in ("train", "validation")]
    return *files, Tokenizer.load(Path(lines[0][1]).parent / "tokenizer")


def expected(tokenizer, documents):
    """The ids of documents as ordinary text, with the separator's own between them."""
    end = tokenizer.special_token_ids[END]
    ids = [[*tokenizer.encode(text, allowed_special="none"), end] for text in documents]
    return np.concatenate(ids)[:-1].tolist()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_as_text_only_what_separates_documents_is_a_special_token(pattern, capsys):
    documents = write_text()
    recipe("text", pattern)
    train, validation, tokenizer = prepared(capsys)
    assert train[0].tolist() == expected(tokenizer, documents)
    assert validation[0].tolist() == expected(tokenizer, ["Held out.", "And more of it."])
    assert tokenizer.special_tokens == [END, USER]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_with_a_tokenizer_that_is_given(pattern, capsys):
    documents = write_text()
    assert main(["tokenizer", "train", "c.txt", "--vocab-size", "290", "--out", "tok", "--pattern", pattern]) == 0
    recipe("text", tokenizer={"path": "tok"})
    train, _, tokenizer = prepared(capsys)
    assert train[0].tolist() == expected(tokenizer, documents)


def test_token_files_of_their_own_and_a_drawn_part_and_a_mixture(capsys):
    write_text()
    recipe("text", data={"one_stream": False})
    train, _, tokenizer = prepared(capsys)
    assert train[2].tolist() == expected(tokenizer, PLAIN)
    recipe("text", data={"validation_text": [], "validation": 0.2})
    train, validation, tokenizer = prepared(capsys)
    end = tokenizer.special_token_ids[END]
    assert [(ids == end).sum() for ids in (*train, *validation)] == [56 - 1, 14], "each document ends once"
    assert STAND_IN not in tokenizer.decode(np.concatenate(train)) + tokenizer.decode(np.concatenate(validation))
    sources = [{"text": ["a.jsonl"]}, {"text": ["c.txt"], "weight": 2}]
    recipe("text", data={"mixture": sources, "text": [], "validation_text": []})
    train, _, tokenizer = prepared(capsys)
    assert all(tokenizer.special_token_ids[USER] not in ids for ids in train)


def test_split_is_as_it_was_and_text_without_any_is_the_same_data(capsys):
    write_text()
    recipe("split")
    train, _, tokenizer = prepared(capsys)
    text = "".join(f"{record}{END}" for record in RECORDS) + END.join(PLAIN)
    assert train[0].tolist() == tokenizer.encode(text)
    folders = set()
    for in_text in ("split", "text", "error"):
        recipe(in_text, data={"text": ["held.txt"]})
        assert main(["data", "prepare", "r.json"]) == 0
        folders.add(capsys.readouterr().out.split("train ")[-1])
    assert len(folders) == 1


def test_what_is_told(capsys):
    write_text()
    split = "split", "is a special token there", "where training takes a document to end"
    for in_text, words, cut in (split, ("text", "is ordinary text there", "which is ordinary text there")):
        recipe(in_text)
        assert main(["data", "prepare", "r.json"]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert f"note: {USER} stands in the text 12 × and {words}" in said
        assert f"note: 6 records with {END} inside, {cut}" in said


@pytest.mark.parametrize(
    ("names", "counts", "place"),
    [
        (["a.jsonl", "c.txt"], f"{END} 4 ×, {USER} 10 ×", "a.jsonl, line 4"),
        (["c.txt", "a.jsonl"], f"{USER} 10 ×, {END} 4 ×", "c.txt, line 3"),
        (["b.csv.gz"], f"{END} 2 ×, {USER} 2 ×", "b.csv.gz, row 7"),
    ],
)
def test_error_names_their_number_and_the_first_place(names, counts, place, capsys):
    write_text()
    recipe("error", data={"text": names})
    assert main(["data", "prepare", "r.json"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"the text holds special tokens ({counts}), first in " in said
    assert f"{place}; data.special_tokens_in_text" in said
    doors = [["tokenizer", "train", *names, "--vocab-size", "300", "--special-tokens", END, USER, "--out", "tok"]]
    main(doors[0])
    doors += [["tokenizer", "encode", "tok", *names, "--out", "x.npy"], ["tokenizer", "encode", "tok", "--text", USER]]
    for door in doors:
        capsys.readouterr()
        assert main([*door, "--special-tokens-in-text", "error"]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "the text holds special tokens (" in said
        assert "--text" in door or place in said


def test_every_other_door(capsys):
    documents = write_text()
    recipe("text")
    steps = ["--training.steps", "2", "--training.batch-size", "2", "--training.threads", "1", "--run.directory", "run"]
    assert main(["train", "r.json", *steps]) == 0
    tokenizer = Tokenizer.load("run/tokenizer")
    wanted = expected(tokenizer, documents)
    names = ["a.jsonl", "b.csv.gz", "c.txt"]
    as_text = ["--special-tokens-in-text", "text"]
    assert main(["tokenizer", "encode", "run/tokenizer", *names, "--out", "x.npy", *as_text]) == 0
    assert np.load("x.npy").tolist() == wanted
    capsys.readouterr()
    assert main(["tokenizer", "encode", "run/tokenizer", *names, *as_text]) == 0
    assert [int(word) for word in capsys.readouterr().out.split()] == wanted
    assert main(["eval", "run", "--text", *names, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_tokens"] == len(wanted) - 1, "as the run's recipe says"
    assert main(["eval", "run", "--text", *names, "--json", "--special-tokens-in-text", "split"]) == 0
    assert json.loads(capsys.readouterr().out)["num_tokens"] < len(wanted) - 1
    assert main(["tokenizer", "encode", "run/tokenizer", "--text", END, "--json", *as_text]) == 0
    assert json.loads(capsys.readouterr().out)["ids"] == tokenizer.encode(END, allowed_special="none")
    train = ["tokenizer", "train", *names, "--special-tokens", END, USER, "--vocab-size", "300", "--out", "tok"]
    assert main([*train, *as_text]) == 0
    learned = Tokenizer.load("tok")
    assert learned.special_tokens == [END, USER]
    assert len(learned.encode(END, allowed_special="none")) < len(END), "what it saw as text"


def test_the_stand_in_itself_is_refused(capsys):
    write_text()
    with Path("a.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"text": f"one {STAND_IN} two"}) + "\n")
    recipe("text")
    assert main(["data", "prepare", "r.json"]) == 2
    assert "a.jsonl, line 26 holds U+FDD0" in " ".join(capsys.readouterr().err.split())


def test_a_separator_that_the_tokenizer_lacks_is_refused(capsys):
    write_text()
    assert main(["tokenizer", "train", "c.txt", "--vocab-size", "280", "--out", "tok", "--special-tokens", USER]) == 0
    recipe("text", data={"one_stream": False}, tokenizer={"path": "tok"})
    assert main(["data", "prepare", "r.json"]) == 2
    assert f"goes by the separator {END}, which is no special token" in " ".join(capsys.readouterr().err.split())
