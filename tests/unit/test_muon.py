"""Muon: the orthogonalisation, the reference's update, the split of parameters, the state."""

import pytest
import torch

from hornbook.errors import ConfigError
from hornbook.optim.adamw import AdamW
from hornbook.optim.groups import parameter_groups
from hornbook.optim.muon import Muon, orthogonalize


def reference_update(gradient, momentum, beta=0.95, steps=5):
    """Keller Jordan's published muon_update, with float32 in place of bfloat16."""
    momentum.lerp_(gradient, 1 - beta)
    x = gradient.lerp(momentum, beta)
    a, b, c = (3.4445, -4.7750, 2.0315)
    if gradient.size(-2) > gradient.size(-1):
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    if gradient.size(-2) > gradient.size(-1):
        x = x.mT
    return x * max(1, gradient.size(-2) / gradient.size(-1)) ** 0.5


@pytest.mark.parametrize("shape", [(16, 16), (64, 24), (24, 64)])
def test_singular_values_are_brought_near_one_and_the_directions_kept(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    result = orthogonalize(matrix)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.6
    assert values.max() < 1.3
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    inner = u.mT @ result @ vh.mT  # diagonal if U and V are kept
    torch.testing.assert_close(inner, torch.diag(torch.diagonal(inner)), rtol=0, atol=1e-10)


@pytest.mark.parametrize("shape", [(12, 12), (40, 16), (16, 40)])
def test_equals_the_reference_over_several_steps(shape):
    generator = torch.Generator().manual_seed(1)
    weight = torch.nn.Parameter(torch.randn(shape, generator=generator))
    expected, momentum = weight.detach().clone(), torch.zeros(shape)
    optimizer = Muon([weight], lr=0.02, weight_decay=0.1)
    for _ in range(5):
        gradient = torch.randn(shape, generator=generator)
        weight.grad = gradient.clone()
        optimizer.step()
        expected.mul_(1 - 0.02 * 0.1).add_(reference_update(gradient, momentum), alpha=-0.02)
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-5, atol=1e-6)


def test_the_rest_is_trained_by_our_adamw():
    gain = torch.nn.Parameter(torch.ones(8))
    expected = torch.nn.Parameter(torch.ones(8))
    muon = Muon([{"params": [gain], "use_muon": False, "lr": 0.1}], adamw_eps=1e-8)
    adamw = AdamW([expected], lr=0.1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
    for step in range(3):
        gain.grad = torch.full((8,), 1.0 + step)
        expected.grad = gain.grad.clone()
        muon.step()
        adamw.step()
    assert torch.equal(gain, expected)


def test_bare_parameters_split_by_shape():
    optimizer = Muon([torch.nn.Parameter(torch.ones(4, 4)), torch.nn.Parameter(torch.ones(4))])
    assert [group["use_muon"] for group in optimizer.param_groups] == [True, False]


def test_parameter_groups_by_the_models_names():
    names = {
        "token_embeddings.weight": (10, 4),
        "layers.0.ln1.weight": (4,),
        "layers.0.attn.q_proj.weight": (4, 4),
        "ln_final.weight": (4,),
        "lm_head.weight": (10, 4),
    }
    named = [(name, torch.nn.Parameter(torch.ones(shape))) for name, shape in names.items()]
    by_identity = {id(tensor): name for name, tensor in named}

    def view(groups):
        return [([by_identity[id(p)] for p in g["params"]], g.get("use_muon"), g.get("weight_decay")) for g in groups]

    assert len(parameter_groups(named)) == 1
    assert view(parameter_groups(named, muon=True)) == [
        (["token_embeddings.weight", "layers.0.ln1.weight", "ln_final.weight", "lm_head.weight"], False, None),
        (["layers.0.attn.q_proj.weight"], True, None),
    ]
    assert view(parameter_groups(named, decay_norms_and_embeddings=False)) == [
        (["token_embeddings.weight", "layers.0.ln1.weight", "ln_final.weight"], None, 0.0),
        (["layers.0.attn.q_proj.weight", "lm_head.weight"], None, None),
    ]


def test_momentum_warm_up_reaches_its_target_and_stays():
    optimizer = Muon([torch.nn.Parameter(torch.ones(2, 2))], momentum_warmup_steps=300)
    assert optimizer._momentum(0.95, 150) == pytest.approx(0.90)
    assert optimizer._momentum(0.95, 300) == pytest.approx(0.95)
    assert optimizer._momentum(0.95, 9999) == pytest.approx(0.95)


def test_normuon_gives_rows_of_equal_size_and_keeps_the_norm_of_the_step():
    generator = torch.Generator().manual_seed(0)
    gradient = torch.randn(16, 32, generator=generator) * torch.logspace(-3, 3, 16)[:, None]
    steps = {}
    for normuon in (False, True):
        weight = torch.nn.Parameter(torch.zeros(16, 32))
        optimizer = Muon([weight], normuon=normuon)
        weight.grad = gradient.clone()
        optimizer.step()
        steps[normuon] = weight.detach()
    torch.testing.assert_close(steps[True].norm(), steps[False].norm())
    rows = steps[True].norm(dim=1)
    torch.testing.assert_close(rows, rows.mean().expand(16), rtol=1e-4, atol=0)


def test_cautious_decay_leaves_weights_alone_that_the_step_grows():
    gradient = torch.randn(8, 8, generator=torch.Generator().manual_seed(0))
    results = {}
    for decay, cautious in ((0.0, False), (0.5, False), (0.5, True)):
        weight = torch.nn.Parameter(torch.ones(8, 8))
        weight.grad = gradient.clone()
        Muon([weight], weight_decay=decay, cautious=cautious).step()
        results[decay, cautious] = weight.detach()
    free, plain, cautious = results[0.0, False], results[0.5, False], results[0.5, True]
    shrinking = free < 1.0
    torch.testing.assert_close(cautious[shrinking], plain[shrinking])
    torch.testing.assert_close(cautious[~shrinking], free[~shrinking])


def test_the_state_continues_bit_identically():
    generator = torch.Generator().manual_seed(3)
    gradients = [torch.randn(6, 4, generator=generator) for _ in range(6)]

    def advance(weight, optimizer, some):
        for gradient in some:
            weight.grad = gradient.clone()
            optimizer.step()

    whole = torch.nn.Parameter(torch.ones(6, 4))
    advance(whole, Muon([whole], normuon=True, momentum_warmup_steps=4), gradients)
    half = torch.nn.Parameter(torch.ones(6, 4))
    first = Muon([half], normuon=True, momentum_warmup_steps=4)
    advance(half, first, gradients[:3])
    resumed = torch.nn.Parameter(half.detach().clone())
    second = Muon([resumed], normuon=True, momentum_warmup_steps=4)
    second.load_state_dict(first.state_dict())
    advance(resumed, second, gradients[3:])
    assert torch.equal(whole, resumed)


def test_bad_input_is_named():
    with pytest.raises(ConfigError, match="matrices"):
        Muon([{"params": [torch.nn.Parameter(torch.ones(3))], "use_muon": True}])
    with pytest.raises(ConfigError, match="momentum"):
        Muon([torch.nn.Parameter(torch.ones(2, 2))], momentum=1.0)
    with pytest.raises(ConfigError, match="ns_steps"):
        Muon([torch.nn.Parameter(torch.ones(2, 2))], ns_steps=0)
