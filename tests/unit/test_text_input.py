import bz2
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hornbook import config
from hornbook.cli.main import main
from hornbook.data.scan import scan_file
from hornbook.data.text_files import find_files, settled
from hornbook.data.text_reader import TextReader
from hornbook.errors import DataError
from hornbook.studies.catalogue.tokenizer import sample_text
from hornbook.studies.study import Options
from hornbook.tokenizer.tokenizer import Tokenizer

BOM = b"\xef\xbb\xbf"


def test_endings_are_read_in_any_case(tmp_path):
    (tmp_path / "A.JSONL").write_bytes(b'{"text": "one"}\n')
    (tmp_path / "B.TXT.GZ").write_bytes(gzip.compress(b"two"))
    assert b"".join(TextReader(tmp_path / "A.JSONL")) == b"one<|endoftext|>"
    assert b"".join(TextReader(tmp_path / "B.TXT.GZ")) == b"two"
    assert len(find_files(tmp_path)) == 2


def test_an_empty_name_is_not_the_current_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("some text", encoding="utf-8")
    with pytest.raises(DataError, match="the name of a text is empty"):
        find_files("")
    assert main(["train", "--text", ""]) == 2
    assert "the name of a text is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.toml", b"[run]\nname = 'x'\n"), ("a.json", b'{"run": {"name": "x"}}'), ("a.yaml", b"run: {name: x}")],
)
def test_a_byte_order_mark_before_a_recipe_is_dropped(tmp_path, name, content):
    (tmp_path / name).write_bytes(BOM + content)
    assert config.read(tmp_path / name) == {"run": {"name": "x"}}


def test_a_byte_order_mark_before_a_tokenizer_is_dropped(tmp_path):
    made = Tokenizer({i: bytes([i]) for i in range(256)}, [], ["<|endoftext|>"])
    made.save(tmp_path)
    file = tmp_path / "hornbook-tokenizer.json"
    file.write_bytes(BOM + file.read_bytes())
    assert Tokenizer.load(tmp_path).fingerprint == made.fingerprint
    assert json.loads(file.read_text(encoding="utf-8-sig"))["version"] == 1


def test_a_byte_order_mark_before_records_is_dropped(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(BOM + b'{"text": "one"}\n')
    assert b"".join(TextReader(tmp_path / "a.jsonl")) == b"one<|endoftext|>"


TEXT = b"one two\n<|endoftext|>\nthree four\n" * 200
PACK = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress}


@pytest.mark.parametrize("ending", PACK)
def test_packed_text_is_known_by_its_first_bytes(tmp_path, ending):
    packed = PACK[ending](TEXT)
    for name in (f"a.txt{ending}", f"A{ending.upper()}", "a.txt", "a"):
        (tmp_path / name).write_bytes(packed)
        reader = TextReader(tmp_path / name)
        assert b"".join(reader) == TEXT
        assert not reader.is_plain
    (tmp_path / "two").write_bytes(packed + packed)
    assert b"".join(TextReader(tmp_path / "two")) == TEXT * 2
    with pytest.raises(DataError, match=r"cut short|damaged"):
        list(TextReader(_write(tmp_path / "cut", packed[:-9])))
    with pytest.raises(DataError, match="packed twice"):
        list(TextReader(_write(tmp_path / "twice", PACK[ending](packed))))


def test_a_small_packed_file_unpacks_in_small_pieces(tmp_path):
    for ending, pack in PACK.items():
        _write(tmp_path / f"a{ending}", pack(bytes(1) + b"a" * (64 << 20)))
        assert max(map(len, TextReader(tmp_path / f"a{ending}"))) <= 1 << 21


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("The cat".encode("utf-16"), "UTF-16 text.*iconv -f utf-16 "),
        ("The cat".encode("utf-16-le"), "UTF-16 text.*iconv -f utf-16le"),
        ("The cat".encode("utf-16-be"), "UTF-16 text.*iconv -f utf-16be"),
        ("The cat".encode("utf-32"), "UTF-32 text.*iconv -f utf-32 "),
        ("The cat".encode("utf-32-be"), "UTF-32 text.*iconv -f utf-32be"),
        (b"PK\x03\x04rest", "zip archive"),
        (bytes(257) + b"ustar", "tar archive"),
        (gzip.compress(b"a" * 257 + b"ustar\x0000", mtime=0), "tar archive"),
        (b"%PDF-1.7\n", "a PDF.*pdftotext"),
        (b"\x93NUMPY\x01\0", "NumPy file.*data.tokens"),
        (b"7z\xbc\xaf\x27\x1c", "7-zip"),
    ],
)
@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_what_is_no_text_is_refused_by_its_name(tmp_path, content, words, errors):
    file = _write(tmp_path / "a.txt", content)
    with pytest.raises(DataError, match=words):
        list(TextReader(file, errors=errors))
    assert not TextReader(file).is_plain


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.jsonl"])
def test_a_byte_order_mark_before_text_is_dropped(tmp_path, name):
    content = BOM + (b'{"text": "one"}\n' if name.endswith("jsonl") else b"one<|endoftext|>")
    reader = TextReader(_write(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content))
    assert b"".join(reader) == b"one<|endoftext|>"
    assert not reader.is_plain


