import json

import pytest

from hornbook.errors import FormatError
from hornbook.tokenizer import reference
from hornbook.tokenizer.formats import byte_map, own
from hornbook.tokenizer.formats.gpt2 import read_gpt2, write_gpt2
from hornbook.tokenizer.formats.parts import TokenizerParts

TEXT = "low lower lowest é \U0001f600 newest\n\n" * 5


def make_parts(special=("<|endoftext|>",), size=300, text=TEXT, pattern="gpt2"):
    vocab, merges = reference.train_bpe(text, size, list(special), pattern)
    ids = {token: index for index, token in enumerate(special)}
    return TokenizerParts(vocab=vocab, merges=merges, special_tokens=ids, pattern=pattern)


def test_the_byte_characters_are_gpt2s():
    assert byte_map.to_text(b" the\n\x00\xff") == "ĠtheĊĀÿ"
    assert byte_map.to_bytes("ĠtheĊĀÿ") == b" the\n\x00\xff"
    assert byte_map.to_bytes("a b") is None
    assert len(set(byte_map.BYTE_TO_CHARACTER.values())) == 256


def test_own_format_round_trips(tmp_path):
    parts = make_parts(special=["<|endoftext|>", "<| pad |>"], pattern=r"\s+|\S+")
    own.write_own(parts, tmp_path / "tok")
    assert own.read_own(tmp_path / "tok") == parts
    assert own.read_own(tmp_path / "tok" / own.FILE_NAME) == parts


def test_fingerprint_tells_tokenizers_apart():
    assert own.fingerprint(make_parts()) == own.fingerprint(make_parts())
    assert own.fingerprint(make_parts()) != own.fingerprint(make_parts(size=270))
    two = make_parts(special=["b", "a"])
    other_order = TokenizerParts(vocab=two.vocab, merges=two.merges, special_tokens={"a": 1, "b": 0})
    assert own.fingerprint(two) == own.fingerprint(other_order)
    assert own.fingerprint(make_parts()) != own.fingerprint(make_parts(special=["<|end|>"]))


def test_own_format_holds_entries_of_equal_bytes_and_gpt2_files_refuse_them(tmp_path):
    parts = make_parts(special=["l"])
    assert list(parts.vocab.values()).count(b"l") == 2
    own.write_own(parts, tmp_path)
    assert own.read_own(tmp_path) == parts
    with pytest.raises(FormatError, match="both written 'l'"):
        write_gpt2(parts, tmp_path / "vocab.json", tmp_path / "merges.txt")
    assert not (tmp_path / "vocab.json").exists()


def test_gpt2_files_round_trip(tmp_path):
    parts = make_parts(special=["<|endoftext|>", "<| pad |>"])
    write_gpt2(parts, tmp_path / "vocab.json", tmp_path / "merges.txt")
    assert read_gpt2(tmp_path / "vocab.json", tmp_path / "merges.txt", list(parts.special_tokens)) == parts
    assert (tmp_path / "merges.txt").read_text(encoding="utf-8").startswith("#version: 0.2\n")


def test_gpt2_files_append_special_tokens_that_they_lack(tmp_path):
    parts = make_parts(special=[])
    write_gpt2(parts, tmp_path / "vocab.json", tmp_path / "merges.txt")
    read = read_gpt2(tmp_path / "vocab.json", tmp_path / "merges.txt", ["<|a|>", "<|b|>"])
    assert read.special_tokens == {"<|a|>": max(parts.vocab) + 1, "<|b|>": max(parts.vocab) + 2}


def test_the_published_gpt2_files_load(shared_data):
    parts = read_gpt2(shared_data / "gpt2-vocab.json", shared_data / "gpt2-merges.txt", ["<|endoftext|>"])
    assert len(parts.vocab) == 50257
    assert len(parts.merges) == 50000
    assert parts.special_tokens == {"<|endoftext|>": 50256}
    assert parts.vocab[262] == b" the"


