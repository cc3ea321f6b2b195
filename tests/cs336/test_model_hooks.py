"""The assignment's model hooks against PyTorch's own parts."""

import math

import pytest
import torch
import torch.nn.functional as F
from cs336 import adapters


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed))


@pytest.mark.parametrize("leading", [(), (3,), (2, 3)])
def test_linear(leading):
    x, w = randn(*leading, 8), randn(5, 8, seed=1)
    torch.testing.assert_close(adapters.run_linear(8, 5, w, x), F.linear(x, w))


def test_embedding():
    table, ids = randn(11, 4), torch.tensor([[0, 10], [3, 3]])
    assert torch.equal(adapters.run_embedding(11, 4, table, ids), F.embedding(ids, table))


def test_rmsnorm():
    x, gain = randn(2, 3, 8), randn(8, seed=1)
    torch.testing.assert_close(adapters.run_rmsnorm(8, 1e-5, gain, x), F.rms_norm(x, (8,), gain, 1e-5))


def test_silu_and_softmax():
    x = randn(4, 6) * 50
    torch.testing.assert_close(adapters.run_silu(x), F.silu(x))
    torch.testing.assert_close(adapters.run_softmax(x, 0), F.softmax(x, 0))
    torch.testing.assert_close(adapters.run_softmax(x + 1000, -1), F.softmax(x + 1000, -1))


def test_swiglu():
    x, w1, w2, w3 = randn(2, 3, 8), randn(12, 8, seed=1), randn(8, 12, seed=2), randn(12, 8, seed=3)
    wanted = F.linear(F.silu(F.linear(x, w1)) * F.linear(x, w3), w2)
    torch.testing.assert_close(adapters.run_swiglu(8, 12, w1, w2, w3, x), wanted)


def test_cross_entropy_of_large_logits():
    logits, targets = randn(6, 9) * 1000, torch.arange(6)
    torch.testing.assert_close(adapters.run_cross_entropy(logits, targets), F.cross_entropy(logits, targets))


@pytest.mark.parametrize("leading", [(2,), (2, 3)])
def test_attention_with_a_mask(leading):
    q, k, v = randn(*leading, 5, 8), randn(*leading, 7, 8, seed=1), randn(*leading, 7, 6, seed=2)
    mask = torch.rand(*leading, 5, 7, generator=generator(3)) > 0.3
    mask[..., 0] = True
    wanted = F.scaled_dot_product_attention(q, k, v, mask)
    torch.testing.assert_close(adapters.run_scaled_dot_product_attention(q, k, v, mask), wanted)
    unmasked = F.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(adapters.run_scaled_dot_product_attention(q, k, v), unmasked)


def rotate(x, theta, positions):
    """RoPE by complex multiplication: an oracle that shares nothing with a table of cosines."""
    d = x.shape[-1]
    angles = positions.double()[..., None] * theta ** (-torch.arange(0, d, 2).double() / d)
    turned = torch.view_as_complex(x.double().unflatten(-1, (d // 2, 2)).contiguous()) * torch.polar(
        torch.ones_like(angles), angles
    )
    return torch.view_as_real(turned).flatten(-2).float()


def test_rope():
    x, positions = randn(2, 6, 8), torch.tensor([0, 1, 5, 3, 2, 9])
    torch.testing.assert_close(adapters.run_rope(8, 10000.0, 12, x, positions), rotate(x, 10000.0, positions))


def attend(x, weights, num_heads, theta=None):
    q, k, v = (F.linear(x, w).unflatten(-1, (num_heads, -1)).transpose(-3, -2) for w in weights[:3])
    if theta is not None:
        positions = torch.arange(x.shape[-2])
        q, k = rotate(q, theta, positions), rotate(k, theta, positions)
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return F.linear(mixed.transpose(-3, -2).flatten(-2), weights[3])


def test_multihead_self_attention_without_and_with_rope():
    x = randn(2, 6, 16)
    q, k, v, out = weights = [randn(16, 16, seed=s) / 4 for s in range(1, 5)]
    plain = adapters.run_multihead_self_attention(16, 4, q, k, v, out, x)
    torch.testing.assert_close(plain, attend(x, weights, 4), rtol=1e-4, atol=1e-5)
    rotated = adapters.run_multihead_self_attention_with_rope(16, 4, 12, 10000.0, q, k, v, out, x)
    torch.testing.assert_close(rotated, attend(x, weights, 4, 10000.0), rtol=1e-4, atol=1e-5)
    positions = torch.arange(6)[None]  # the assignment passes a batch of positions
    given = adapters.run_multihead_self_attention_with_rope(16, 4, 12, 10000.0, q, k, v, out, x, positions)
    torch.testing.assert_close(given, rotated)


def block_weights(seed, d=16, f=24, prefix=""):
    shapes = {
        "attn.q_proj.weight": (d, d),
        "attn.k_proj.weight": (d, d),
        "attn.v_proj.weight": (d, d),
        "attn.output_proj.weight": (d, d),
        "ln1.weight": (d,),
        "ln2.weight": (d,),
        "ffn.w1.weight": (f, d),
        "ffn.w2.weight": (d, f),
        "ffn.w3.weight": (f, d),
    }
    return {prefix + name: randn(*shape, seed=seed + i) / 4 for i, (name, shape) in enumerate(shapes.items())}


def block(x, w, prefix=""):
    weights = {name.removeprefix(prefix): tensor for name, tensor in w.items() if name.startswith(prefix)}
    attention = [weights[f"attn.{name}_proj.weight"] for name in ("q", "k", "v", "output")]
    x = x + attend(F.rms_norm(x, (16,), weights["ln1.weight"], 1e-5), attention, 4, 10000.0)
    y = F.rms_norm(x, (16,), weights["ln2.weight"], 1e-5)
    gated = F.silu(F.linear(y, weights["ffn.w1.weight"])) * F.linear(y, weights["ffn.w3.weight"])
    return x + F.linear(gated, weights["ffn.w2.weight"])


def test_transformer_block():
    x, weights = randn(2, 6, 16), block_weights(1)
    result = adapters.run_transformer_block(16, 4, 24, 12, 10000.0, weights, x)
    torch.testing.assert_close(result, block(x, weights), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", [12, 5])
def test_transformer_lm_also_below_its_context(length):
    weights = {"token_embeddings.weight": randn(30, 16), "ln_final.weight": randn(16, seed=1)}
    weights |= {"lm_head.weight": randn(30, 16, seed=2)}
    for layer in range(2):
        weights |= block_weights(10 * (layer + 1), prefix=f"layers.{layer}.")
    ids = torch.randint(30, (3, length), generator=generator(5))
    result = adapters.run_transformer_lm(30, 12, 16, 2, 4, 24, 10000.0, weights, ids)
    x = F.embedding(ids, weights["token_embeddings.weight"])
    for layer in range(2):
        x = block(x, weights, f"layers.{layer}.")
    wanted = F.linear(F.rms_norm(x, (16,), weights["ln_final.weight"], 1e-5), weights["lm_head.weight"])
    assert result.shape == (3, length, 30)
    torch.testing.assert_close(result, wanted, rtol=1e-4, atol=1e-5 * math.sqrt(16))
