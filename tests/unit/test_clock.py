"""The clock of a run, with seconds made by hand: one place knows what a run, its updates and its end take."""

import pytest

from hornbook.training.clock import RunClock


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def clock(now):
    return RunClock(lambda: now[0])


def test_preparation_is_no_part_of_the_run(clock, now):
    now[0] += 7
    clock.start()
    now[0] += 2
    assert clock.seconds == 2


def test_a_resumed_run_counts_on_from_what_it_has_taken(clock, now):
    clock.start(50.0, {"evaluation": 3.0})
    now[0] += 2
    assert (clock.seconds, clock.closing_seconds) == (52, 3)
    clock.start()
    now[0] += 1
    assert clock.seconds == 51, "starting anew keeps what earlier processes took, and drops the time in between"


def test_what_happens_aside_is_no_part_of_the_updates_time(clock, now):
    before = clock.training_seconds
    now[0] += 4
    with clock.aside("norms"):
        now[0] += 10
    assert clock.training_seconds - before == 4
    assert (clock.seconds, clock.overhead_seconds) == (14, 10)
    assert clock.closing == {}, "a run does not end with its norms"


def test_the_end_of_a_run_takes_what_its_parts_took_last(clock, now):
    for seconds in (5, 3):
        with clock.aside("evaluation"):
            now[0] += seconds
    with clock.aside("checkpoint"):
        now[0] += 1
    assert clock.closing == {"evaluation": 3, "checkpoint": 1}
    assert clock.closing_seconds == 4


def test_an_evaluation_that_was_interrupted_does_not_say_how_long_one_takes(clock, now):
    def interrupted():
        with clock.aside("evaluation"):
            now[0] += 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert clock.closing == {}
    assert clock.overhead_seconds == 1
