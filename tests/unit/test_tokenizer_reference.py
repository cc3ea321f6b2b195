from collections import Counter

import pytest

from hornbook.errors import TokenizerError
from hornbook.tokenizer import reference
from hornbook.tokenizer.reference import ReferenceTokenizer

HANDOUT = "low low low low low lower lower widest widest widest newest newest newest newest newest newest"


def test_the_handouts_example_gives_its_first_merges():
    # CS336 handout §2.4, Example (bpe_example): whitespace pre-tokenization, ties to the greatest pair.
    _, merges = reference.train_from_counts(Counter(word.encode() for word in HANDOUT.split()), 256 + 6)
    assert [left + right for left, right in merges] == [b"st", b"est", b"ow", b"low", b"west", b"ne"]


def test_ids_are_special_tokens_then_bytes_then_symbols():
    vocab, merges = reference.train_bpe(HANDOUT + "<|end|>" + HANDOUT, 260, ["<|end|>", "<|pad|>"])
    assert vocab[0] == b"<|end|>"
    assert vocab[1] == b"<|pad|>"
    assert vocab[2] == b"\x00"
    assert vocab[257] == b"\xff"
    assert [vocab[258], vocab[259]] == [left + right for left, right in merges]


def test_special_tokens_are_cut_out_longest_first_and_never_counted():
    assert reference.split_special("a<|e|><|e|>b<|e|>", ["<|e|>", "<|e|><|e|>"]) == [
        ("a", False),
        ("<|e|><|e|>", True),
        ("b", False),
        ("<|e|>", True),
    ]
    assert reference.count_pretokens("a<|e|>b", ["<|e|>"]) == {b"a": 1, b"b": 1}


def test_a_tie_goes_to_the_greatest_pair_of_byte_strings():
    # ("BA", "A") > ("B", "ZZ"): by the left side first, not by the concatenation.
    _, merges = reference.train_from_counts({b"BC": 1, b"BD": 1, b"AZ": 1}, 257)
    assert merges == [(b"B", b"D")]


def test_encoding_takes_each_merge_once_in_order():
    # Only a vocabulary from elsewhere can make the same bytes twice (see the property below). "abc" made by the last
    # merge comes too late for ("abc", "d"), which had its turn before.
    vocab = {byte: bytes([byte]) for byte in range(256)} | {256: b"bc", 257: b"abc", 258: b"abcd"}
    merges = [(b"b", b"c"), (b"abc", b"d"), (b"a", b"bc")]
    assert ReferenceTokenizer(vocab, merges).encode("abcd") == [257, ord("d")]


def test_training_may_end_early_and_refuses_too_small_sizes():
    vocab, merges = reference.train_bpe("aa", 1000)
    assert len(vocab) == 257
    assert merges == [(b"a", b"a")]
    with pytest.raises(TokenizerError, match="at least 257"):
        reference.train_bpe("aa", 256, ["<|end|>"])
    for special in (["x", "x"], [""]):
        with pytest.raises(TokenizerError, match="special token"):
            reference.train_bpe("aa", 300, special)


def test_encode_applies_merges_in_order_and_decode_undoes_it():
    vocab, merges = reference.train_bpe(HANDOUT, 270, ["<|end|>"])
    tokenizer = ReferenceTokenizer(vocab, merges, ["<|end|>"])
    text = "newest lower<|end|> \U0001f600 é"
    ids = tokenizer.encode(text)
    assert 0 in ids
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode([1 + 0xFF]) == "\ufffd"


def test_a_special_token_with_a_symbols_bytes_has_the_lowest_id():
    vocab, merges = reference.train_bpe("aaaa aaaa", 260, ["aa"])
    tokenizer = ReferenceTokenizer(vocab, merges, ["aa"])
    assert tokenizer.special_token_ids == {"aa": 0}
    assert tokenizer.encode("aa") == [0]
    assert tokenizer.encode_pretoken(b"aa") != [0]


def test_malformed_bytes_are_single_other_characters():
    assert reference.count_pretokens(b"a\xff\xfeb c\xc3") == {b"a": 1, b"\xff\xfe": 1, b"b": 1, b" c": 1, b"\xc3": 1}


def test_special_tokens_that_the_vocabulary_lacks_are_appended():
    vocab, merges = reference.train_bpe("hello", 257)
    assert ReferenceTokenizer(vocab, merges, ["<|x|>", "<|y|>"]).special_token_ids == {"<|x|>": 257, "<|y|>": 258}


def test_what_cannot_be_encoded_or_decoded_is_named():
    vocab, merges = reference.train_bpe("hello", 257)
    tokenizer = ReferenceTokenizer(vocab, merges)
    with pytest.raises(TokenizerError, match=r"U\+D800.*character 1"):
        tokenizer.encode("a\ud800")
    with pytest.raises(TokenizerError, match="id 999"):
        tokenizer.decode([999])
