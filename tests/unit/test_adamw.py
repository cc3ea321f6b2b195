"""AdamW equals the handout's Algorithm 1, in all three ways of running it."""

import math

import numpy as np
import pytest
import torch

import hornbook as hb
from hornbook.errors import ConfigError

IMPLEMENTATIONS = ("loop", "foreach", "fused")
SETTINGS = {"lr": 3e-3, "betas": (0.9, 0.95), "eps": 1e-6, "weight_decay": 0.1}


def transcription(theta, gradients, lr, betas, eps, weight_decay):
    """Algorithm 1 of the handout in numpy float64, with nothing shared with the package."""
    theta = np.array(theta, dtype=np.float64)
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t, g in enumerate(gradients, start=1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        alpha_t = lr * math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
        theta = theta - alpha_t * m / (np.sqrt(v) + eps)
        theta = theta - lr * weight_decay * theta
    return theta


def run(implementation, start, gradients, dtype=torch.float32, **settings):
    parameters = [torch.nn.Parameter(torch.tensor(s, dtype=dtype)) for s in start]
    optimizer = hb.AdamW(parameters, **(SETTINGS | settings), implementation=implementation)
    for step in gradients:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = torch.tensor(gradient, dtype=dtype)
        optimizer.step()
    return [parameter.detach() for parameter in parameters], optimizer


def problem(seed=0, steps=50):
    rng = np.random.default_rng(seed)
    shapes = [(7, 33), (129,), (1,), (4, 3, 5)]
    start = [rng.standard_normal(shape) for shape in shapes]
    return start, [[rng.standard_normal(shape) * 10.0 ** rng.integers(-4, 2) for shape in shapes] for _ in range(steps)]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_float64_equals_the_transcribed_equations(implementation):
    start, gradients = problem()
    result, _ = run(implementation, start, gradients, torch.float64)
    for i, tensor in enumerate(result):
        wanted = transcription(start[i], [step[i] for step in gradients], **SETTINGS)
        np.testing.assert_allclose(tensor.numpy(), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_golden_values_of_two_steps_on_one_number(implementation):
    # By hand: θ = 1, g = 1 then 2, α = 0.1, β = (0.9, 0.99), ε = 0.5, λ = 0.2.
    # t = 1: m = 0.1, v = 0.01, α_t = 0.1·√0.01/0.1 = 0.1, θ = (1 − 0.1·0.1/0.6)·0.98 = 0.963666…
    # t = 2: m = 0.29, v = 0.0499, α_t = 0.1·√0.0199/0.19
    first = (1 - 0.1 * 0.1 / 0.6) * 0.98
    second = (first - 0.1 * math.sqrt(0.0199) / 0.19 * 0.29 / (math.sqrt(0.0499) + 0.5)) * 0.98
    settings = {"lr": 0.1, "betas": (0.9, 0.99), "eps": 0.5, "weight_decay": 0.2}
    result, _ = run(implementation, [[1.0]], [[[1.0]], [[2.0]]], torch.float64, **settings)
    assert first == pytest.approx(0.9636666666666667, rel=1e-15)
    assert result[0].item() == pytest.approx(second, rel=1e-14)
    assert second == pytest.approx(0.915223854812326, rel=1e-14)


def test_foreach_is_bit_identical_to_the_loop():
    start, gradients = problem(1)
    plain, _ = run("loop", start, gradients)
    fast, _ = run("foreach", start, gradients)
    assert all(torch.equal(a, b) for a, b in zip(plain, fast, strict=True))


def test_fused_equals_the_loop_to_a_few_units_in_the_last_place():
    start, gradients = problem(2)
    plain, _ = run("loop", start, gradients)
    fast, _ = run("fused", start, gradients)
    for a, b in zip(plain, fast, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_equals_torch_where_the_two_orders_agree(implementation):
    # With λ = 0 and ε = 0 both are Adam. (Else the orders differ by O(αλ) and O(ε).)
    start, gradients = problem(3)
    mine, _ = run(implementation, start, gradients, weight_decay=0.0, eps=0.0)
    theirs = [torch.nn.Parameter(torch.tensor(s, dtype=torch.float32)) for s in start]
    oracle = torch.optim.AdamW(theirs, lr=3e-3, betas=(0.9, 0.95), eps=0.0, weight_decay=0.0)
    for step in gradients:
        for parameter, gradient in zip(theirs, step, strict=True):
            parameter.grad = torch.tensor(gradient, dtype=torch.float32)
        oracle.step()
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b.detach(), rtol=2e-6, atol=2e-7)


def test_stays_near_torch_at_ordinary_settings():
    start, gradients = problem(4, steps=10)
    mine, _ = run("auto", start, gradients, lr=1e-3, eps=1e-8, weight_decay=0.01)
    theirs = [torch.nn.Parameter(torch.tensor(s, dtype=torch.float32)) for s in start]
    oracle = torch.optim.AdamW(theirs, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.01)
    for step in gradients:
        for parameter, gradient in zip(theirs, step, strict=True):
            parameter.grad = torch.tensor(gradient, dtype=torch.float32)
        oracle.step()
    # The weights move by about 1e-2; the two places of ε differ most where a gradient is near it.
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b.detach(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_the_state_loads_into_a_new_optimizer_and_continues_bit_identically(implementation):
    start, gradients = problem(5, steps=8)
    whole, _ = run(implementation, start, gradients)
    half, optimizer = run(implementation, start, gradients[:4])
    parameters = [torch.nn.Parameter(tensor.clone()) for tensor in half]
    resumed = hb.AdamW(parameters, implementation=implementation)
    resumed.load_state_dict(optimizer.state_dict())
    assert resumed.param_groups[0]["weight_decay"] == SETTINGS["weight_decay"]
    for step in gradients[4:]:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = torch.tensor(gradient, dtype=torch.float32)
        resumed.step()
    assert all(torch.equal(a, b.detach()) for a, b in zip(whole, parameters, strict=True))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_decay_shrinks_a_weight_without_gradient_signal_by_exactly_lr_times_lambda(implementation):
    result, _ = run(implementation, [[2.0]], [[[0.0]]], torch.float64, lr=1e-5, weight_decay=0.1)
    assert result[0].item() == pytest.approx(2.0 * (1 - 1e-6), rel=1e-15)


def test_a_tensor_that_is_not_contiguous_is_updated_like_any_other():
    base = torch.arange(12.0).reshape(3, 4)
    gradient = torch.ones(4, 3)
    strided = torch.nn.Parameter(base.t())
    plain = torch.nn.Parameter(base.t().contiguous())
    strided.grad, plain.grad = gradient.clone(), gradient.clone()
    hb.AdamW([strided], lr=0.1).step()
    hb.AdamW([plain], lr=0.1, implementation="loop").step()
    torch.testing.assert_close(strided.detach(), plain.detach(), rtol=1e-6, atol=1e-7)


def test_parameters_without_gradient_are_left_alone_and_counted_apart():
    a, b = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(3))
    optimizer = hb.AdamW([a, b], lr=0.1)
    a.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(b, torch.ones(3))
    b.grad = torch.ones(3)
    optimizer.step()
    assert int(optimizer.state[a]["step"]) == 2
    assert int(optimizer.state[b]["step"]) == 1


def test_closure_is_called_with_gradients_on_and_its_loss_returned():
    p = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = hb.AdamW([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 9.0
    assert p.item() < 3.0


@pytest.mark.parametrize(
    "bad",
    [
        {"lr": -1.0},
        {"lr": math.nan},
        {"betas": (1.0, 0.9)},
        {"eps": -1e-8},
        {"weight_decay": -0.1},
        {"implementation": "x"},
    ],
)
def test_a_bad_setting_is_named(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        hb.AdamW([torch.nn.Parameter(torch.ones(1))], **bad)
