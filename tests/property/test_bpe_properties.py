"""The native trainer and encoder do what the plain reference does, on texts made to provoke ties and overlaps."""

import random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import hornbook as hb
from hornbook.tokenizer import _core, reference
from hornbook.tokenizer.reference import ReferenceTokenizer

SMALL = st.text(st.sampled_from("aab b'1"), max_size=80)
MIXED = st.text(st.sampled_from("ab c\n'sé中1!“\u3000"), max_size=60)
SPECIALS = st.lists(st.sampled_from(["<|e|>", "<|e|><|e|>", "ab", "a b", "b", "aa", "é"]), unique=True, max_size=3)


@pytest.fixture(autouse=True, params=[0, 3], ids=["chosen threshold", "threshold 3"])
def threshold(request):
    # A low first threshold makes pairs enter late, through rebuilding, even in tiny texts.
    _core.set_first_threshold(request.param)
    yield
    _core.set_first_threshold(0)


def train(text: str, size: int, specials: list[str], pattern: str = "gpt2"):
    counts = hb.PretokenCounts(pattern, specials)
    counts.add_text(text)
    return hb.train_bpe_from_counts(counts, size)


@given(
    st.lists(st.one_of(SMALL, MIXED, st.sampled_from(["<|e|>"])), max_size=4).map("".join), st.integers(0, 60), SPECIALS
)
def test_training_equals_the_reference(text, extra, specials):
    size = 256 + len(specials) + extra
    assert train(text, size, specials) == reference.train_bpe(text, size, specials)


@given(st.dictionaries(st.binary(min_size=1, max_size=12), st.integers(1, 2**40), max_size=12), st.integers(0, 40))
def test_training_on_counts_equals_the_reference_for_any_bytes(words, extra):
    counts = hb.PretokenCounts()
    for word, count in words.items():
        counts.add(word, count)
    assert hb.train_bpe_from_counts(counts, 256 + extra) == reference.train_from_counts(words, 256 + extra)


@given(st.dictionaries(st.text("ab", min_size=1, max_size=40), st.integers(1, 9), max_size=30), st.integers(0, 80))
def test_long_runs_and_ties_equal_the_reference(words, extra):
    counts = hb.PretokenCounts()
    for word, count in words.items():
        counts.add(word.encode(), count)
    wanted = reference.train_from_counts({word.encode(): count for word, count in words.items()}, 256 + extra)
    assert hb.train_bpe_from_counts(counts, 256 + extra) == wanted


@given(MIXED, MIXED, SPECIALS)
def test_encoding_equals_the_reference(training_text, text, specials):
    vocab, merges = reference.train_bpe(training_text * 3, 320)
    plain = ReferenceTokenizer(vocab, merges, specials)
    fast = hb.Tokenizer(vocab, merges, specials)
    assert fast.vocab == plain.vocab
    assert fast.encode(text) == plain.encode(text)
    assert fast.encode(text) == plain.encode(text), "a second time, from the cache"
    assert fast.decode(fast.encode(text)) == text


def made_up(seed: int) -> list[tuple[bytes, bytes]]:
    """Merges that no training yields: symbols made twice, also after a merge that uses them has had its turn."""
    rng, symbols, merges = random.Random(seed), [b"a", b"b"], []
    while len(merges) < 24:
        pair = (rng.choice(symbols), rng.choice(symbols))
        if pair not in merges and len(pair[0] + pair[1]) <= 9:
            merges.append(pair)
            symbols.append(pair[0] + pair[1])
    return merges


MERGES = {"learned": reference.train_bpe("ab abba aabb babab aaaa", 290)[1]} | {
    f"made up {n}": made_up(n) for n in range(8)
}


@pytest.mark.parametrize("variant", ["portable", "avx2", "avx512"])
@pytest.mark.parametrize("merges", MERGES.values(), ids=MERGES)
def test_pretokens_of_any_length_are_merged_as_by_the_reference(variant, merges):
    # The ways change at 32 and 1,023 bytes; between them rows of 32 begin.
    before = _core.variant()
    if not _core.set_variant(variant):
        pytest.skip(f"this machine has no {variant}")
    try:
        rng = random.Random(7)
        symbols = dict.fromkeys([bytes([b]) for b in range(256)] + [left + right for left, right in merges])
        vocab = dict(enumerate(symbols))
        fast, plain = hb.Tokenizer(vocab, merges), ReferenceTokenizer(vocab, merges)
        for length in [*range(1, 36), 63, 64, 65, 96, 97, 300, 992, 993, 1022, 1023, 1024, 1025]:
            for text in ["".join(rng.choices("ab", k=length)), "a" * length, "ab" * (length // 2)]:
                assert fast.encode(text) == plain.encode(text), text
    finally:
        _core.set_variant(before)


@given(st.binary(max_size=80))
def test_any_bytes_are_encoded_as_the_reference_does_and_decode_to_themselves(data):
    vocab, merges = reference.train_bpe("the cat sat on the mat, é“ 中文", 300)
    ids = hb.Tokenizer(vocab, merges).encode_array(data).tolist()
    assert hb.Tokenizer(vocab, merges).decode_bytes(ids) == data


@given(st.data(), st.one_of(SMALL, MIXED, st.just("a<|e|><|e|>b <|e|>")), SPECIALS)
def test_encode_iterable_equals_encode_under_any_chunking(data, text, specials):
    tokenizer = hb.Tokenizer(*reference.train_bpe("aab ab'1 b aa", 270), specials)
    text = text * data.draw(st.integers(1, 3))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert list(tokenizer.encode_iterable(chunks)) == tokenizer.encode(text)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["ab ", "b1", "<|e|>", "'s", "é", "  ", "中", "\n", "aaa"]), max_size=60), SPECIALS)
def test_free_patterns_take_the_same_way_as_the_reference(pieces, specials):
    pattern = r"\w+|[^\w\s]+|\s+"
    text = "".join(pieces)
    size = 290 + len(specials)
    assert train(text, size, specials, pattern) == reference.train_bpe(text, size, specials, pattern)
    vocab, merges = reference.train_bpe(text, size, specials, pattern)
    fast = hb.Tokenizer(vocab, merges, specials, pattern=pattern)
    assert fast.encode(text) == ReferenceTokenizer(vocab, merges, specials, pattern=pattern).encode(text)
    assert list(fast.encode_iterable(pieces)) == fast.encode(text)
