"""Every fused implementation equals the plain one, forward and gradient, over random shapes; so does the model."""

import dataclasses
import random

import pytest
import torch

import hornbook as hb
from hornbook.errors import DataError
from hornbook.models.transformer import TransformerLM
from hornbook.nn import _kernels, cpu_kernels, fused
from hornbook.nn.linear import Embedding
from hornbook.nn.norm import LayerNorm, RMSNorm
from hornbook.nn.specs import loss_chunk_elements

BASE = hb.ModelConfig(vocab_size=61, context_length=40, d_model=32, num_layers=2, num_heads=4, d_ff=48)
SWITCHES = [
    {}, {"norm": "post"}, {"norm": "none"}, {"position": "none"}, {"ffn": "silu"}, {"ffn": "relu2"},
    {"norm_kind": "layernorm"}, {"norm_kind": "layernorm", "norm": "post", "qk_norm": True},
    {"tie_embeddings": True}, {"qk_norm": True}, {"logit_softcap": 5.0}, {"value_embeddings": 1}, {"dropout": 0.2},
    {"num_heads": 2, "d_ff": 51}, {"d_model": 36, "num_heads": 3}, {"d_model": 15, "num_heads": 3, "position": "none"},
    {"tie_embeddings": True, "norm": "post", "qk_norm": True, "logit_softcap": 5.0, "value_embeddings": 2},
]  # fmt: skip


@pytest.fixture(params=[*_kernels.variants(), "torch"])
def backend(request, monkeypatch):
    """Fused, on hornbook's kernels of every instruction set, and on PyTorch's operators as on an accelerator."""
    if request.param == "torch":
        monkeypatch.setattr(cpu_kernels, "enabled", False)
        yield request.param
        return
    before = _kernels.variant()
    assert _kernels.set_variant(request.param)
    assert cpu_kernels.variant() == request.param
    yield request.param
    _kernels.set_variant(before)


def shapes(seed):
    """A few random sizes: odd, around the kernels' blocks of 16 and 24, and one step beyond."""
    draw = random.Random(seed)
    return draw.choice([1, 2, 3]), draw.choice([1, 2, 15, 16, 17, 24, 25, 47, 64, 100]), draw.choice([1, 2, 3])


def gradients(loss, inputs):
    return torch.autograd.grad(loss, inputs)


def compare(plain, fast, inputs, dtype=torch.float32):
    """Both outputs and the gradients of a random projection of them.

    In float32 element by element; in bfloat16, where the two round at different places, by the size of the error:
    a rounding is 0.4 %, and some ten of them lie between input and gradient.
    """
    direction = torch.randn_like(plain.float())
    pairs = [(fast, plain)]
    pairs += zip(
        gradients((fast.float() * direction).sum(), inputs),
        gradients((plain.float() * direction).sum(), inputs),
        strict=True,
    )
    for got, want in pairs:
        if dtype == torch.float32:
            torch.testing.assert_close(got, want, rtol=1e-4, atol=2e-5)
        else:
            assert (got.float() - want.float()).norm() <= 0.015 * want.float().norm() + 1e-3


