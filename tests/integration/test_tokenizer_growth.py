"""Texts that make a tokenizer quadratic: twice the input takes at most two and a half times the computing time."""

import pytest
from harness.growth import TEXTS, growth


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_twice_the_input_takes_at_most_two_and_a_half_times_the_time(name):
    for call, (once, twice) in growth(name, 2_000_000, repeats=7).items():
        # Below some hundredths of a second the start of threads and the machine's noise count too.
        assert twice <= 2.5 * once + 0.02, (call, once, twice)
