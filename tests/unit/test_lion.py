"""Lion equals Algorithm 2 of its paper, in both ways of running it."""

import dataclasses

import numpy as np
import pytest
import torch

from hornbook.errors import ConfigError
from hornbook.optim.lion import Lion
from hornbook.optim.registry import OPTIMIZERS
from hornbook.training.config import resolve

IMPLEMENTATIONS = ("loop", "foreach")
SETTINGS = {"lr": 3e-3, "betas": (0.9, 0.98), "weight_decay": 0.7}
SHAPES = [(7, 33), (129,), (1,), (4, 3, 5)]


def reference(theta, gradients, lr, betas, weight_decay):
    """Algorithm 2 of Chen et al. 2023 in numpy float64, with nothing shared with the package."""
    theta = np.array(theta, dtype=np.float64)
    m = np.zeros_like(theta)
    for g in gradients:
        c = betas[0] * m + (1 - betas[0]) * g
        theta = theta - lr * (np.sign(c) + weight_decay * theta)
        m = betas[1] * m + (1 - betas[1]) * g
    return theta, m


def problem(seed=0, steps=50):
    rng = np.random.default_rng(seed)
    start = [rng.standard_normal(shape) for shape in SHAPES]
    return start, [[rng.standard_normal(shape) * 10.0 ** rng.integers(-4, 2) for shape in SHAPES] for _ in range(steps)]


def run(implementation, start, gradients, dtype=torch.float64, **settings):
    parameters = [torch.nn.Parameter(torch.tensor(s, dtype=dtype)) for s in start]
    optimizer = Lion(parameters, **(SETTINGS | settings), implementation=implementation)
    for step in gradients:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = torch.tensor(gradient, dtype=dtype)
        optimizer.step()
    return [parameter.detach() for parameter in parameters], optimizer


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_float64_equals_the_papers_equations(implementation):
    start, gradients = problem()
    result, optimizer = run(implementation, start, gradients)
    for i, tensor in enumerate(result):
        wanted, momentum = reference(start[i], [step[i] for step in gradients], **SETTINGS)
        np.testing.assert_allclose(tensor.numpy(), wanted, rtol=1e-13, atol=1e-15)
        kept = optimizer.state[optimizer.param_groups[0]["params"][i]]
        assert list(kept) == ["exp_avg"]  # one number per weight
        np.testing.assert_allclose(kept["exp_avg"].numpy(), momentum, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_golden_values_of_two_steps_on_one_number(implementation):
    # By hand: θ = 1, α = 0.1, β = (0.5, 0.75), λ = 0.5. g = 2: c = 1, θ = 1 − 0.1·(1 + 0.5) = 0.85, m = 0.5.
    # g = −0.4: c = 0.25 − 0.2 > 0, so the step still goes down against the gradient: θ = 0.85 − 0.1·(1 + 0.425).
    result, _ = run(implementation, [[1.0]], [[[2.0]], [[-0.4]]], lr=0.1, betas=(0.5, 0.75), weight_decay=0.5)
    assert result[0].item() == pytest.approx(0.7075, abs=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lists_of_tensors_give_the_bits_of_the_loop(dtype):
    start, gradients = problem(seed=1)
    one, _ = run("loop", start, gradients, dtype)
    other, _ = run("foreach", start, gradients, dtype)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_step_does_not_depend_on_the_gradients_size():
    start, gradients = problem(seed=2, steps=1)
    small, _ = run("foreach", start, [[1e-6 * g for g in gradients[0]]])
    large, _ = run("foreach", start, [[1e6 * g for g in gradients[0]]])
    assert all(torch.equal(a, b) for a, b in zip(small, large, strict=True))


def test_parameters_without_a_gradient_stay_and_a_closure_is_called():
    still, moved = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(3))
    optimizer = Lion([still, moved], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (moved * torch.tensor([1.0, 0.0, -2.0])).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == -1.0
    assert still.tolist() == [1, 1, 1]
    assert moved.tolist() == [0.5, 1, 1.5]  # a gradient of 0 has no sign


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"lr": -1.0}, "lr"), ({"betas": (0.9, 1.0)}, "betas"), ({"weight_decay": -1}, "weight_decay"),
     ({"implementation": "fused"}, "foreach or loop")],
)  # fmt: skip
def test_bad_settings_are_named(settings, said):
    with pytest.raises(ConfigError, match=said):
        Lion([torch.nn.Parameter(torch.ones(1))], **settings)


def test_a_recipe_names_it_and_has_its_own_defaults():
    shape = {"context_length": 8, "d_model": 16, "num_layers": 2, "num_heads": 2}
    section = resolve({"model": shape, "optimizer": {"name": "lion", "weight_decay": 0.25}}).optimizer
    assert (section.lr, section.betas, section.weight_decay) == (1e-4, (0.9, 0.99), 0.25)
    adamw = resolve({"model": shape}).optimizer
    defaults = OPTIMIZERS["lion"].defaults
    assert 3 <= adamw.lr / defaults["lr"] <= 10  # as the paper has it: smaller steps, more decay, their product kept
    assert adamw.lr * adamw.weight_decay == pytest.approx(defaults["lr"] * defaults["weight_decay"])
    assert dataclasses.asdict(section)["eps"] == adamw.eps  # a key that Lion does not take stays as it is