def test_training_drops_a_byte_order_mark(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    found = scan_file(_write(tmp_path / "a.txt", BOM + TEXT), "<|endoftext|>")
    assert Path(found.path).read_bytes() == TEXT


def _write(path, content):
    path.write_bytes(content)
    return path


RECORDS = [{"text": "one"}, {"text": None}, {"text": 'two, "2"\nlines'}, {"id": 10**30, "text": "é" * 3000}]
JOINED = b"".join(r["text"].encode() + b"<|endoftext|>" for r in RECORDS if r["text"])


def _csv(delimiter):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([["id", "text"], *([number, r["text"]] for number, r in enumerate(RECORDS))])
    return out.getvalue().encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(RECORDS, indent=1).encode()),
        ("a.json", b"\n".join(json.dumps(r).encode() for r in RECORDS)),
        ("a.json", b"\n".join(json.dumps(r, indent=2).encode() for r in RECORDS)),
        ("noname", json.dumps(RECORDS).encode()),
        ("noname", b"\n".join(json.dumps(r).encode() for r in RECORDS)),
        ("a.csv", _csv(",")),
        ("a.TSV", _csv("\t")),
    ],
)
@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_records_are_read_whatever_holds_them(tmp_path, monkeypatch, name, content, chunk):
    monkeypatch.setattr("hornbook.data.text_reader.CHUNK_BYTES", chunk)
    monkeypatch.setattr("hornbook.data.text_reader.HEAD_BYTES", 64)
    reader = TextReader(_write(tmp_path / name, BOM + content))
    assert b"".join(reader) == JOINED
    assert not reader.is_plain


def test_a_nested_field_is_a_path_of_keys(tmp_path):
    content = '{"a": {"b.c": "no", "b": {"c": "yes"}}}\n{"a": null}\n{"a.b.c": "whole"}\n'
    file = _write(tmp_path / "a.jsonl", content.encode())
    assert b"".join(TextReader(file, field="a.b.c")) == b"yes<|endoftext|>whole<|endoftext|>"
    with pytest.raises(DataError, match=r"line 1 has no field 'a\.x'; it has b\.c, b"):
        list(TextReader(file, field="a.x"))


@pytest.mark.parametrize("keys", [("role", "content"), ("from", "value")])
def test_a_chat_is_a_paragraph_for_each_message(tmp_path, keys):
    chat = [dict(zip(keys, message, strict=True)) for message in (("user", "Hi."), ("assistant", "Yes?"))]
    file = _write(tmp_path / "a.jsonl", json.dumps({"messages": chat}).encode())
    assert b"".join(TextReader(file, field="messages")) == b"user: Hi.\n\nassistant: Yes?<|endoftext|>"


