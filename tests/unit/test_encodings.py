"""One sentence about text that is not UTF-8, wherever it is met, with the encoding that it looks like."""

from __future__ import annotations

import io
import sys

import pytest

import hornbook as hb
from hornbook import config
from hornbook.cli.main import main
from hornbook.data.scan import scan_file
from hornbook.data.text_reader import TextReader
from hornbook.encodings import malformed, text_of
from hornbook.errors import DataError, HornbookError
from hornbook.fileio import read_json_object
from hornbook.tokenizer.formats.gpt2 import _merge_lines
from hornbook.tokenizer.formats.parts import load_json

WESTERN = "Ein Mädchen saß über dem „Müller“ für fünf Euro (5 €). ".encode("cp1252")
NOT_UTF8 = r"not UTF-8: malformed at byte 5 \(it looks like Windows-1252 or Latin-1 text, .*iconv -f windows-1252 -t"


def _count_by_regex(file):
    return hb.count_pretokens(file, pattern=r"\w+|\W+", num_threads=1)


def _encode(file):
    tokenizer = hb.Tokenizer({byte: bytes([byte]) for byte in range(256)}, [])
    return tokenizer.encode_file(file, file.parent / "ids.npy")


READERS = {
    "counted in the core": hb.count_pretokens,
    "counted by regex": _count_by_regex,
    "encoded": _encode,
    "streamed": lambda file: list(TextReader(file)),
    "scanned": lambda file: scan_file(file, None),
    "a recipe": lambda file: config.read(file.rename(file.with_suffix(".toml"))),
    "a tokenizer": load_json,
    "a record of a run": read_json_object,
    "merges": _merge_lines,
}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_says_the_same_of_windows_1252(tmp_path, reader):
    (tmp_path / "a.txt").write_bytes(WESTERN * 40)
    with pytest.raises(HornbookError, match=NOT_UTF8):
        READERS[reader](tmp_path / "a.txt")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_every_reader_names_utf_16_and_utf_32(tmp_path, reader, encoding):
    (tmp_path / "a.txt").write_bytes("name = 'a recipe as PowerShell writes it'\n".encode(encoding))
    with pytest.raises(HornbookError, match=rf"{encoding.upper()} text.*iconv -f {encoding} -t utf-8") as raised:
        READERS[reader](tmp_path / "a.txt")
    assert "replace" not in str(raised.value)


@pytest.mark.parametrize("reader", ["counted in the core", "encoded", "streamed"])
def test_far_into_a_file_the_bytes_near_by_decide(tmp_path, reader):
    (tmp_path / "a.txt").write_bytes(b"plain " * 1_500_000 + WESTERN)
    with pytest.raises(DataError, match=r"malformed at byte 9000005 \(it looks like Windows-1252.*; errors="):
        READERS[reader](tmp_path / "a.txt")


@pytest.mark.parametrize(
    "content",
    [
        "Über allen Gipfeln".encode() + b"\xff" + "ist Ruh, öde".encode(),  # damaged UTF-8
        "Привет, мир".encode("cp1251"),
        "\x1b[0m caf\xe9".encode("latin-1"),  # no text
        b"\x00\x01\xfe\x02",
        b"a \x81\x8d\x8f b",  # no characters in Windows-1252
        "a 漢".encode()[:-1] + b"\x20",
    ],
)
def test_what_looks_like_nothing_known_gets_no_guess(content):
    with pytest.raises(UnicodeDecodeError) as raised:
        content.decode()
    said = malformed("a", content, raised.value.start, way_out="way out")
    assert said == f"a is not UTF-8: malformed at byte {raised.value.start} (way out)"


def test_a_mark_counts_as_bytes_of_the_file():
    assert text_of(b"\xef\xbb\xbfa\r\n", "a", DataError) == "a\r\n"
    with pytest.raises(DataError, match="malformed at byte 5 "):
        text_of(b"\xef\xbb\xbfab\xe9 c", "a", DataError)


def test_a_stream_says_it_too(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WESTERN)))
    assert main(["tokenizer", "train", "-", "--vocab-size", "300", "--out", str(tmp_path / "t")]) == 2
    assert "iconv -f windows-1252" in capsys.readouterr().err


def test_token_ids_on_standard_input_are_checked_too(monkeypatch, capsys, tmp_path):
    hb.Tokenizer({byte: bytes([byte]) for byte in range(256)}, []).save(tmp_path / "t")
    for content, code, said in (
        (b"\xef\xbb\xbf72 105\r\n", 0, "Hi\n"),
        ("72\n".encode("utf-16"), 2, "iconv -f utf-16 "),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert main(["tokenizer", "decode", str(tmp_path / "t")]) == code
        assert said in "".join(capsys.readouterr())
