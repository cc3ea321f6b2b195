"""What holds for the plain tokenizer on every input."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.tokenizer import reference
from hornbook.tokenizer.reference import ReferenceTokenizer

SPECIAL = ["<|e|>", "<|e|><|e|>", "e|"]
words = st.dictionaries(st.text("abc", min_size=1, max_size=10).map(str.encode), st.integers(1, 9), max_size=6)
texts = st.text(st.sampled_from("ab 'st\n<|e|>é\U0001f600") | st.characters(exclude_categories=["Cs"]), max_size=60)


@given(words)
def test_training_never_makes_the_same_bytes_twice(counts):
    # A stretch of bytes that no merge has crossed is cut the same way everywhere, so one merge makes all its symbols.
    vocab, merges = reference.train_from_counts(Counter(counts), 300)
    results = [left + right for left, right in merges]
    assert len(set(results)) == len(results)
    assert len(vocab) == 256 + len(merges)


@given(texts)
@settings(max_examples=50)
def test_decode_undoes_encode(text):
    vocab, merges = reference.train_bpe(text, 280, SPECIAL)
    tokenizer = ReferenceTokenizer(vocab, merges, SPECIAL)
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.binary(max_size=60))
@settings(max_examples=50)
def test_any_bytes_survive(content):
    vocab, merges = reference.train_bpe(content, 280)
    tokenizer = ReferenceTokenizer(vocab, merges)
    assert tokenizer.decode_bytes(tokenizer.encode(content)) == content
