import gzip
import json

import pytest

from hornbook import config
from hornbook.cli.main import main
from hornbook.data.text_files import find_files
from hornbook.data.text_reader import TextReader
from hornbook.errors import DataError
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
