"""What every schedule keeps, whatever its numbers."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.errors import ConfigError
from hornbook.optim.schedule import SCHEDULES, learning_rate, lr_cosine_schedule, lr_wsd_schedule

rates = st.floats(0.0, 10.0, allow_nan=False)


@st.composite
def settings(draw):
    high, low = sorted((draw(rates), draw(rates)), reverse=True)
    total = draw(st.integers(1, 10_000))
    return {
        "max_learning_rate": high,
        "min_learning_rate": low,
        "warmup_iters": draw(st.integers(0, total)),
        "total_iters": total,
    }


@given(st.sampled_from(SCHEDULES), settings(), st.integers(0, 20_000))
def test_a_rate_lies_between_zero_and_the_maximum(name, numbers, it):
    rate = learning_rate(name, it, **numbers)
    assert 0.0 <= rate <= numbers["max_learning_rate"] * (1 + 1e-12)
    if it >= numbers["warmup_iters"]:
        assert rate >= numbers["min_learning_rate"] * (1 - 1e-12)


@given(st.sampled_from(("cosine", "linear", "wsd")), settings())
def test_the_last_update_runs_at_exactly_the_minimum_and_so_does_everything_after(name, numbers):
    for it in (numbers["total_iters"], numbers["total_iters"] + 1, 10 * numbers["total_iters"]):
        assert learning_rate(name, it, **numbers) == numbers["min_learning_rate"]


@given(st.sampled_from(SCHEDULES), settings())
def test_warm_up_rises_and_what_follows_never_rises(name, numbers):
    seen = [
        learning_rate(name, it, **numbers)
        for it in range(0, numbers["total_iters"] + 2, 1 + numbers["total_iters"] // 50)
    ]
    top = numbers["warmup_iters"]
    rising = [rate for i, rate in enumerate(seen) if i * (1 + numbers["total_iters"] // 50) < top]
    falling = seen[len(rising) :]
    assert rising == sorted(rising)
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in itertools.pairwise(falling))


@given(settings())
def test_wsd_whose_decline_fills_the_rest_is_the_linear_schedule(numbers):
    rest = numbers["total_iters"] - numbers["warmup_iters"]
    for it in range(0, numbers["total_iters"] + 1, 1 + numbers["total_iters"] // 20):
        wsd = learning_rate("wsd", it, **numbers, decay_iters=rest)
        assert wsd == learning_rate("linear", it, **numbers)


@pytest.mark.parametrize(
    "bad",
    [(-1, 1.0, 0.1, 7, 21), (3, -1.0, 0.1, 7, 21), (3, 1.0, float("nan"), 7, 21), (3, 1.0, 0.1, 22, 21)],
)
def test_bad_numbers_are_errors(bad):
    with pytest.raises(ConfigError):
        lr_cosine_schedule(*bad)


def test_unknown_schedule_and_overfull_wsd_are_errors():
    with pytest.raises(ConfigError, match="did you mean 'cosine'"):
        learning_rate("cosin", 1, max_learning_rate=1, min_learning_rate=0, warmup_iters=0, total_iters=2)
    with pytest.raises(ConfigError, match="do not fit"):
        lr_wsd_schedule(1, 1.0, 0.0, 6, 10, 5)
