"""SGD follows Eq. 20 of the handout."""

import pytest
import torch

import hornbook as hb
from hornbook.errors import ConfigError


def test_steps_shrink_as_one_over_the_root_of_t_plus_one():
    p = torch.nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
    optimizer = hb.SGD([p], lr=1.0)
    seen = []
    for _ in range(4):
        before = p.item()
        p.grad = torch.ones_like(p)
        optimizer.step()
        seen.append(before - p.item())
    assert seen == pytest.approx([1.0, 2**-0.5, 3**-0.5, 0.5], rel=1e-14)


def test_without_decay_every_step_is_the_same():
    p = torch.nn.Parameter(torch.tensor([0.0]))
    optimizer = hb.SGD([p], lr=0.25, decay="none")
    for _ in range(4):
        p.grad = torch.ones_like(p)
        optimizer.step()
    assert p.item() == -1.0


@pytest.mark.parametrize(("lr", "falls"), [(1.0, True), (10.0, True), (100.0, True), (1000.0, False)])
def test_the_handouts_toy_problem(lr, falls):
    torch.manual_seed(0)
    weights = torch.nn.Parameter(5 * torch.randn(10, 10))
    optimizer = hb.SGD([weights], lr=lr)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = (weights**2).mean()
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    assert (losses[-1] < losses[0]) == falls


def test_the_count_of_steps_survives_the_state_dict():
    p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    first = hb.SGD([p], lr=1.0)
    p.grad = torch.ones_like(p)
    first.step()
    second = hb.SGD([p], lr=9.0)
    second.load_state_dict(first.state_dict())
    second.step()
    assert p.item() == pytest.approx(-1 - 2**-0.5, rel=1e-14)


def test_a_bad_setting_is_named():
    with pytest.raises(ConfigError, match="lr"):
        hb.SGD([torch.nn.Parameter(torch.ones(1))], lr=-1)
    with pytest.raises(ConfigError, match="decay"):
        hb.SGD([torch.nn.Parameter(torch.ones(1))], decay="cosine")