def test_parquet_has_nested_fields_and_chats_and_is_known_without_its_name(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [{"a": {"b": "one"}, "c": [{"role": "user", "content": "Hi."}]}, {"a": None, "c": None}]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.dat")
    assert b"".join(TextReader(tmp_path / "a.dat", field="a.b")) == b"one<|endoftext|>"
    assert b"".join(TextReader(tmp_path / "a.dat", field="c")) == b"user: Hi.<|endoftext|>"


def test_damaged_parquet_names_file_and_row_group(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    words = [f"{number} {number * number}" for number in range(4000)]
    parquet.write_table(arrow.table({"text": words}), tmp_path / "a.parquet", row_group_size=2000, use_dictionary=False)
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[len(content) // 4 : len(content) // 4 + 2000] = b"\xff" * 2000
    _write(tmp_path / "a.parquet", bytes(content))
    with pytest.raises(DataError, match=r"a.parquet is not whole parquet, row group 0"):
        list(TextReader(tmp_path / "a.parquet"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", '[{"text": "a"}, {"text": "b"', "record 2 is not JSON"),
        ("a.json", '[{"text": "a"}', "record 2 is missing: the JSON array is cut short"),
        ("a.json", '[{"text": "a"}] {', "goes on behind the end"),
        ("a.json", '[{"text": "a"}, {"txt": "b"}]', "record 2 has no field 'text' .did you mean 'txt'"),
        ("a.json", '{"a": {"text": "b"}}', "record 1 has no field 'text'"),
        ("a.json", '[3, "a"]', "record 1 has no field"),
        ("a.csv", 'text,id\n"a,1\n', "not whole csv behind row 0"),
        ("a.csv", "text,id\na,1\nb\n", "row 2 has 1 column"),
        ("a.csv", "body,id\na,1\n", "has no column 'text'; it has body, id"),
    ],
)
def test_damaged_records_are_named_by_their_place(tmp_path, name, content, words):
    with pytest.raises(DataError, match=words):
        list(TextReader(_write(tmp_path / name, content.encode())))


def test_a_number_of_6000_digits_beside_the_text_does_no_harm(tmp_path):
    for name in ("a.jsonl", "a.json"):
        file = _write(tmp_path / name, b'{"n": ' + b"7" * 6000 + b', "text": "one"}')
        assert b"".join(TextReader(file)) == b"one<|endoftext|>"


def test_a_wrong_record_is_found_without_reading_on(tmp_path):
    reader = TextReader(_write(tmp_path / "a.json", b'[{"text": wrong}, ' + b'{"text": "a"}, ' * 500_000))
    with pytest.raises(DataError, match="record 1 is not JSON"):
        list(reader)
    assert reader.read_bytes <= 2 << 20


def _fifo(path, content):
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(content,), daemon=True).start()
    return path


def test_a_fifo_is_read_once_and_from_its_first_byte(tmp_path):
    fifo = _fifo(tmp_path / "pipe", gzip.compress(TEXT))
    reader = TextReader(fifo)
    assert (reader.total_bytes, reader.is_plain) == (None, False)
    assert b"".join(reader) == TEXT
    with pytest.raises(DataError, match="pipe can be read only once"):
        list(reader)


def test_streams_are_kept_and_names_become_absolute(tmp_path, monkeypatch):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "in [here]").mkdir()
    monkeypatch.chdir(tmp_path / "in [here]")
    _write(Path("a.txt"), TEXT)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT)))
    kept = settled(["-", str(_fifo(tmp_path / "pipe", TEXT)), "a.txt", "*.txt"])
    assert kept[0] == kept[1]
    monkeypatch.chdir(tmp_path)
    assert [Path(file).read_bytes() for file in find_files(kept)] == [TEXT] * 4
    assert settled(kept) == kept
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(DataError, match="no text in standard input: it is empty"):
        settled(["-"])
    assert len(list((tmp_path / "cache/streams").iterdir())) == 1


def test_what_a_killed_process_kept_of_a_stream_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    keep = "from hornbook.data.text_files import settled; settled(['-'])"
    with subprocess.Popen([sys.executable, "-c", keep], stdin=subprocess.PIPE) as killed:
        assert killed.stdin
        killed.stdin.write(TEXT)
        killed.stdin.flush()
        while not list((tmp_path / "cache").rglob("*.tmp")):
            time.sleep(0.01)
        killed.kill()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT)))
    kept = [Path(*settled(["-"]))]
    assert list((tmp_path / "cache/streams").iterdir()) == kept


def test_what_hornbook_wrote_is_never_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = ("runs/x/config.toml", "runs/x/environment.json", "runs/x/metrics.jsonl", "runs/x/samples/a.txt")
    own += ("study/study.toml", "study/arm/log.txt", "tok/vocab.json", "tok/merges.txt", "prepared/READY.json")
    own += ("prepared/validation.txt", "tok2/hornbook-tokenizer.json", "tok2/a.txt")
    for name in ("a.txt", "sub/b.md", *own):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x", encoding="utf-8")
    assert find_files(".") == ["a.txt", "sub/b.md"]
    assert find_files(["**/*.txt", "*/*.md"]) == ["a.txt", "sub/b.md"]
    assert find_files("runs/x/metrics.jsonl") == ["runs/x/metrics.jsonl"]
    assert find_files("runs/x/*.jsonl") == ["runs/x/metrics.jsonl"]
    with pytest.raises(DataError, match="hornbook's own"):
        find_files("runs/x")