def set_fused(module, value):
    module.ops.fused = value
    return module


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("qk_norm", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_attention(backend, seed, qk_norm, dtype):
    torch.manual_seed(seed)
    batch, time, heads = shapes(seed)
    width = random.Random(seed).choice([2, 4, 8, 16, 18, 32, 50, 64])
    rope = hb.RotaryPositionalEmbedding(100.0, width, time) if seed % 3 else None
    layer = hb.MultiHeadSelfAttention(heads * width, heads, rope=rope, qk_norm=qk_norm, norm_eps=0.1).to(dtype)
    for norm in (layer.q_norm, layer.k_norm) if qk_norm else ():
        norm.weight.data.normal_()
    x = torch.randn(batch, time, heads * width).to(dtype).requires_grad_()
    inputs = [x, *layer.parameters()]
    compare(set_fused(layer, False)(x), set_fused(layer, True)(x), inputs, dtype)


def test_attention_of_odd_width_without_rotation(backend):
    qkv = torch.randn(2, 19, 3, 2, 5, requires_grad=True)
    q, k, v = (part.transpose(1, 2) for part in qkv.unbind(2))
    mask = torch.ones(19, 19, dtype=torch.bool).tril()
    plain = hb.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(-2)
    compare(plain, fused.causal_attention(qkv), [qkv])


def test_attention_gives_no_share_at_all_to_later_positions(backend):
    """A share of 1e-38, which the exponential of −∞ is clamped to, of such a value would show."""
    qkv = torch.randn(1, 21, 3, 2, 8)
    expected = fused.causal_attention(qkv)[:, :-1]
    qkv[:, -1, 2] = 1e38
    torch.testing.assert_close(fused.causal_attention(qkv)[:, :-1], expected, rtol=0, atol=0)


@pytest.mark.parametrize("scale", [30.0, 1e3])
def test_attention_of_large_scores_stays_finite(backend, scale):
    qkv = torch.randn(1, 33, 3, 2, 8) * scale
    q, k, v = (part.transpose(1, 2) for part in qkv.unbind(2))
    mask = torch.ones(33, 33, dtype=torch.bool).tril()
    plain = hb.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(-2)
    torch.testing.assert_close(fused.causal_attention(qkv), plain, rtol=1e-3, atol=1e-3 * scale)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", [RMSNorm, LayerNorm])
@pytest.mark.parametrize("width", [1, 7, 16, 50, 512])
def test_norm(backend, kind, width, dtype):
    torch.manual_seed(width)
    layer = kind(width, eps=1e-3)
    with torch.no_grad():
        layer.weight.normal_()
    x = (torch.randn(5, 37, width) * 3).to(dtype).requires_grad_()
    compare(set_fused(layer, False)(x), set_fused(layer, True)(x), [x, layer.weight], dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("width", [1, 16, 33, 80])
def test_swiglu(backend, width, dtype):
    torch.manual_seed(width)
    layer = hb.SwiGLU(12, width).to(dtype)
    x = torch.randn(3, 7, 12).to(dtype).requires_grad_()
    compare(set_fused(layer, False)(x), set_fused(layer, True)(x), [x, *layer.parameters()], dtype)


def test_embedding(backend):
    layer, ids = Embedding(9, 4), torch.randint(0, 9, (5, 7))
    compare(set_fused(layer, False)(ids), set_fused(layer, True)(ids), [layer.weight])


@pytest.mark.parametrize("softcap", [0.0, 3.0])
@pytest.mark.parametrize(("rows", "vocabulary"), [(1, 2), (5, 16), (64, 61), (33, 257)])
def test_head_and_cross_entropy_in_chunks(backend, monkeypatch, rows, vocabulary, softcap):
    torch.manual_seed(rows)
    monkeypatch.setattr(
        fused, "loss_chunk_elements", lambda device: 7 * vocabulary
    )  # several chunks, the last one shorter
    hidden = torch.randn(rows, 12, requires_grad=True)
    weight = torch.randn(vocabulary, 12, requires_grad=True)
    targets = torch.randint(0, vocabulary, (rows,))
    logits = hidden @ weight.T
    plain = hb.cross_entropy(softcap * (logits / softcap).tanh() if softcap else logits, targets)
    fast = fused.head_loss(hidden, weight, targets, softcap)
    compare(plain * 3, fast * 3, [hidden, weight])  # 3: the backward pass scales what the forward pass kept


def test_head_loss_never_holds_all_logits(monkeypatch):
    largest = 0
    original = cpu_kernels.cross_entropy_

    def watch(logits, *rest):
        nonlocal largest
        largest = max(largest, logits.numel())
        return original(logits, *rest)

    monkeypatch.setattr(cpu_kernels, "cross_entropy_", watch)
    fused.head_loss(torch.randn(4096, 8), torch.randn(5000, 8), torch.randint(0, 5000, (4096,)))
    assert 0 < largest <= loss_chunk_elements("cpu") < 4096 * 5000


def test_loss_of_huge_logits_is_finite(backend):
    hidden, weight = torch.full((3, 4), 1e4), torch.randn(50, 4)
    targets = torch.tensor([0, 1, 2])
    expected = hb.cross_entropy(hidden @ weight.T, targets)
    torch.testing.assert_close(fused.head_loss(hidden, weight, targets), expected, rtol=1e-4, atol=1.0)


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_whole_model(backend, switches):
    ids, targets = torch.randint(0, 61, (2, 3, 40), generator=torch.Generator().manual_seed(1))
    results = []
    for enabled in (False, True):
        torch.manual_seed(0)
        model = TransformerLM(dataclasses.replace(BASE, **switches)).use_fused(enabled)
        for name, parameter in model.named_parameters():
            if "gate" in name:
                torch.nn.init.normal_(parameter)
        torch.manual_seed(5)
        loss = model.loss(ids, targets)
        loss.backward()
        results.append((loss.detach(), model(ids).detach() if not model.config.dropout else loss, model))
    (loss, logits, plain), (fast_loss, fast_logits, fast) = results
    torch.testing.assert_close(fast_loss, loss, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(fast_logits, logits, rtol=1e-4, atol=1e-4)
    for (name, a), b in zip(plain.named_parameters(), fast.parameters(), strict=True):
        torch.testing.assert_close(b.grad, a.grad, rtol=2e-4, atol=2e-5, msg=lambda m, name=name: f"{name}: {m}")


def test_whole_model_under_bfloat16_autocast(backend):
    """Both round at nearly the same places: neither is farther from float32 than the other."""
    ids, targets = torch.randint(0, 61, (2, 3, 40), generator=torch.Generator().manual_seed(1))

    def gradient(enabled, half):
        torch.manual_seed(0)
        model = TransformerLM(BASE).use_fused(enabled)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = model.loss(ids, targets)
        loss.backward()
        return loss.item(), torch.cat([p.grad.flatten() for p in model.parameters()])

    exact_loss, exact = gradient(False, False)
    plain_loss, plain = gradient(False, True)
    fast_loss, fast = gradient(True, True)
    assert abs(fast_loss - exact_loss) < 2 * abs(plain_loss - exact_loss) + 0.01
    assert (fast - exact).norm() < 1.3 * (plain - exact).norm() + 1e-3 * exact.norm()


def test_positions_given_by_the_caller(backend):
    model = TransformerLM(BASE)
    ids, positions = torch.randint(0, 61, (2, 8)), torch.arange(8) + 3
    plain = model(ids, positions)
    torch.testing.assert_close(model.use_fused()(ids, positions), plain, rtol=1e-4, atol=1e-4)


def test_leading_dimensions_are_free(backend):
    model = TransformerLM(BASE).use_fused()
    ids = torch.randint(0, 61, (2, 3, 5))
    torch.testing.assert_close(model(ids)[1, 2], model(ids[1, 2]), rtol=1e-4, atol=1e-4)


def test_same_input_same_bits_whatever_the_thread_that_takes_a_piece():
    torch.manual_seed(0)
    model = TransformerLM(BASE).use_fused()
    ids, targets = torch.randint(0, 61, (2, 5, 40))
    runs = []
    for _ in range(3):
        model.zero_grad()
        model.loss(ids, targets).backward()
        runs.append([p.grad.clone() for p in model.parameters()])
    for other in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(runs[0], other, strict=True))


def test_activation_checkpointing_and_fused_layers_go_together():
    ids, targets = torch.randint(0, 61, (2, 2, 16))
    grads = []
    for switch in (False, True):
        torch.manual_seed(0)
        model = TransformerLM(BASE).use_fused()
        model.activation_checkpointing = switch
        model.loss(ids, targets).backward()
        grads.append([p.grad for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))


def test_a_target_outside_the_vocabulary_is_a_sentence():
    model = TransformerLM(BASE).use_fused()
    with pytest.raises(DataError, match="a target is 61"):
        model.loss(torch.zeros(1, 3, dtype=torch.long), torch.tensor([[1, 2, 61]]))


def test_not_a_number_is_passed_on():
    model = TransformerLM(BASE).use_fused()
    with torch.no_grad():
        model.blocks[0].ffn.w1.weight[3, 4] = float("nan")
    ids, targets = torch.randint(0, 61, (2, 2, 16))
    loss = model.loss(ids, targets)
    loss.backward()
    assert loss.isnan()
    assert model.blocks[1].attn.q_proj.weight.grad.isnan().any()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_whole_model_on_cuda(switches):
    ids, targets = torch.randint(0, 61, (2, 3, 40), device="cuda")
    model = TransformerLM(dataclasses.replace(BASE, **switches), device="cuda").eval()
    plain = model.loss(ids, targets)
    torch.testing.assert_close(model.use_fused().loss(ids, targets), plain, rtol=1e-4, atol=1e-4)
