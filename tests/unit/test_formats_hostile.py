"""Hostile ranks and tokenizer.json files: a sentence each, and memory a small multiple of the file."""

import base64
import json
import tracemalloc

import pytest

from hornbook.errors import FormatError
from hornbook.tokenizer import formats, reference
from hornbook.tokenizer.formats.huggingface import read_huggingface, write_huggingface
from hornbook.tokenizer.formats.own import FILE_NAME
from hornbook.tokenizer.formats.parts import TokenizerParts
from hornbook.tokenizer.formats.tiktoken import merges_of_ranks, read_tiktoken, settings_beside, write_tiktoken

BYTES = {bytes([byte]): byte for byte in range(256)}


def rank_lines(extra=(), start=256):
    entries = [*BYTES, *extra]
    return b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(entries))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no entries"),
        (b"YQ==\n", "line 1: .* is not `base64 rank`"),
        (b"YQ== 0 0\n", "is not `base64 rank`"),
        (b"Y 0\n", "is not `base64 rank`"),
        (b"\xff\xfe 0\n", "is not `base64 rank`"),
        (b"YQ== -1\n", "rank b'-1'"),
        (b"YQ== 99999999999999999999\n", "rank b'99999999999999999999'"),
        (b"YQ== 1\nYQ== 2\n", "line 2: the entry b'a' is given twice"),
        (b"YQ== 1\nYg== 1\n", "line 2: the rank 1 is given twice"),
        (b"YQ== 4000000000\n", "id 4000000000"),
        (b"YQ== 1\n", "byte 0x00 has no entry"),
        (rank_lines()[:-9], "is not `base64 rank`|byte 0xff has no entry"),
        (rank_lines([b"abc"]), "comes out as 3 pieces"),
        (rank_lines([b"abc", b"ab", b"cd"]), "comes out as 3 pieces"),
        (rank_lines([b"ab", b""]), "is empty|is not `base64 rank`"),
    ],
)
def test_hostile_ranks(tmp_path, content, words):
    path = tmp_path / "x.tiktoken"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=words):
        read_tiktoken(path, {}, "gpt2")


def test_ranks_alone_do_not_say_the_pattern(tmp_path):
    path = tmp_path / "x.tiktoken"
    path.write_bytes(rank_lines())
    with pytest.raises(FormatError, match="does not say how text is split"):
        read_tiktoken(path)
    for settings, words in (
        ("[]", "dict was expected"),
        ('{"pat_str": 1, "special_tokens": {}}', "pat_str is int"),
        ('{"pat_str": "\\\\S+|\\\\s+", "special_tokens": {"x": "y"}}', "has id 'y'"),
        ('{"pat_str": "\\\\S+|\\\\s+", "special_tokens": {"x": 3}}', "which is the entry"),
    ):
        settings_beside(path).write_text(settings, encoding="utf-8")
        with pytest.raises(FormatError, match=words):
            read_tiktoken(path)


def test_one_huge_entry_takes_no_quadratic_time():
    # tiktoken's steps by linear search would take 4 * 10**9 comparisons here.
    ranks = dict(BYTES)
    for power in range(1, 17):
        ranks[b"a" * 2**power] = 255 + power
    merges = merges_of_ranks(ranks)
    assert [len(left) for left, _ in merges] == [2**power for power in range(16)]


def test_what_tiktoken_cannot_order_is_refused(tmp_path):
    vocab = {index: token for token, index in BYTES.items()} | {256: b"bc", 257: b"ab", 258: b"abc"}
    twice = TokenizerParts(vocab=vocab, merges=[(b"b", b"c"), (b"a", b"b"), (b"a", b"bc"), (b"ab", b"c")])
    swapped = TokenizerParts(vocab=vocab, merges=[(b"a", b"b"), (b"b", b"c"), (b"ab", b"c")])
    unreached = TokenizerParts(vocab=vocab, merges=[(b"b", b"c"), (b"a", b"b")])
    shared = TokenizerParts(vocab=vocab, merges=swapped.merges, special_tokens={"a": 97})
    for parts in (twice, swapped, unreached, shared):
        with pytest.raises(FormatError, match="own format"):
            write_tiktoken(parts, tmp_path / "x.tiktoken")
    assert list(tmp_path.iterdir()) == []


def test_what_huggingface_cannot_say_is_refused(tmp_path):
    vocab = {index: token for token, index in BYTES.items()}
    equal = TokenizerParts(vocab=vocab | {256: b"a"}, merges=[], special_tokens={"a": 97})
    clash = TokenizerParts(vocab=vocab | {256: "é".encode()}, merges=[], special_tokens={"é": 256})
    late = TokenizerParts(
        vocab=vocab | {256: b"bc", 257: b"abc", 258: b"abcd", 259: b"ab"},
        merges=[(b"b", b"c"), (b"a", b"bc"), (b"abc", b"d"), (b"a", b"b"), (b"ab", b"c")],
    )
    repeated = TokenizerParts(vocab=vocab | {256: b"ab"}, merges=[(b"a", b"b"), (b"a", b"b")])
    free = TokenizerParts(vocab=vocab, merges=[], pattern=r"(?s)\w+|.")
    for parts, words in (
        (equal, "both written 'a'"),
        (clash, "both written 'é'"),
        (late, "again after an earlier merge has used it"),
        (repeated, "stands twice"),
        (free, "Oniguruma"),
    ):
        with pytest.raises(FormatError, match=words):
            write_huggingface(parts, tmp_path / "tokenizer.json")
    assert list(tmp_path.iterdir()) == []


