"""Trials of this machine: what counts of the first call, with a clock made by hand, and when bfloat16 pays."""

import time

import pytest
import torch

from hornbook.training.launch import device as module


@pytest.mark.parametrize(
    ("seconds_of_calls", "found"),
    [
        ([0.9, 0.1, 0.3, 0.2], 0.2),  # the first call does not count; the median of the rest does
        ([2.5, 2.2, 1.3, 1.4], 1.4),  # three more are made though one takes longer than there was to be
        ([5.0, 4.0, 3.0], 4.0),  # unless they take ten times as long
        ([7.0, 5.0], 7.0),  # a call that takes very long is not made twice
    ],
)
def test_a_step_is_measured_after_its_first_call(monkeypatch, seconds_of_calls, found):
    clock, calls = [0.0], iter(seconds_of_calls)

    def step():
        clock[0] += next(calls, 0.5)

    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])
    assert module.measure_step(step, torch.device("cpu"), 0.6) == pytest.approx((seconds_of_calls[0], found))


def test_a_first_call_that_compiles_is_not_taken_for_a_step(monkeypatch):
    clock, calls = [0.0], iter([40.0, 0.2])

    def step():
        clock[0] += next(calls, 0.1)

    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])
    assert module.measure_step(step, torch.device("cpu"), 0.6, compiles=True) == pytest.approx((40.0, 0.1))


def test_the_first_product_does_not_count(monkeypatch):
    seconds = iter([5.0, 0.004, 0.004, 0.001, 0.004, 0.004])  # one after the first may be late, on a busy machine
    monkeypatch.setattr(module, "timed", lambda call, device, clock=None: next(seconds))
    assert module.matmul_rate(torch.device("cpu"), torch.float32, 8, 0.0) == pytest.approx(2 * 8**3 / 0.001)


def test_a_process_asks_once_for_each_number_of_threads():
    asked = []

    def trial(device):
        asked.append(device)
        return len(asked)

    assert [module.asked_once(trial, threads, "cpu") for threads in (1, 1, 2, 1)] == [1, 1, 2, 1]


@pytest.mark.parametrize(
    ("small", "large", "pays"),
    [((2.4, 1.0), (4.5, 1.0), True), ((0.9, 1.0), (2.0, 1.0), True), ((2.0, 1.0), (1.2, 1.0), False)],
    ids=["fast", "fast on a busy machine", "hardly faster"],
)
def test_bfloat16_pays_where_large_products_are_faster(monkeypatch, small, large, pays):
    rates = {192: dict(zip((torch.bfloat16, torch.float32), small, strict=True))}
    rates[768] = dict(zip((torch.bfloat16, torch.float32), large, strict=True))
    monkeypatch.setattr(module, "matmul_rate", lambda device, dtype, n, seconds, clock: rates[n][dtype])
    assert module.bfloat16_pays(torch.device("cpu")) is pays


def test_emulated_bfloat16_is_asked_for_a_small_product_only(monkeypatch):
    def rate(device, dtype, n, seconds, clock):
        assert n == 192
        assert clock is time.process_time  # what other programs take is no fault of the dtype's
        return 0.02 if dtype == torch.bfloat16 else 1.0

    monkeypatch.setattr(module, "matmul_rate", rate)
    assert not module.bfloat16_pays(torch.device("cpu"))
