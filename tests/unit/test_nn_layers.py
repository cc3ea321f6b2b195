"""Each part of the model against PyTorch's own, in float64."""

import math
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

import hornbook as hb
from hornbook.errors import ConfigError, DataError
from hornbook.nn.dropout import Dropout
from hornbook.nn.feed_forward import ReLU2FeedForward
from hornbook.nn.norm import LayerNorm

f64 = torch.float64


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("lead", [(), (3,), (2, 3, 4)])
def test_linear_equals_torch_for_any_leading_dimensions(lead):
    layer = hb.Linear(6, 5, dtype=f64)
    x = torch.randn(*lead, 6, dtype=f64)
    torch.testing.assert_close(layer(x), F.linear(x, layer.weight))


def test_embedding_equals_torch():
    layer = hb.Embedding(11, 4, dtype=f64)
    ids = torch.randint(0, 11, (2, 3, 5))
    torch.testing.assert_close(layer(ids), F.embedding(ids, layer.weight))


@pytest.mark.parametrize("lead", [(), (3,), (2, 3, 4)])
def test_rmsnorm_equals_torch(lead):
    layer = hb.RMSNorm(16, eps=1e-3, dtype=f64)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(16))
    x = torch.randn(*lead, 16, dtype=f64) * 3
    torch.testing.assert_close(layer(x), F.rms_norm(x, (16,), layer.weight, 1e-3))


@pytest.mark.parametrize("lead", [(), (3,), (2, 3, 4)])
def test_layernorm_equals_torch_forward_and_gradient(lead):
    ours, theirs = LayerNorm(16, eps=1e-3, dtype=f64), torch.nn.LayerNorm(16, eps=1e-3, bias=False, dtype=f64)
    with torch.no_grad():
        ours.weight.copy_(torch.randn(16))
        theirs.weight.copy_(ours.weight)
    x = (torch.randn(*lead, 16, dtype=f64) * 3 + 5).requires_grad_()
    direction = torch.randn_like(x)
    for use_fused in (False, True):
        ours.ops.fused = use_fused
        torch.testing.assert_close(ours(x), theirs(x))
        got = torch.autograd.grad((ours(x) * direction).sum(), [x, ours.weight])
        want = torch.autograd.grad((theirs(x) * direction).sum(), [x, theirs.weight])
        torch.testing.assert_close(got, want)


def test_layernorm_of_bfloat16_is_computed_in_float32():
    layer = LayerNorm(256)
    x = (torch.randn(4, 256) + 1e3).bfloat16()
    assert layer(x).dtype == torch.bfloat16
    torch.testing.assert_close(layer(x), layer(x.float()).bfloat16(), rtol=0, atol=0)


def test_rmsnorm_of_bfloat16_is_computed_in_float32():
    layer = hb.RMSNorm(256)
    x = (torch.randn(4, 256) * 1e3).bfloat16()
    assert layer(x).dtype == torch.bfloat16
    torch.testing.assert_close(layer(x), layer(x.float()).bfloat16(), rtol=0, atol=0)


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_equals_torch_and_does_not_overflow(dim, scale):
    x = torch.randn(3, 4, 5, dtype=f64) * scale
    torch.testing.assert_close(hb.softmax(x, dim), torch.softmax(x, dim))


def test_softmax_gradient_equals_torch():
    x = torch.randn(3, 4, dtype=f64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: hb.softmax(t, -1), x)


def test_silu_equals_torch():
    x = torch.randn(100, dtype=f64) * 20
    torch.testing.assert_close(hb.silu(x), F.silu(x))


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("lead", [(7,), (2, 3), (2, 3, 2)])
def test_cross_entropy_equals_torch_for_any_leading_dimensions(lead, scale):
    logits = (torch.randn(*lead, 11, dtype=f64) * scale).requires_grad_()
    targets = torch.randint(0, 11, lead)
    ours = hb.cross_entropy(logits, targets)
    theirs = F.cross_entropy(logits.reshape(-1, 11), targets.reshape(-1))
    torch.testing.assert_close(ours, theirs)
    (ours_grad,) = torch.autograd.grad(ours, logits)
    (theirs_grad,) = torch.autograd.grad(theirs, logits)
    torch.testing.assert_close(ours_grad, theirs_grad)


