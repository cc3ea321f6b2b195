"""Clipping scales the gradients to the asked norm and otherwise leaves them alone."""

import math

import pytest
import torch

import hornbook as hb
from hornbook.errors import ConfigError


def parameters(*gradients, dtype=torch.float32):
    result = []
    for gradient in gradients:
        parameter = torch.nn.Parameter(torch.zeros(len(gradient), dtype=dtype))
        parameter.grad = torch.tensor(gradient, dtype=dtype)
        result.append(parameter)
    return result


@pytest.mark.parametrize("limit", [1.0, 4.9])
def test_three_four_five(limit):
    members = parameters([3.0], [4.0])
    norm = hb.clip_gradients(members, limit)
    assert norm.item() == 5.0
    assert norm.shape == ()
    assert norm.dtype == torch.float32
    assert members[0].grad.item() == pytest.approx(limit * 3.0 / 5.000001, rel=1e-6)
    assert members[1].grad.item() == pytest.approx(limit * 4.0 / 5.000001, rel=1e-6)


@pytest.mark.parametrize("limit", [5.0, 7.0, math.inf])
def test_gradients_within_the_limit_keep_their_bits(limit):
    members = parameters([3.0], [4.0])
    assert hb.clip_gradients(iter(members), limit).item() == 5.0
    assert [p.grad.item() for p in members] == [3.0, 4.0]


def test_equals_torch_utils_to_float32_rounding():
    generator = torch.Generator().manual_seed(0)
    mine = [torch.nn.Parameter(torch.zeros(5, 7)) for _ in range(4)]
    theirs = [torch.nn.Parameter(torch.zeros(5, 7)) for _ in range(4)]
    for a, b in zip(mine, theirs, strict=True):
        a.grad = torch.randn(5, 7, generator=generator)
        b.grad = a.grad.clone()
    wanted = torch.nn.utils.clip_grad_norm_(theirs, 0.5)
    torch.testing.assert_close(hb.clip_gradients(mine, 0.5), wanted)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_half_precision_gradients_do_not_overflow():
    members = parameters([60000.0] * 4, dtype=torch.float16)
    assert hb.clip_gradients(members, math.inf).item() == pytest.approx(120000, rel=1e-3)


def test_mixed_types_share_one_norm():
    members = parameters([3.0]) + parameters([4.0], dtype=torch.float64)
    assert hb.clip_gradients(members, 1.0).item() == 5.0
    assert members[1].grad.dtype == torch.float64
    assert members[1].grad.item() == pytest.approx(0.8, rel=1e-6)


def test_no_gradients_give_zero():
    assert hb.clip_gradients([torch.nn.Parameter(torch.ones(2))], 1.0).item() == 0.0


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_poisoned_gradient_shows_in_the_norm(poison):
    assert not math.isfinite(hb.clip_gradients(parameters([1.0], [poison]), 1.0).item())


@pytest.mark.parametrize("bad", [-1.0, math.nan])
def test_a_bad_limit_is_named(bad):
    with pytest.raises(ConfigError, match="max_l2_norm"):
        hb.clip_gradients([], bad)
