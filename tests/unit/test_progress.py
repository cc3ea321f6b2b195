"""The time budget with a fake clock: it ends on time with the learning rate fully decayed, whatever the machine
does."""

import itertools
import random

import pytest

from hornbook.training.config import resolve
from hornbook.training.progress import Budget, learning_rate_at, slow_warm_up

MODEL = {"context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 1}


def recipe(minutes=None, name="cosine", **training):
    return resolve(
        {
            "model": MODEL,
            "optimizer": {"lr": 1.0},
            "schedule": {"name": name, "warmup_steps": 20, "min_lr": 0.0},
            "training": {"steps": 100, "max_minutes": minutes, **training},
        }
    )


def run(config, speed, closing=3.0, resume_at=None, start=0.0):
    """Pretend to train: `speed(elapsed)` is the seconds that a step takes. Return the end and the rates."""
    budget, elapsed, step, rates = Budget(config), start, 0, []
    while not budget.finished(step):
        it, total = budget.schedule_position(step + 1, elapsed, closing)
        rates.append(learning_rate_at(config, 1.0, it, total))
        seconds = speed(elapsed)
        elapsed += seconds
        budget.measure_step(seconds)
        step += 1
        if step == resume_at:
            fresh = Budget(config)
            fresh.load(budget.state())
            budget = fresh
    return elapsed + closing, rates


@pytest.mark.parametrize("minutes", [5, 20])
@pytest.mark.parametrize("name", ["cosine", "linear", "wsd"])
@pytest.mark.parametrize("resume_at", [None, 3, 200])
def test_the_budget_is_met_within_two_percent_and_the_rate_is_fully_decayed(minutes, name, resume_at):
    chance = random.Random(minutes)
    speeds = {
        "steady": lambda t: 0.7,
        "noisy": lambda t: 0.7 * chance.uniform(0.5, 1.5),
        "slower by 30 % half-way": lambda t: 0.7 if t < 30 * minutes else 0.91,
        "one long pause": lambda t: 20.0 if 100 < t < 100.9 else 0.7,
    }
    for what, speed in speeds.items():
        end, rates = run(recipe(minutes, name), speed, resume_at=resume_at)
        assert end == pytest.approx(60 * minutes, rel=0.02), what
        assert rates[-1] == pytest.approx(0.0, abs=1e-9), what
        assert max(rates) == pytest.approx(1.0, abs=0.02), what
        falling = rates[rates.index(max(rates)) :]
        assert all(a >= b for a, b in itertools.pairwise(falling)), what


def test_the_warm_up_is_counted_in_steps():
    _, rates = run(recipe(5), lambda t: 0.5)
    assert rates[:4] == pytest.approx([1 / 20, 2 / 20, 3 / 20, 4 / 20])
    assert rates[19] == pytest.approx(1.0)


def test_a_warm_up_ends_after_a_tenth_of_the_time():
    _, rates = run(recipe(0.5), lambda t: 0.5)  # 20 steps of warm-up, some 54 in all
    peak = rates.index(max(rates))
    assert 4 <= peak + 1 <= 6
    assert max(rates) == pytest.approx(1.0, abs=0.03)
    assert all(a < b for a, b in itertools.pairwise(rates[: peak + 1]))


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (200, None),
        (100, "warm-up: 20 of 100 steps; a tenth would be --schedule.warmup-steps 10"),
        (15, "warm-up: 20 of 15 steps, so that the learning rate never reaches its peak; a tenth would be "
         "--schedule.warmup-steps 1"),
    ],
)  # fmt: skip
def test_a_run_that_is_mostly_warm_up_is_told(steps, said):
    assert slow_warm_up(recipe(steps=steps)) == said
    assert slow_warm_up(recipe(5, steps=steps)) is None


def test_a_budget_shorter_than_a_step_still_makes_one_and_ends():
    _, rates = run(recipe(0.01), lambda t: 5.0)
    assert 1 <= len(rates) <= 2


def test_by_steps_the_schedule_is_the_handouts():
    config = recipe()
    budget = Budget(config)
    from hornbook.optim.schedule import lr_cosine_schedule

    for step in (1, 20, 60, 100):
        assert learning_rate_at(config, 1.0, *budget.schedule_position(step, 0.0, 0.0)) == lr_cosine_schedule(
            step, 1.0, 0.0, 20, 100
        )
    assert budget.finished(100)
    assert not budget.finished(99)


def test_each_group_has_its_own_peak_and_the_same_shape():
    config = resolve({"model": MODEL, "optimizer": {"lr": 1e-3}, "schedule": {"warmup_steps": 0, "min_lr": 1e-4}})
    assert learning_rate_at(config, 0.02, 5000, 5000) == pytest.approx(0.002)
    assert learning_rate_at(config, 1e-3, 5000, 5000) == pytest.approx(1e-4)


def test_a_warm_up_longer_than_the_run_is_cut_to_it():
    config = resolve({"model": MODEL, "schedule": {"warmup_steps": 100}, "training": {"steps": 10}})
    budget = Budget(config)
    assert learning_rate_at(config, 1.0, *budget.schedule_position(10, 0.0, 0.0)) <= 1.0