def test_cross_entropy_of_bfloat16_is_computed_in_float32():
    logits, targets = torch.randn(64, 100).bfloat16(), torch.randint(0, 100, (64,))
    loss = hb.cross_entropy(logits, targets)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, F.cross_entropy(logits.float(), targets))


def test_cross_entropy_says_what_is_wrong():
    logits = torch.zeros(2, 5)
    with pytest.raises(DataError, match="a target is 5, but the model's vocabulary has the ids 0 to 4"):
        hb.cross_entropy(logits, torch.tensor([0, 5]))
    with pytest.raises(DataError, match="a target is -1"):
        hb.cross_entropy(logits, torch.tensor([-1, 0]))
    with pytest.raises(DataError, match="no targets"):
        hb.cross_entropy(torch.zeros(0, 5), torch.zeros(0, dtype=torch.long))
    with pytest.raises(ValueError, match="need targets"):
        hb.cross_entropy(logits, torch.tensor([0]))


def test_feed_forward_networks_equal_their_formulas():
    x = torch.randn(2, 3, 8, dtype=f64)
    for layer, formula in [
        (hb.SwiGLU(8, 12, dtype=f64), lambda f: (F.silu(x @ f.w1.weight.T) * (x @ f.w3.weight.T)) @ f.w2.weight.T),
        (hb.SiLUFeedForward(8, 12, dtype=f64), lambda f: F.silu(x @ f.w1.weight.T) @ f.w2.weight.T),
        (ReLU2FeedForward(8, 12, dtype=f64), lambda f: F.relu(x @ f.w1.weight.T) ** 2 @ f.w2.weight.T),
    ]:
        torch.testing.assert_close(layer(x), formula(layer))


def test_default_widths_match_in_parameters():
    assert hb.SwiGLU(512).w1.weight.shape == (1344, 512)
    assert hb.SiLUFeedForward(512).w1.weight.shape == (2048, 512)


def _rope_by_complex_numbers(x, positions, theta):
    """Su et al. 2021, Eq. 16, as a product of complex numbers."""
    d = x.shape[-1]
    angle = positions[..., None] * theta ** (-torch.arange(0, d, 2, dtype=f64) / d)
    z = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(z * torch.polar(torch.ones_like(angle), angle)).flatten(-2)


def test_rope_turns_interleaved_pairs():
    rope = hb.RotaryPositionalEmbedding(10000.0, 8, 32)
    x = torch.randn(2, 3, 20, 8, dtype=f64)
    expected = _rope_by_complex_numbers(x, torch.arange(20), 10000.0)
    torch.testing.assert_close(rope(x), expected, rtol=1e-6, atol=1e-6)
    positions = torch.randint(0, 32, (2, 1, 20))
    expected = _rope_by_complex_numbers(x, positions.expand(2, 3, 20), 10000.0)
    torch.testing.assert_close(rope(x, positions), expected, rtol=1e-6, atol=1e-6)