def huggingface_fields():
    vocab, merges = reference.train_bpe("low lower lowest " * 3, 270, ["<|e|>"])
    return TokenizerParts(vocab=vocab, merges=merges, special_tokens={"<|e|>": 0})


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}


def split(**change):
    how = {"type": "Split", "pattern": {"Regex": "\\S+|\\s+"}, "behavior": "Isolated", "invert": False, **change}
    return {"type": "Sequence", "pretokenizers": [how, BYTE_LEVEL]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("model"), "model is NoneType"),
        (lambda t: t["model"].update(type="WordPiece"), "WordPiece"),
        (lambda t: t["model"].update(byte_fallback=True), "byte_fallback"),
        (lambda t: t["model"].update(end_of_word_suffix="</w>"), "suffix"),
        (lambda t: t["model"].update(continuing_subword_prefix="##"), "prefix"),
        (lambda t: t["model"].update(dropout=0.1), "at random"),
        (lambda t: t.update(normalizer={"type": "NFC"}), "NFC"),
        (lambda t: t.update(pre_tokenizer=None), "ByteLevel"),
        (lambda t: t.update(pre_tokenizer={"type": "Whitespace"}), "Whitespace"),
        (lambda t: t["pre_tokenizer"].update(add_prefix_space=True), "adds a space"),
        (lambda t: t.update(pre_tokenizer=split(behavior="Removed")), "drops or joins"),
        (lambda t: t.update(pre_tokenizer=split(pattern={"Regex": "("})), "not a regular expression"),
        (lambda t: t.update(pre_tokenizer={"type": "Sequence", "pretokenizers": 3}), "pre_tokenizer is int"),
        (lambda t: t["model"].update(vocab=[]), "vocab is list"),
        (lambda t: t["model"].update(vocab={}), "no entries|another entry"),
        (lambda t: t["model"]["vocab"].update(a=-5), "id -5"),
        (lambda t: t["model"]["vocab"].update(a=10**12), "id 1000000000000"),
        (lambda t: t["model"]["vocab"].update(a=1.0), "whole number"),
        (lambda t: t["model"]["vocab"].update(a=5), "given twice"),
        (lambda t: t["model"]["vocab"].pop("a"), "byte 0x61"),
        (lambda t: t["model"].update(merges={}), "merges is dict"),
        (lambda t: t["model"]["merges"].append(["q"]), "two tokens"),
        (lambda t: t["model"]["merges"].append(["q", "q"]), "not in the vocabulary"),
        (lambda t: t["model"]["merges"].append("q zz"), "no earlier merge"),
        (lambda t: t["model"]["merges"].append(["q", "z z"]), "two tokens"),
        (lambda t: t["model"].update(ignore_merges=True, merges=[]), "made by no merge"),
        (lambda t: t["added_tokens"].append({"id": 3}), "were expected"),
        (lambda t: t["added_tokens"].append({"id": 3, "content": "xyz"}), "another entry"),
        (lambda t: t["added_tokens"].append(t["added_tokens"][0]), "given twice"),
        (lambda t: t["added_tokens"][0].update(lstrip=True), "lstrip"),
        (lambda t: t["added_tokens"][0].update(id=True), "were expected"),
        (lambda t: t["added_tokens"][0].update(id=7), "in model.vocab and 7"),
    ],
)
def test_hostile_tokenizer_json(tmp_path, change, words):
    path = tmp_path / "tokenizer.json"
    write_huggingface(huggingface_fields(), path)
    fields = json.loads(path.read_text(encoding="utf-8"))
    change(fields)
    path.write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(FormatError, match=words):
        read_huggingface(path)


@pytest.mark.parametrize("cut", [1, 100, 2000, -3])
def test_every_file_cut_short_gets_a_sentence(tmp_path, cut):
    for format in formats.FORMATS:
        formats.write_parts(huggingface_fields(), tmp_path / format, format)
        for file in (tmp_path / format).iterdir():
            whole = file.read_bytes()
            file.write_bytes(whole[:cut])
            if file.name != "merges.txt" and cut < len(whole):  # a shorter list of merges is a list of merges
                with pytest.raises(FormatError):
                    formats.read_parts(tmp_path / format)
            file.write_bytes(whole)


HUGE = 1_000_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", '{"model": {"type": "BPE", "vocab": {"a": 999999999999}, "merges": []}}' + " " * HUGE),
        ("tokenizer.json", '{"model": ' + "[" * HUGE),
        ("tokenizer.json", '{"model": [' + "{}," * (HUGE // 3) + "0]}"),
        ("tokenizer.json", '{"model": [' + "1," * (HUGE // 2) + "0]}"),
        ("tokenizer.json", '{"added_tokens": [' + '{"id":0},' * (HUGE // 9) + "0]}"),
        (FILE_NAME, '{"format": "hornbook-tokenizer", "vocab": [' + "null," * (HUGE // 5) + "0]}"),
        ("vocab.json", "{" + ",".join(f'"{i}":{i}' for i in range(HUGE // 14)) + "}"),
        ("x.tiktoken", "YQ== 99999999\n" + "\n" * HUGE),
        ("x.tiktoken", base64.b64encode(b"a" * HUGE).decode() + " 300\n"),
        ("x.tiktoken", "".join(f"{base64.b64encode(str(i).encode()).decode()} {i}\n" for i in range(HUGE // 14))),
    ],
)
def test_memory_stays_a_small_multiple_of_the_file(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    (tmp_path / "merges.txt").write_text("", encoding="utf-8")
    size = path.stat().st_size
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            formats.read_parts(path, {} if name.endswith(".tiktoken") else None, "gpt2")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * size