def test_what_a_folder_holds_and_is_not_read_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts" / "sub").mkdir(parents=True)
    _write(tmp_path / "texts" / "a.txt", b"".join(b"The cat %d sat.<|endoftext|>\n" % n for n in range(100)))
    for name in ("b.json", "sub/c.CSV.gz", "d.pdf", ".e.json"):
        _write(tmp_path / "texts" / name, b"[]")
    recipe = {"data": {"text": ["texts"]}, "tokenizer": {"vocab_size": 270}}
    recipe["model"] = {"context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 1}
    _write(tmp_path / "r.json", json.dumps(recipe).encode())
    note = "2 files not read: of a folder .json, .csv and .tsv are read only where they are named, as by a glob "
    for words in (
        ["data", "prepare", "r.json"],
        ["tokenizer", "train", "texts", "--vocab-size", "270", "--out", "tok"],
        ["tokenizer", "inspect", "tok", "texts"],
    ):
        assert main(words) == 0
        said = " ".join("".join(capsys.readouterr()).split())
        assert note in said
        assert "texts/b.json, " in said
        assert "texts/sub/c.CSV.gz)" in said
    for text in ("texts/a.txt", "texts/*.txt"):
        assert main(["tokenizer", "inspect", "tok", text]) == 0
        assert "not read" not in "".join(capsys.readouterr())
    left_out: list[str] = []
    assert len(find_files(["texts", "./texts/b.json"], left_out)) == 2
    assert left_out == ["texts/sub/c.CSV.gz"], "what is named beside the folder is read"


def test_records_with_the_separator_inside_are_counted_and_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    records = [{"text": f"document {n}" + "<|endoftext|>more" * (n % 10 == 3)} for n in range(50)]
    file = _write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)).encode())
    recipe = {"data": {"text": [str(file)]}, "tokenizer": {"vocab_size": 270}}
    recipe["model"] = {"context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 1}
    _write(tmp_path / "r.json", json.dumps(recipe).encode())
    for _ in range(2):  # the second time from the cache
        assert main(["data", "prepare", str(tmp_path / "r.json")]) == 0
        assert "note: 5 records with <|endoftext|> inside" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("number", [50, 50_000])
@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.txt.gz"])
def test_special_tokens_in_the_text_are_counted_and_told(tmp_path, monkeypatch, capsys, name, number):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    texts = [f"Document {n} asks." + " <|user|>." * (n % 10 == 3) for n in range(number)]
    texts[5] += "<|user|>s<|x|>"  # the longer one is what the tokenizer finds
    lines = "\n".join(json.dumps({"text": text}) for text in texts)
    content = (lines if name == "a.jsonl" else "<|endoftext|>\n".join(texts)).encode()
    file = _write(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    special = ["<|endoftext|>", "<|user|>", "<|user|>s", "<|never|>"]
    recipe = {"data": {"text": [str(file)]}, "tokenizer": {"vocab_size": 270, "special_tokens": special}}
    recipe["model"] = {"context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 1}
    _write(tmp_path / "r.json", json.dumps(recipe).encode())
    for _ in range(2):  # the second time from the cache
        assert main(["data", "prepare", str(tmp_path / "r.json")]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert f"note: <|user|> stands in the text {number // 10:,} × and is a special token there" in said
        assert "note: <|user|>s stands in the text 1 × " in said
        assert said.count("stands in the text") == 2


def test_the_tokenizer_study_reads_records(tmp_path):
    stories = [f"Story {n}. " + f"The cat {n} sat. " * 60 for n in range(900)]
    plain = _write(tmp_path / "a.txt", "<|endoftext|>".join(stories).encode())
    lines = "\n".join(json.dumps({"text": story}) for story in stories)
    packed = _write(tmp_path / "a.jsonl.gz", gzip.compress(lines.encode()))
    samples = [sample_text("stories", 1, "tiny", Options(text=file)) for file in (plain, packed)]
    assert samples[0] == samples[1]
    assert '"text"' not in samples[1].held_out
