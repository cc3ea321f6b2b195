"""The guard: what it calls a divergence, that it remembers only good losses, and that it never waits for the device."""

import math

import pytest
import torch

from hornbook.training.divergence import Guard
from hornbook.training.sections import GuardSection

VOCAB = 1000  # ln V = 6.9: the ceiling is at 69


def guard(**settings):
    return Guard(GuardSection(**settings), "cpu", VOCAB)


def feed(g, losses, norms=None, start=1):
    for i, loss in enumerate(losses):
        g.update(start + i, torch.tensor(loss), torch.tensor(1.0 if norms is None else norms[i]))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_a_divergence_from_the_first_step(bad):
    g = guard()
    feed(g, [bad])
    assert g.check().kind == "loss"
    assert g.check().step == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_a_divergence(bad):
    g = guard()
    feed(g, [3.0, 3.0, 3.0], [1.0, bad, 1.0])
    divergence = g.check()
    assert (divergence.kind, divergence.step, divergence.loss) == ("gradient", 2, 3.0)


def test_the_first_divergence_is_the_one_that_is_reported():
    g = guard()
    feed(g, [3.0, math.nan, math.inf, 3.0])
    assert g.check().step == 2


def test_a_spike_is_a_divergence_only_after_the_warm_up_and_only_if_it_is_large():
    noise = (torch.randn(200, generator=torch.Generator().manual_seed(0)) * 0.05 + 3).tolist()
    g = guard(warmup_steps=100)
    feed(g, [*noise[:50], 9.0])
    assert g.check() is None
    for loss, kind in ((3.9, None), (4.2, "spike")):  # 18 deviations but less than a nat; 24 and more than one
        g = guard(warmup_steps=100)
        feed(g, noise)
        feed(g, [loss], start=301)
        divergence = g.check()
        assert (divergence and divergence.kind) == kind
        assert divergence is None or divergence.step == 301
    off = guard(warmup_steps=100, spike=0)
    feed(off, [*noise, 50.0])
    assert off.check() is None


def test_a_steep_but_honest_fall_is_no_divergence():
    g = guard(warmup_steps=10)
    feed(g, [10 * 0.97**i + 1 for i in range(500)])
    assert g.check() is None


def test_a_loss_far_above_that_of_knowing_nothing_is_a_divergence_in_the_warm_up_too():
    for losses, step in (([7.0, 1e4], 2), ([7.0, 20.0, 50.0, 300.0, 9000.0], 4)):
        g = guard(warmup_steps=1000)
        feed(g, losses)
        divergence = g.check()
        assert (divergence.kind, divergence.step) == ("ceiling", step)
        assert f"rose to {losses[step - 1]:.4g}" in str(divergence)


def test_a_model_that_starts_high_may_come_down_but_not_go_up():
    # Six layers of 192 without norms and positions start at a loss of 142,000.
    g = guard(warmup_steps=1000)
    feed(g, [142e3, 90e3, 160e3, 700.0, 9.0, 800e3])
    assert g.check() is None
    feed(g, [1.5e6])
    assert g.check().kind == "ceiling"


def test_what_an_honest_warm_up_reaches_is_no_divergence():
    g = guard(warmup_steps=1000)
    feed(g, [7.0, 12.0, 19.3, 16.0, 11.0, 8.0])
    assert g.check() is None


def test_a_slow_rise_that_takes_its_mean_along_is_found_at_the_ceiling():
    rise = [3 * 1.05**i for i in range(200)]
    g = guard(warmup_steps=5)
    feed(g, rise)
    assert (g.check().kind, g.check().step) == ("ceiling", 66)  # 3 × 1.05^65 = 71.5
    off = guard(warmup_steps=5, spike=0)
    feed(off, rise)
    assert off.check() is None


def test_the_state_survives_json_exactly():
    import json

    g, h = guard(), guard()
    feed(g, [3.1, 2.9, 3.3])
    h.load(json.loads(json.dumps(g.state())))
    feed(g, [3.0])
    feed(h, [3.0])
    assert g.state() == h.state()


def test_off_sees_nothing():
    g = guard(action="off")
    feed(g, [math.nan])
    assert g.check() is None


def test_an_update_never_waits_for_the_device():
    # On the meta device any attempt to read a value raises.
    g = Guard(GuardSection(), "meta", VOCAB)
    for step in range(1, 4):
        g.update(step, torch.zeros((), device="meta"), torch.zeros((), device="meta"))
    with pytest.raises(RuntimeError):
        g.check()