def own_file(tmp_path, change):
    own.write_own(make_parts(), tmp_path)
    file = tmp_path / own.FILE_NAME
    fields = json.loads(file.read_text(encoding="utf-8"))
    content = change(fields)
    if isinstance(content, str):
        file.write_text(content, encoding="utf-8")
    elif isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(json.dumps(fields), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.update(version=2), "version 2"),
        (lambda t: t.update(format="other"), "not a hornbook tokenizer"),
        (lambda t: t.pop("vocab"), "keys"),
        (lambda t: t.update(extra=1), "keys"),
        (lambda t: t.update(unicode_version="17.0.0"), "Unicode '17.0.0'"),
        (lambda t: t.update(pattern="gpt3"), "did you mean 'gpt2'"),
        (lambda t: t.update(pattern=7), "pattern is int"),
        (lambda t: t.update(vocab={}), "vocab is dict"),
        (lambda t: t["vocab"].__setitem__(5, None), "byte 0x04 has no entry"),
        (lambda t: t["vocab"].__setitem__(5, 5), "entry 5 is not written|not written"),
        (lambda t: t["vocab"].__setitem__(5, ""), "is empty"),
        (lambda t: t["vocab"].__setitem__(5, "a b"), "not written in"),
        (lambda t: t["vocab"].append(t["vocab"][-1]), "same bytes"),
        (lambda t: t["merges"].__setitem__(0, "x"), "two tokens"),
        (lambda t: t["merges"].__setitem__(0, "a  b"), "two tokens"),
        (lambda t: t["merges"].__setitem__(0, 3), "two tokens"),
        (lambda t: t["merges"].append("q zz"), "no earlier merge makes b'zz'"),
        (lambda t: t["merges"].append("q z"), "not in the vocabulary"),
        (lambda t: t.update(special_tokens=[["<|endoftext|>", 10**19]]), "another entry"),
        (lambda t: t.update(special_tokens=[["<|endoftext|>", -1]]), "another entry"),
        (lambda t: t.update(special_tokens=[["<|endoftext|>", 0], ["<|endoftext|>", 0]]), "each token once"),
        (lambda t: t.update(special_tokens=[["<|endoftext|>", "0"]]), "each token once"),
        (lambda t: json.dumps(t)[: len(json.dumps(t)) // 2], "cut short"),
        (lambda t: "", "cut short"),
        (lambda t: "[" * 100_000, "nested too deeply|cut short"),
        (lambda t: b"\xff\xfe", "not UTF-8"),
        (lambda t: '{"format": 1' + "1" * 5000 + "}", "too long"),
        (lambda t: '{"a": 1, "a": 2}', "stands twice"),
        (lambda t: "NaN", "not a JSON value"),
    ],
)
def test_hostile_own_files_get_a_sentence(tmp_path, change, words):
    with pytest.raises(FormatError, match=words):
        own.read_own(own_file(tmp_path, change))


@pytest.mark.parametrize(
    ("vocab", "merges", "words"),
    [
        ("[]", "", "dict was expected"),
        ("{}", "", "no entries"),
        ('{"a": 0}', "", "byte 0x00 has no entry"),
        ('{"a": 0, "b": 0}', "", "given twice"),
        ('{"a": 0, "a": 1}', "", "stands twice"),
        ('{"a": true}', "", "whole number"),
        ('{"a": 1.5}', "", "whole number"),
        ('{"a": -1}', "", "id -1"),
        ('{"a": 4000000000}', "", "id 4000000000"),
        (None, "#version: 0.2\na", "two tokens"),
        (None, "a b c\n", "two tokens"),
        (None, "a bc\n", "no earlier merge"),
        (None, "a \u20ac\n", "byte characters"),
        (None, "\ud800".encode("utf-8", "surrogatepass"), "not UTF-8"),
    ],
)
def test_hostile_gpt2_files_get_a_sentence(tmp_path, vocab, merges, words):
    if vocab is None:
        write_gpt2(make_parts(special=[]), tmp_path / "vocab.json", tmp_path / "merges.txt")
    else:
        (tmp_path / "vocab.json").write_text(vocab, encoding="utf-8")
    (tmp_path / "merges.txt").write_bytes(merges if isinstance(merges, bytes) else merges.encode())
    with pytest.raises(FormatError, match=words):
        read_gpt2(tmp_path / "vocab.json", tmp_path / "merges.txt")
