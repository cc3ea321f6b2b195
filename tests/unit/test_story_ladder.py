"""Which rung of the storyworld ladder a machine and a time get, and what is expected of it."""

import pytest

from hornbook.training.config import resolve
from hornbook.training.launch.story_ladder import (
    FEWEST_UPDATES,
    STORY_RUNGS,
    TOKENS_PER_PARAMETER,
    choose,
    expect,
    measured_runs,
    recipe,
)

RATES = {"laptop, AVX2": 4e10, "two Zen 5 cores, bfloat16": 1e11, "a GPU": 2e13, "very slow": 1e9}


def on(rate):
    return lambda rung: rung.flops_per_step / rate


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("minutes", [0.4, 4, 60, 480])
def test_a_choice_makes_a_thousand_updates_and_sees_enough_tokens(rate, minutes):
    choice = choose(60 * minutes, on(rate))
    assert choice.updates == max(1, int(60 * minutes * rate / choice.rung.flops_per_step))
    if choice.rung != STORY_RUNGS[0]:
        assert choice.updates >= FEWEST_UPDATES
        assert choice.tokens >= TOKENS_PER_PARAMETER * choice.rung.parameters
    config = resolve(recipe(choice, minutes))
    assert config.training.max_minutes == minutes
    assert config.model.num_heads * 32 == config.model.d_model
    assert config.data.corpus_level == ("easy" if minutes < 30 else "normal")


def test_more_time_and_faster_machines_get_larger_models():
    sizes = [choose(60 * minutes, on(4e10)).rung.parameters for minutes in (0.4, 4, 60, 480)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    assert choose(240, on(1e9)).rung == STORY_RUNGS[0]


def test_long_steps_are_not_tried_out():
    tried = []

    def time_of(rung):
        tried.append(rung)
        return rung.flops_per_step / 4e10

    choice = choose(8 * 3600, time_of)
    assert choice.rung not in tried
    assert sum(rung.flops_per_step / 4e10 for rung in tried) < 1.0


@pytest.mark.parametrize("seconds", [0.02, 0.3, 3.0])
def test_a_sample_is_written_every_minute_from_the_first(seconds):
    choice = choose(240, on(STORY_RUNGS[3].flops_per_step / seconds))
    section = recipe(choice, 4.0)["evaluation"]
    assert section["sample_every"] * choice.seconds_per_step == pytest.approx(60, rel=0.05)


def test_what_is_expected_lies_between_the_measured_runs():
    runs = measured_runs()
    assert all(run["source"] for run in runs)
    for run in runs:
        found = expect(run["tokens"])
        assert found.ratio == pytest.approx(run["ratio_to_floor"], rel=1e-6)
        assert found.valid_share == pytest.approx(run["valid_share"])
        assert not found.beyond
    ratios = [expect(tokens).ratio for tokens in (10**4, 7 * 10**5, 2 * 10**6, 5 * 10**6, 10**9)]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] == pytest.approx(runs[0]["ratio_to_floor"]), "no better and no worse than anything measured"
    assert expect(10**9).beyond
