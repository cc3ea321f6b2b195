"""The guard: what it calls trouble, that it remembers only good losses, and that it never waits for the device."""

import math

import pytest
import torch

from hornbook.training.config import GuardSection
from hornbook.training.guard import Guard


def guard(**settings):
    return Guard(GuardSection(**settings), "cpu")


def feed(g, losses, norms=None, start=1):
    for i, loss in enumerate(losses):
        g.update(start + i, torch.tensor(loss), torch.tensor(1.0 if norms is None else norms[i]))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_trouble_from_the_first_step(bad):
    g = guard()
    feed(g, [bad])
    assert g.look().kind == "loss"
    assert g.look().step == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_trouble(bad):
    g = guard()
    feed(g, [3.0, 3.0, 3.0], [1.0, bad, 1.0])
    trouble = g.look()
    assert (trouble.kind, trouble.step, trouble.loss) == ("gradient", 2, 3.0)


def test_the_first_trouble_is_the_one_that_is_told():
    g = guard()
    feed(g, [3.0, math.nan, math.inf, 3.0])
    assert g.look().step == 2


def test_a_spike_is_trouble_only_after_the_warm_up_and_only_if_it_is_large():
    noise = (torch.randn(200, generator=torch.Generator().manual_seed(0)) * 0.05 + 3).tolist()
    g = guard(warmup_steps=100)
    feed(g, [*noise[:50], 9.0])
    assert g.look() is None
    for loss, kind in ((3.9, None), (4.2, "spike")):  # 18 deviations but less than a nat; 24 and more than one
        g = guard(warmup_steps=100)
        feed(g, noise)
        feed(g, [loss], start=301)
        trouble = g.look()
        assert (trouble and trouble.kind) == kind
        assert trouble is None or trouble.step == 301
    off = guard(warmup_steps=100, spike=0)
    feed(off, [*noise, 50.0])
    assert off.look() is None


def test_a_steep_but_honest_fall_is_no_trouble():
    g = guard(warmup_steps=10)
    feed(g, [10 * 0.97**i + 1 for i in range(500)])
    assert g.look() is None


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
    assert g.look() is None


def test_an_update_never_waits_for_the_device():
    # On the meta device any attempt to read a value raises.
    g = Guard(GuardSection(), "meta")
    for step in range(1, 4):
        g.update(step, torch.zeros((), device="meta"), torch.zeros((), device="meta"))
    with pytest.raises(RuntimeError):
        g.look()
