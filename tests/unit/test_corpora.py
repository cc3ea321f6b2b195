import gzip
import io
import json
import sys

import pytest

from hornbook.data.text_files import find_files
from hornbook.data.text_reader import TextReader
from hornbook.errors import DataError

DOCUMENTS = ["one é\n\n  two", "", "three \U0001f600", "x" * 3_000_000]
RECORDS = "".join(text + "<|endoftext|>" for text in DOCUMENTS if text)
TEXT = "<|endoftext|>\n".join(DOCUMENTS)


def read(*sources, **options):
    return b"".join(TextReader(list(sources), **options)).decode()


def write_jsonl(path, documents=DOCUMENTS, field="text"):
    lines = "".join(json.dumps({"id": index, field: text}) + "\n" for index, text in enumerate(documents))
    content = lines.encode()
    if path.suffix == ".gz":
        content = gzip.compress(content[:40]) + gzip.compress(content[40:])
    elif path.suffix == ".zst":
        zstandard = pytest.importorskip("zstandard")
        packed = zstandard.ZstdCompressor()
        content = packed.compress(content[:40]) + packed.compress(content[40:])
    path.write_bytes(content)
    return path


def write_text(path, text=TEXT):
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    elif path.suffix == ".zst":
        path.write_bytes(pytest.importorskip("zstandard").ZstdCompressor().compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a", "a.txt.gz", "a.txt.zst"])
def test_text_comes_as_it_is(tmp_path, name):
    assert read(write_text(tmp_path / name)) == TEXT


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonl.gz", "a.jsonl.zst"])
def test_each_line_is_a_document(tmp_path, name):
    assert read(write_jsonl(tmp_path / name)) == RECORDS
    assert read(write_jsonl(tmp_path / name, field="body"), field="body", separator="¶") == RECORDS.replace(
        "<|endoftext|>", "¶"
    )


def test_each_row_is_a_document(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"id": range(5), "body": [*DOCUMENTS, None]})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    corpus = TextReader(tmp_path / "a.parquet", field="body")
    assert b"".join(corpus).decode() == RECORDS
    assert corpus.read_bytes == corpus.total_bytes
    with pytest.raises(DataError, match=r"no column 'bdy' \(did you mean 'body'"):
        read(tmp_path / "a.parquet", field="bdy")
    with pytest.raises(DataError, match="id is int"):
        read(tmp_path / "a.parquet", field="id")
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-20])
    with pytest.raises(DataError, match="not whole parquet"):
        read(tmp_path / "a.parquet", field="body")


def test_a_separator_is_put_between_files_where_there_is_none(tmp_path):
    first = write_text(tmp_path / "1.txt", "one")
    second = write_text(tmp_path / "2.txt", "two<|endoftext|>\n")
    third = write_text(tmp_path / "3.txt", "three")
    empty = write_text(tmp_path / "4.txt", "")
    assert read(first, second, empty, third, empty) == "one<|endoftext|>two<|endoftext|>\nthree"


def test_folders_and_globs_are_sorted_and_hidden_files_passed_over(tmp_path):
    for name in ("b.txt", "a.jsonl.gz", "sub/c.md", ".hidden/d.txt", "e.bin", ".f.txt", "g.parquet.zst"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    names = [name.removeprefix(f"{tmp_path}/") for name in find_files(tmp_path)]
    assert names == ["a.jsonl.gz", "b.txt", "g.parquet.zst", "sub/c.md"]
    assert find_files(f"{tmp_path}/**/*.txt") == [f"{tmp_path}/b.txt"]
    for source, words in (
        (tmp_path / ".hidden", None),
        (f"{tmp_path}/*.csv", "no file matches"),
        ([], "no text was given"),
    ):
        if words:
            with pytest.raises(DataError, match=words):
                find_files(source)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no text"):
        find_files(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        find_files(tmp_path / "absent.txt")


def test_standard_input_is_read_once(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"some text")))
    corpus = TextReader("-")
    assert corpus.total_bytes is None
    assert b"".join(corpus) == b"some text"
    with pytest.raises(DataError, match="only once"):
        list(corpus)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a"}\n')))
    assert read("-", kind="jsonl") == "a<|endoftext|>"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.zst"])
def test_malformed_utf8_names_the_byte_and_can_be_replaced(tmp_path, name):
    content = b"x" * ((1 << 20) - 1) + b"\xc3\xa9" + b"y\xff" + b"z" * 10
    path = tmp_path / name
    pack = {".gz": gzip.compress, ".zst": lambda b: pytest.importorskip("zstandard").compress(b)}.get(
        path.suffix, bytes
    )
    path.write_bytes(pack(content))
    with pytest.raises(DataError, match=f"malformed at byte {(1 << 20) + 2} "):
        read(path)
    assert read(path, errors="replace") == content.decode("utf-8", errors="replace")
    path.write_bytes(pack(b"ab\xe2\x82"))
    with pytest.raises(DataError, match="malformed at byte 2 "):
        read(path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2 is not JSON"),
        ("[" * 100_000, "line 2 is not JSON"),
        ("[1]", "line 2 has no field 'text'"),
        ('{"txet": "a"}', "did you mean 'txet'"),
        ('{"body": "a"}', "it has body"),
        ('{"text": 3}', "text is int"),
        ('{"text": "\\ud800"}', r"lone surrogate \(U\+D800\)"),
        (b'{"text": "\xff"}', "not UTF-8: malformed at byte"),
    ],
)
def test_a_bad_record_is_named(tmp_path, line, words):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "fine"}\n' + (line if isinstance(line, bytes) else line.encode()) + b"\n")
    with pytest.raises(DataError, match=words):
        read(path)


def test_damaged_archives_are_named(tmp_path):
    for name in ("a.txt.gz", "a.txt.zst"):
        path = write_text(tmp_path / name)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DataError, match="cut short"):
            read(path)
        path.write_bytes(b"not packed at all")
        with pytest.raises(DataError, match="damaged, or not"):
            read(path)


def test_emptiness_is_named(tmp_path):
    for name in ("a.txt", "a.jsonl"):
        with pytest.raises(DataError, match=f"no text in .*{name}: it is empty"):
            read(write_text(tmp_path / name, ""))


def test_a_bomb_comes_in_bounded_chunks(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(bytes(64 << 20)))
    assert max(map(len, TextReader(path))) <= 1 << 20


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_documents_are_what_lies_between_separators(tmp_path, monkeypatch, size):
    monkeypatch.setattr("hornbook.data.text_reader.CHUNK_BYTES", size)
    path = write_text(
        tmp_path / "a.txt", "<|endoftext|>one<|endoftext|>\n\n<|endoftext|>two é\n<|endoftext|>three <|end"
    )
    assert list(TextReader(path).documents()) == [b"one", "two é\n".encode(), b"three <|end"]


def test_a_sample_is_drawn_by_seed(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [f"document {index}" for index in range(1000)])
    corpus = TextReader(path)
    assert corpus.sample(10, seed=0) == corpus.sample(10, seed=0)
    assert corpus.sample(10, seed=0) != corpus.sample(10, seed=1)
    assert len(set(corpus.sample(10))) == 10
    assert corpus.sample(2000) == list(corpus.documents())
    # Every document is as likely as another: of 200 draws of 100 in 1,000 each half gets about half.
    low = sum(int(text.split()[1]) < 500 for seed in range(20) for text in corpus.sample(100, seed))
    assert 900 < low < 1100
