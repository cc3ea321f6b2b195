"""Texts that make a tokenizer quadratic: a pre-token of any length, and twice the input in 2.5 times the time."""

import pytest
from harness.growth import TEXTS, growth

import hornbook as hb


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_twice_the_input_takes_at_most_two_and_a_half_times_the_time(name):
    for call, (once, twice) in growth(name, 2_000_000, repeats=7).items():
        # Below some hundredths of a second the start of threads and the machine's noise count too.
        assert twice <= 2.5 * once + 0.02, (call, once, twice)


@pytest.mark.timeout(900)  # 2 s for each 4 MB; were it quadratic, hours
@pytest.mark.parametrize("length", [1_000, 4_000_003, pytest.param(53_000_003, marks=pytest.mark.slow)])
def test_one_pretoken_of_any_length_is_trained_on_and_encoded(tmp_path, length):
    """Merges of one letter double it, and a text is as many of the longest as fit, then a binary number."""
    path = tmp_path / "text.txt"
    path.write_bytes(b"a" * length)
    vocab, merges = hb.train_bpe(path, 256 + 9, [])
    assert merges == [(b"a" * 2**k, b"a" * 2**k) for k in range(9)]
    tokenizer = hb.Tokenizer(vocab, merges)
    ids = tokenizer.encode_to_array(path)
    rest = length % 2**9
    assert len(ids) == length // 2**9 + rest.bit_count()
    assert [len(vocab[i]) for i in ids[length // 2**9 :]] == [2**k for k in range(8, -1, -1) if rest >> k & 1]
    assert tokenizer.decode_bytes(ids) == path.read_bytes()
