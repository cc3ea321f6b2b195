"""A stream is the text, however it is chunked; a free pattern in processes is the free pattern in one."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbook as hb
from hornbook.data.text_reader import TextReader
from hornbook.errors import DataError, TokenizerError
from hornbook.tokenizer import patterns, reference, regex_pool
from hornbook.tokenizer import text as tokenizer_text

SPECIAL = ["<|e|>", "<|e|><|e|>", "a b"]
FREE = r"\p{L}+|\s+|[^\s\p{L}]+"
texts = st.lists(
    st.sampled_from(
        ["ab", " ", "a b", "\n\n", "<|e|>", "<|e", "é", "'s", "12345", "\U0001f600", "\u3000", "ab" * 20, "1" * 70]
    )
).map("".join)


def chunked(text, sizes):
    content, start = text.encode(), 0
    for size in [*sizes, len(content) + 1]:
        yield content[start : start + size]
        start += size


@pytest.mark.parametrize("pattern", [*patterns.NAMED, FREE])
@given(text=texts, sizes=st.lists(st.integers(1, 9), max_size=20))
@settings(max_examples=60, deadline=None)
def test_counts_of_a_stream_are_those_of_the_text(pattern, text, sizes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizer_text, "BLOCK_BYTES", 16)
        threads = 2 if pattern in patterns.NAMED else 1
        counts = hb.count_pretokens(chunked(text, sizes), SPECIAL, pattern=pattern, num_threads=threads)
    assert dict(counts.items()) == reference.count_pretokens(text, SPECIAL, pattern)


@pytest.fixture(scope="module")
def tokenizers():
    vocab, merges = reference.train_bpe("ab a b é 's 12345 ab ab\n\n" * 3, 280, SPECIAL)
    return {pattern: hb.Tokenizer(vocab, merges, SPECIAL, pattern=pattern) for pattern in [*patterns.NAMED, FREE]}


@pytest.mark.parametrize("pattern", [*patterns.NAMED, FREE])
@given(text=texts, sizes=st.lists(st.integers(1, 9), max_size=20))
@settings(max_examples=40, deadline=None)
def test_the_token_file_of_a_stream_is_that_of_the_text(tmp_path_factory, tokenizers, pattern, text, sizes):
    folder = tmp_path_factory.mktemp("stream")
    tokenizer = tokenizers[pattern]
    (folder / "text.txt").write_text(text, encoding="utf-8", newline="")
    whole = tokenizer.encode_file(folder / "text.txt", folder / "whole.npy", num_threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizer_text, "BLOCK_BYTES", 16)
        stream = tokenizer.encode_file(chunked(text, sizes), folder / "stream.npy", num_threads=1)
    assert np.array_equal(whole.ids, stream.ids)
    assert stream.ids.tolist() == tokenizer.encode(text)
    for key in ("num_bytes", "num_documents", "num_tokens", "vocab_size", "tokenizer_fingerprint"):
        assert whole.manifest[key] == stream.manifest[key], key
    assert whole.manifest["sources"][0]["sha256"] == stream.manifest["sources"][0]["sha256"]


@pytest.mark.parametrize("pattern", [*patterns.NAMED, FREE])
@given(text=texts, sizes=st.lists(st.integers(0, 9), max_size=20), special=st.sampled_from(["all", "none", *SPECIAL]))
@settings(max_examples=60, deadline=None)
def test_the_ids_of_chunks_are_those_of_the_text(tokenizers, pattern, text, sizes, special):
    allowed = special if special in ("all", "none") else [special]
    chunks, start = [], 0
    for size in [*sizes, len(text) + 1]:
        chunks.append(text[start : start + size])
        start += size
    ids = tokenizers[pattern].encode_iterable(chunks, allowed_special=allowed)
    assert list(ids) == tokenizers[pattern].encode(text, allowed_special=allowed)


@pytest.mark.parametrize("pattern", ["gpt2", FREE])
def test_ids_come_as_soon_as_they_are_certain(tokenizers, pattern):
    asked = []

    def chunks():
        for number in range(10):
            asked.append(number)
            yield "ab ab<|e|> é 12345 "

    next(tokenizers[pattern].encode_iterable(chunks()))
    assert len(asked) <= 2


def test_a_free_pattern_gives_the_same_in_processes(tmp_path, tokenizers, monkeypatch):
    text = "one two, three 45<|e|>\n\nfour é \U0001f600<|e|><|e|>" * 5000
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8", newline="")
    tokenizer = tokenizers[FREE]
    monkeypatch.setattr(regex_pool, "SMALL", 0)
    monkeypatch.setattr(tokenizer_text, "_BATCH", 10_000)
    counts = hb.count_pretokens(path, SPECIAL, pattern=FREE, num_threads=2)
    assert dict(counts.items()) == reference.count_pretokens(text, SPECIAL, FREE)
    tokens = tokenizer.encode_file(path, tmp_path / "out.npy", num_threads=2)
    assert tokens.ids.tolist() == tokenizer.encode(text)
    assert tokenizer.encode_to_array(path, num_threads=2).tolist() == tokenizer.encode(text)


def test_an_uncovered_text_is_shown_from_a_process_too(tmp_path, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text("words, words" * 1000, encoding="utf-8")
    monkeypatch.setattr(regex_pool, "SMALL", 0)
    for threads in (1, 2):
        with pytest.raises(TokenizerError, match="leaves ', ' at character 5 uncovered"):
            hb.count_pretokens(path, pattern=r"\w+", num_threads=threads)


def test_a_corpus_goes_where_a_stream_goes(tmp_path, tokenizers):
    documents = ["ab a b", "é 's 12345", "12 ab"]
    lines = "".join(json.dumps({"body": text}) + "\n" for text in documents)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "b.txt").write_text("ab ab<|e|>12345", encoding="utf-8")
    corpus = TextReader(tmp_path, field="body", separator="<|e|>")
    joined = "<|e|>".join([*documents, "ab ab", "12345"])
    assert dict(hb.count_pretokens(corpus, SPECIAL).items()) == reference.count_pretokens(joined, SPECIAL)
    assert hb.train_bpe(corpus, 290, SPECIAL) == reference.train_bpe(joined, 290, SPECIAL)
    tokens = tokenizers["gpt2"].encode_file(corpus, tmp_path / "out.npy")
    assert tokens.ids.tolist() == tokenizers["gpt2"].encode(joined)
    assert tokens.manifest["num_documents"] == 5
    assert "a.jsonl.gz" in tokens.manifest["sources"][0]["path"]


def test_malformed_streams_name_the_byte(tokenizers, tmp_path):
    for pattern in ("gpt2", FREE):
        with pytest.raises(DataError, match="malformed at byte 3"):
            hb.count_pretokens(iter([b"ab", b"c\xff"]), pattern=pattern)
        with pytest.raises(DataError, match="malformed at byte 1"):
            tokenizers[pattern].encode_file(iter([b"a\xe2", b"b"]), tmp_path / "out.npy")
        tokens = tokenizers[pattern].encode_file(iter([b"a\xe2", b"b"]), tmp_path / "out.npy", errors="replace")
        assert tokenizers[pattern].decode(tokens.ids) == "a\ufffdb"
    with pytest.raises(DataError, match="one is int"):
        hb.count_pretokens(iter([1]))


@pytest.mark.parametrize("pattern", ["gpt2", FREE])
def test_a_lone_surrogate_in_a_stream_gets_a_sentence(tokenizers, tmp_path, pattern):
    with pytest.raises(TokenizerError, match=r"lone surrogate \(U\+D800\) at character 1"):
        hb.count_pretokens(iter(["a\ud800"]), pattern=pattern)
    with pytest.raises(TokenizerError, match="lone surrogate"):
        tokenizers[pattern].encode_file(iter(["a\ud800"]), tmp_path / "out.npy")
