"""Statistics over seeds, with scipy as the oracle, and the rule for calling an arm better."""

import math
import random
from typing import Any

import pytest
import scipy.stats

from hornbook.studies.statistics import (
    compare,
    mean_interval,
    t_quantile,
    t_two_sided_p,
)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 9, 30, 200, 1e5])
@pytest.mark.parametrize("probability", [0.6, 0.9, 0.975, 0.995, 0.9999, 0.025, 0.5])
def test_t_quantiles_equal_scipy(df, probability):
    expected = scipy.stats.t.ppf(probability, df)
    assert t_quantile(probability, df) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("df", [1, 4, 17])
@pytest.mark.parametrize("t", [0.0, 0.3, -1.7, 4.0, 60.0])
def test_t_probabilities_equal_scipy(df, t):
    assert t_two_sided_p(t, df) == pytest.approx(2 * scipy.stats.t.sf(abs(t), df), rel=1e-9)


def test_interval_of_a_mean_is_the_t_interval():
    values = [2.1, 2.3, 1.9, 2.2, 2.05]
    interval = mean_interval(values)
    assert interval.half_width is not None
    low, high = scipy.stats.t.interval(0.95, 4, loc=sum(values) / 5, scale=scipy.stats.sem(values))
    assert (interval.mean - interval.half_width, interval.mean + interval.half_width) == pytest.approx((low, high))
    assert mean_interval([3.0]).half_width is None
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])


def test_intervals_are_those_of_the_incomplete_beta_by_continued_fraction():
    # Written down at commit fff94a8, which had the t distribution of its own.
    assert mean_interval([2.1, 2.3, 1.9, 2.2, 2.05]).half_width == pytest.approx(0.18830766883484384, abs=1e-9)
    base = {0: 2.10, 1: 2.31, 2: 1.92, 3: 2.25, 4: 2.04, 5: 2.2}
    better = {0: 2.05, 1: 2.24, 2: 1.90, 3: 2.16, 4: 2.01}
    alike = {0: 2.11, 1: 2.33, 2: 1.95, 3: 2.24, 4: 2.05, 5: 2.22}
    found = compare({"base": base, "a": better, "b": alike, "c": {0: 2.0, 1: 2.5}}, "base")
    expected = [
        (-0.10272281585424414, -0.0012771841457559496, 0.04602650204376427),
        (-0.004311165384560455, 0.03097783205122707, 0.1247048320043002),
        (-3.6454964390067888, 3.7354964390067886, 0.8084282289006673),
    ]
    for c, numbers in zip(found, expected, strict=True):
        assert (c.low, c.high, c.p_holm) == pytest.approx(numbers, abs=1e-9)


def arms_of(*shifts: float, seeds: int = 5, noise: float = 0.01, seed: int = 1):
    rng = random.Random(seed)
    common = [rng.gauss(2, 0.5) for _ in range(seeds)]
    arms = {"base": dict(enumerate(common))}
    for i, shift in enumerate(shifts):
        arms[f"arm{i}"] = {k: value + shift + rng.gauss(0, noise) for k, value in enumerate(common)}
    return arms


def test_pairing_sees_what_the_spread_between_seeds_would_hide():
    (found,) = compare(arms_of(-0.1), "base")
    assert found.verdict == "better"
    assert found.difference == pytest.approx(-0.1, abs=0.02)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.difference < found.high < 0
    arms = arms_of(-0.1)
    unpaired: Any = scipy.stats.ttest_ind(list(arms["arm0"].values()), list(arms["base"].values()))
    assert unpaired.pvalue > 0.05


def test_paired_p_equals_scipy_and_holm_is_the_textbook_procedure():
    arms = arms_of(0.02, -0.01, 0.0, 0.03, noise=0.02, seeds=8)
    found = compare(arms, "base")
    raw = [scipy.stats.ttest_rel(list(arms[c.arm].values()), list(arms["base"].values())).pvalue for c in found]
    assert [c.p for c in found] == pytest.approx(raw)
    order = sorted(range(4), key=raw.__getitem__)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1, (4 - rank) * raw[i]))
        assert found[i].p_holm == pytest.approx(largest)


@pytest.mark.parametrize("seed", range(30))
def test_interval_excludes_zero_exactly_where_holm_rejects(seed):
    rng = random.Random(seed)
    arms = arms_of(*(rng.choice([0, 0.01, 0.03, -0.05]) for _ in range(5)), noise=0.02, seed=seed)
    for c in compare(arms, "base"):
        assert (c.low > 0 or c.high < 0) == (c.p_holm < 0.05)
        assert (c.verdict in ("better", "worse")) == (c.p_holm < 0.05)


def test_four_seeds_are_never_enough_for_a_verdict():
    (found,) = compare(arms_of(-1.0, seeds=4), "base")
    assert found.verdict == "not tested: 4 seeds, 5 are needed"


def test_fewer_than_three_values_are_shown_one_by_one():
    assert mean_interval([9.0, 25.0]).half_width is None
    assert mean_interval([9.0, 25.0]).cell() == {"value": 17.0, "text": "9.0000 · 25.00"}
    assert mean_interval([9.0, 10.0, 11.0]).cell()["text"] == "10.0000 ± 2.4841"
    (found,) = compare(arms_of(-1.0, seeds=2), "base")
    cells = found.cells(lambda low, high: f"{low} … {high}")
    assert (cells["interval"], cells["p"], cells["verdict"]) == (None, None, "not tested: 2 seeds, 5 are needed")
    assert "interval" not in found.in_words()


def test_only_seeds_that_both_finished_are_compared():
    arms = arms_of(-0.2, 0.1, seeds=7)
    del arms["arm0"][3], arms["base"][5]
    arms["arm1"] = {}
    found = compare(arms, "base")
    assert [(c.arm, c.seeds) for c in found] == [("arm0", 5)]


def test_equal_runs_are_not_distinguishable_and_a_constant_difference_is():
    base = dict.fromkeys(range(5), 1.0)
    same, lower = compare({"base": base, "same": dict(base), "lower": dict.fromkeys(range(5), 0.5)}, "base")
    assert same.verdict == "not distinguishable"
    assert lower.verdict == "better"
    assert lower.p is not None
    assert math.isclose(lower.p, 0)


def test_false_alarms_over_a_whole_study_stay_near_five_percent():
    alarms = 0
    for seed in range(400):
        rng = random.Random(seed)
        arms = {name: {k: rng.gauss(0, 1) for k in range(5)} for name in ("base", "a", "b", "c")}
        alarms += any(c.verdict in ("better", "worse") for c in compare(arms, "base"))
    assert alarms / 400 < 0.08