def test_rope_keeps_products_of_relative_positions():
    rope = hb.RotaryPositionalEmbedding(100.0, 16, 64)
    q, k = torch.randn(2, 1, 16, dtype=f64)
    products = [rope(q, torch.tensor([i + 5])) @ rope(k, torch.tensor([i])).T for i in (0, 11, 50)]
    torch.testing.assert_close(products[0], products[1], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(products[0], products[2], rtol=1e-5, atol=1e-6)


def test_rope_table_stays_in_float32_when_the_model_becomes_bfloat16():
    rope = hb.RotaryPositionalEmbedding(10000.0, 8, 300)
    before = rope.cos.clone()
    assert torch.equal(rope.bfloat16().cos, before)
    assert not rope.state_dict()


def test_rope_errors():
    with pytest.raises(ConfigError, match="must be even"):
        hb.RotaryPositionalEmbedding(10000.0, 7, 8)
    with pytest.raises(ValueError, match="9 positions do not fit"):
        hb.RotaryPositionalEmbedding(10000.0, 8, 8)(torch.zeros(9, 8))


@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
def test_attention_equals_torch_with_and_without_mask(lead):
    q, k, v = (torch.randn(*lead, n, d, dtype=f64) for n, d in ((5, 4), (7, 4), (7, 6)))
    torch.testing.assert_close(hb.scaled_dot_product_attention(q, k, v), F.scaled_dot_product_attention(q, k, v))
    mask = torch.rand(*lead, 5, 7) < 0.5
    mask[..., 0] = True
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    torch.testing.assert_close(hb.scaled_dot_product_attention(q, k, v, mask), expected)


def test_attention_row_that_may_look_nowhere_gives_zeros_and_sound_gradients():
    q, k, v = (torch.randn(2, 3, 4, dtype=f64, requires_grad=True) for _ in range(3))
    mask = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
    with torch.autograd.set_detect_anomaly(True):
        out = hb.scaled_dot_product_attention(q, k, v, mask)
        out.square().sum().backward()
    assert torch.equal(out[:, 1], torch.zeros(2, 4, dtype=f64))
    assert torch.equal(q.grad[:, 1], torch.zeros(2, 4, dtype=f64))
    assert all(t.grad.isfinite().all() for t in (q, k, v))


def test_multi_head_attention_equals_torch():
    ours = hb.MultiHeadSelfAttention(12, 3, dtype=f64)
    theirs = torch.nn.MultiheadAttention(12, 3, bias=False, batch_first=True, dtype=f64)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([p.weight for p in (ours.q_proj, ours.k_proj, ours.v_proj)]))
        theirs.out_proj.weight.copy_(ours.output_proj.weight)
    x = torch.randn(2, 5, 12, dtype=f64)
    blocked = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(ours(x), theirs(x, x, x, attn_mask=blocked, need_weights=False)[0])


def test_attention_takes_positions_for_each_row_of_a_batch():
    layer = hb.MultiHeadSelfAttention(8, 2, rope=hb.RotaryPositionalEmbedding(100.0, 4, 32), dtype=f64)
    x = torch.randn(2, 5, 8, dtype=f64)
    torch.testing.assert_close(layer(x), layer(x, torch.arange(5)))
    positions = torch.stack([torch.arange(5), torch.arange(5) * 3])
    both = layer(x, positions)
    torch.testing.assert_close(both[1], layer(x[1], positions[1]))
    assert not torch.allclose(both[1], layer(x)[1])


def test_initialisation_has_the_stated_spread_and_is_cut():
    linear = hb.Linear(300, 500).weight
    std = math.sqrt(2 / 800)
    assert abs(linear.std().item() / std - 0.9866) < 0.01  # 0.9866: the standard deviation of N(0, 1) cut at ±3
    assert linear.abs().max() <= 3 * std
    embedding = hb.Embedding(500, 300).weight
    assert abs(embedding.std().item() - 0.9866) < 0.01
    assert embedding.abs().max() <= 3
    assert torch.equal(hb.RMSNorm(8).weight, torch.ones(8))


def test_dropout_keeps_the_mean_while_training_and_does_nothing_in_evaluation():
    layer = Dropout(0.25)
    x = torch.ones(100_000)
    assert torch.equal(layer.eval()(x), x)
    dropped = layer.train()(x)
    assert set(dropped.tolist()) == {0.0, torch.tensor(4 / 3).item()}
    assert abs(dropped.mean().item() - 1) < 0.02


@pytest.mark.slow
def test_every_process_has_the_same_rotary_table_and_first_weights():
    # The first call of a vector function by several threads at once once gave other bits, in one of ten processes.
    code = """
import hashlib, torch, hornbook as hb
torch.set_num_threads(2)
torch.manual_seed(0)
rope = hb.RotaryPositionalEmbedding(10000.0, 32, 256)
digest = hashlib.sha256(rope.cos.numpy().tobytes() + rope.sin.numpy().tobytes())
digest.update(hb.Embedding(1000, 64).weight.detach().numpy().tobytes())
print(digest.hexdigest())
"""
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(30)]
    assert len({run.stdout for run in runs}) == 1


def test_the_first_vector_function_of_a_rotary_table_is_called_for_one_element_alone():
    # What the test of 30 processes above sees by chance, seen in the calls themselves.
    sizes = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func.overloadpacket in (torch.ops.aten.cos, torch.ops.aten.sin):
                sizes.append(args[0].numel())
            return func(*args, **(kwargs or {}))

    with Watch():
        hb.RotaryPositionalEmbedding(10000.0, 32, 256)
    assert sizes == [1, 256 * 16, 256 * 16]
