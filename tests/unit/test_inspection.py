import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.tokenizer import inspection, reference
from hornbook.tokenizer.reference import ReferenceTokenizer

TEXT = "low lower lowest newest widest é \U0001f600<|e|>" * 5


class Plain(ReferenceTokenizer):
    """The plain tokenizer with the array method that the tools use."""

    def encode_array(self, text, num_threads=1):
        return np.array(self.encode(text), dtype=np.uint16)

    def encode_pretokens(self, pretokens):
        return np.array([i for part in pretokens for i in self.encode(part.decode())], dtype=np.uint16)


def make(size=290, text=TEXT):
    vocab, merges = reference.train_bpe(text, size, ["<|e|>"])
    return Plain(vocab, merges, ["<|e|>"])


def test_longest_tokens_with_counts():
    tokenizer = make()
    counts = inspection.token_counts(tokenizer, [b"newest newest", b" newest<|e|>"])
    rows = inspection.longest_tokens(tokenizer, 5, counts)
    assert [len(row.content) for row in rows] == sorted((len(row.content) for row in rows), reverse=True)
    assert all(row.content != b"<|e|>" for row in rows)
    assert {row.content: row.count for row in inspection.longest_tokens(tokenizer, 99, counts)}[b" newest"] == 2
    assert inspection.longest_tokens(tokenizer, 1)[0].count is None


def leaves(node):
    return [node.content] if node.left is None else leaves(node.left) + leaves(node.right)


@given(st.text("ab", min_size=1, max_size=20), st.text("ab", max_size=20))
@settings(max_examples=100, deadline=None)
def test_merge_trees_are_the_tokens_and_their_leaves_the_bytes(text, word):
    tokenizer = make(300, text * 3)
    trees = inspection.merge_trees(tokenizer, word)
    assert [tree.content for tree in trees] == [tokenizer.vocab[i] for i in tokenizer.encode(word)]
    assert b"".join(b"".join(leaves(tree)) for tree in trees) == word.encode()


def test_a_merge_tree_is_drawn():
    vocab = {byte: bytes([byte]) for byte in range(256)} | {256: b"ow", 257: b"low"}
    tokenizer = Plain(vocab, [(b"o", b"w"), (b"l", b"ow")])
    ids = {content: token_id for token_id, content in vocab.items()}
    (tree,) = inspection.merge_trees(tokenizer, "low")
    assert tree.lines(ids) == [
        "low   id 257   merge 1",
        "├─ l   id 108",
        "└─ ow   id 256   merge 0",
        "   ├─ o   id 111",
        "   └─ w   id 119",
    ]


def test_the_longest_made_of_letters_leaves_runs_of_blanks_out():
    vocab = {0: b"a", 1: b"          ", 2: b" newest", 3: b"it's", 4: "\u00e9t\u00e9".encode(), 5: b"\xff\xff\xff"}
    rows = inspection.longest_tokens(Plain(vocab, []), 9, letters=True)
    assert [row.content for row in rows] == [b" newest", "\u00e9t\u00e9".encode(), b"a"]


def test_vocabularies_overlap_by_their_bytes():
    assert inspection.overlap(make(300), make(262)) == (262, len(set(make(300).vocab.values())) - 262, 0)


def test_split_text_says_pretokens_and_special_tokens():
    tokenizer = make(262)
    pieces = inspection.split_text(tokenizer, "low é<|e|>")
    assert b"".join(piece.content for piece in pieces) == "low é<|e|>".encode()
    assert [piece.id for piece in pieces] == tokenizer.encode("low é<|e|>")
    assert pieces[-1].special
    assert pieces[-1].pretoken == 2


def test_compression_adds_up():
    tokenizer = make(300)
    result = inspection.compression(tokenizer, [b"low lower", b"\xc3\xa9"] * 3)
    assert result.num_bytes == 33
    assert result.num_tokens == 3 * (len(tokenizer.encode("low lower")) + len(tokenizer.encode("é")))
    assert result.bytes_per_token == 33 / result.num_tokens
    assert (result.mb_per_second, result.pile_hours) == (None, None), "no throughput from 33 bytes"
    much = inspection.Compression(5_000_000, 1, 0.05)
    assert much.mb_per_second == pytest.approx(100)
    assert much.pile_hours == pytest.approx(825e9 / 100e6 / 3600)


def test_readable_shows_what_is_there():
    assert inspection.readable(b" a\n\xff\xc3\xa9\x00") == "·a\\n\\xffé\\x00"
