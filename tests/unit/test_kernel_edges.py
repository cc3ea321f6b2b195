"""The CPU kernels at the edge: any magnitude, infinity and NaN, nothing at all, and arguments that do not fit."""

import math

import pytest
import torch

from hornbook.errors import DataError
from hornbook.models.config import ModelConfig
from hornbook.models.kv_cache import KVCache, NativeStep
from hornbook.models.transformer import TransformerLM
from hornbook.nn import _kernels, cpu_kernels, fused, plain

MAGNITUDES = [1e-40, 1e-30, 1e-20, 1e-10, 1.0, 1e4, 1e10, 1e18, 1e20, 1e30]
NOT_FINITE = [math.inf, -math.inf, math.nan]
F32 = torch.float32


@pytest.fixture(params=_kernels.variants(), autouse=True)
def variant(request):
    before = _kernels.variant()
    assert _kernels.set_variant(request.param)
    yield
    _kernels.set_variant(before)


def agree(fast, plain, size):
    """Equal where the plain one is finite, to a rounding of `size`; not finite where it is not."""
    finite = plain.isfinite()
    close = (fast - plain).abs() <= 2e-6 * size + 2e-5 * plain.abs() + 1e-37
    assert close[finite].all(), (fast[finite & ~close][:4], plain[finite & ~close][:4])
    assert not fast[~finite].isfinite().any(), fast[~finite][:4]


def gradients(out, inputs):
    torch.manual_seed(1)
    return torch.autograd.grad((out * torch.randn(out.shape)).sum(), inputs)


def drawn(*shape, magnitude):
    torch.manual_seed(0)
    return (torch.randn(*shape) * magnitude).requires_grad_()


@pytest.mark.parametrize("magnitude", MAGNITUDES)
@pytest.mark.parametrize("width", [1, 7, 16, 50])
def test_norm_of_any_magnitude(width, magnitude):
    x, gain = drawn(5, width, magnitude=magnitude), drawn(width, magnitude=1)
    slow, fast = plain.rms_norm(x, gain, 1e-5), cpu_kernels.rms_norm(x, gain, 1e-5, F32)
    agree(fast, slow, 1)
    scale = min(316, 1 / magnitude)  # 1/√ε, or 1/rms
    if magnitude == 1e18:  # the plain one's gradient needs the cube of 1/rms, which float32 lacks
        slow = plain.rms_norm(x.double(), gain.double(), 1e-5).float()
    for a, b, size in zip(gradients(fast, (x, gain)), gradients(slow, (x, gain)), (10 * scale, 10), strict=True):
        agree(a, b, size)


@pytest.mark.parametrize("magnitude", MAGNITUDES)
@pytest.mark.parametrize("width", [1, 16, 33])
def test_swiglu_of_any_magnitude(width, magnitude):
    both = drawn(4, 2 * width, magnitude=magnitude)
    gate, up = both.chunk(2, -1)
    slow, fast = plain.silu(gate) * up, cpu_kernels.swiglu(both)
    agree(fast, slow, magnitude)
    (a,), (b,) = gradients(fast, both), gradients(slow, both)
    assert b.isfinite().all()
    agree(a, b, magnitude)


@pytest.mark.parametrize("softcap", [0.0, 3.0])
@pytest.mark.parametrize("magnitude", MAGNITUDES)
@pytest.mark.parametrize("vocabulary", [1, 2, 61])
def test_cross_entropy_of_any_magnitude(vocabulary, magnitude, softcap):
    logits = drawn(5, vocabulary, magnitude=magnitude)
    targets = torch.arange(5) % vocabulary
    capped = softcap * (logits / softcap).tanh() if softcap else logits
    slow = torch.stack([plain.cross_entropy(capped[i : i + 1], targets[i : i + 1]) for i in range(5)])
    gradient = logits.detach().clone()
    agree(cpu_kernels.cross_entropy_(gradient, targets, 1.0, softcap, True), slow.detach(), 1)
    agree(gradient, torch.autograd.grad(slow.sum(), logits)[0], 1)


@pytest.mark.parametrize("magnitude", [m for m in MAGNITUDES if m <= 1e18 or m >= 1e20])
@pytest.mark.parametrize(("time", "width"), [(1, 4), (2, 4), (17, 8), (40, 16)])
def test_attention_of_any_magnitude(time, width, magnitude):
    qkv = drawn(2, time, 3, 2, width, magnitude=magnitude)
    q, k, v = (x.transpose(1, 2) for x in qkv.unbind(2))
    slow = plain.scaled_dot_product_attention(q, k, v, plain.causal_mask(time)).transpose(1, 2)
    fast = cpu_kernels.causal_attention(qkv, None, None)
    agree(fast, slow, 10 * magnitude)
    # A probability near 1 takes the difference of two products of the values' size, and multiplies it by a key.
    (a,), (b,) = gradients(fast, qkv), gradients(slow, qkv)
    if magnitude <= 1e18:
        agree(a, b, 100 * max(1, magnitude**2))
    else:
        assert not a[b.isnan()].isfinite().any() or magnitude < 1e20


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("width", [1, 2, 4, 7, 8, 12, 24, 50])
def test_what_is_not_finite_stays_in_its_place_of_a_narrow_head(width, value):
    """Of each head, sequence and, for values, feature; no rotation by an angle of 0 carries it over."""
    for part, time in ((0, 7), (1, 7), (2, 0), (2, 7)):
        qkv = drawn(2, 20, 3, 2, width, magnitude=1).detach()
        qkv[0, time, part, 1, width // 2] = value
        qkv.requires_grad_()
        q, k, v = (x.transpose(1, 2) for x in qkv.unbind(2))
        slow = plain.scaled_dot_product_attention(q, k, v, plain.causal_mask(20)).transpose(1, 2)
        fast = cpu_kernels.causal_attention(qkv, None, None)
        agree(fast[:, time:], slow[:, time:], 1)  # before it the plain product makes 0 · ∞
        (a,), (b,) = gradients(fast, qkv), gradients(slow, qkv)
        agree(a[b.isfinite()], b[b.isfinite()], 10)


@pytest.mark.parametrize("value", NOT_FINITE)
def test_what_is_not_finite_comes_through_every_kernel(value):
    def with_one(*shape, place):
        x = drawn(*shape, magnitude=1).detach()
        x[place] = value
        return x

    x = with_one(4, 16, place=(2, 3))
    rows = cpu_kernels.rms_norm(x, torch.ones(16), 1e-5, F32), plain.rms_norm(x, torch.ones(16), 1e-5)
    gate, up = (both := with_one(4, 32, place=(2, 20))).chunk(2, -1)
    product = cpu_kernels.swiglu(both), plain.silu(gate) * up
    logits, targets = with_one(4, 16, place=(2, 3)), torch.tensor([0, 1, 3, 2])
    each = torch.stack([plain.cross_entropy(logits[i : i + 1], targets[i : i + 1]) for i in range(4)])
    loss = cpu_kernels.cross_entropy_(logits.clone(), targets, 1.0, 0.0, True), each
    for fast, slow in (rows, product, loss):
        agree(fast, slow, 1)
    for part in range(3):
        qkv = with_one(2, 60, 3, 2, 16, place=(0, 7, part, 1, 3))  # three blocks of queries
        q, k, v = (x.transpose(1, 2) for x in qkv.unbind(2))
        slow = plain.scaled_dot_product_attention(q, k, v, plain.causal_mask(60)).transpose(1, 2)
        # Positions before it do not see it; the plain product makes 0 · ∞ there, the kernel leaves that out.
        agree(cpu_kernels.causal_attention(qkv, None, None)[:, 7:], slow[:, 7:], 1)


@pytest.mark.parametrize("value", NOT_FINITE)
def test_positions_before_what_is_not_finite_are_as_without_it(value):
    qkv = drawn(2, 60, 3, 2, 16, magnitude=1).detach()  # three blocks of queries
    clean = cpu_kernels.causal_attention(qkv, None, None)
    for part in range(3):
        damaged = qkv.clone()
        damaged[0, 53, part, 1, 3] = value
        assert torch.equal(cpu_kernels.causal_attention(damaged, None, None)[:, :53], clean[:, :53])


def prefix_attention(qkv):
    """Each position by the plain function of what it sees: over a whole matrix the plain product makes 0 · ∞."""
    q, k, v = (x.transpose(1, 2) for x in qkv.unbind(2))
    ends = range(1, q.shape[2] + 1)
    rows = [plain.scaled_dot_product_attention(q[:, :, n - 1 : n], k[:, :, :n], v[:, :, :n]) for n in ends]
    return torch.cat(rows, 2).transpose(1, 2)


@pytest.mark.parametrize("dtype", [F32, torch.bfloat16])
@pytest.mark.parametrize("width", [4, 16, 32, 48, 64])  # tiles of every width and height
@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("part", ["q", "k", "v", "gradient"])
def test_no_position_sees_what_is_not_finite_behind_it(part, value, width, dtype):
    """Nor does a gradient: position by position as the plain function of what it sees; 67 is 24 + 24 + 19 queries."""
    places = (5, 23, 24, 40, 48, 62, 66)
    qkv = drawn(len(places), 67, 3, 1, width, magnitude=1).detach()
    d_out = drawn(len(places), 67, 1, width, magnitude=1).detach().flip(0)
    for b, time in enumerate(places):  # in a sequence each
        (d_out[b, time] if part == "gradient" else qkv[b, time, "qkv".index(part)])[0, width // 2] = value
    qkv, d_out = qkv.to(dtype).requires_grad_(), d_out.to(dtype)
    fast, slow = cpu_kernels.causal_attention(qkv, None, None), prefix_attention(qkv.float())
    size = 10 if dtype == F32 else 1e4
    agree(fast.detach().float(), slow.detach(), size)
    agree(torch.autograd.grad(fast, qkv, d_out)[0].float(), torch.autograd.grad(slow, qkv, d_out.float())[0], size)


def test_zero_gradients_give_zero_gradients():
    x, gain, both = drawn(4, 16, magnitude=1), drawn(16, magnitude=1), drawn(4, 32, magnitude=1)
    qkv, hidden, weight = (drawn(*s, magnitude=1) for s in ((2, 5, 3, 2, 4), (6, 8), (9, 8)))
    loss = fused.head_loss(hidden, weight, torch.arange(6))
    for out, inputs in (
        (cpu_kernels.rms_norm(x, gain, 1e-5, F32), (x, gain)),
        (cpu_kernels.swiglu(both), (both,)),
        (cpu_kernels.causal_attention(qkv, None, None), (qkv,)),
        (loss, (hidden, weight)),
    ):
        for gradient in torch.autograd.grad(out, inputs, torch.zeros_like(out)):
            assert (gradient == 0).all()


def test_nothing_in_is_nothing_out():
    gain = torch.ones(4, requires_grad=True)
    cpu_kernels.rms_norm(torch.empty(0, 4), gain, 1e-5, F32).sum().backward()
    assert gain.grad is not None
    assert (gain.grad == 0).all()
    assert cpu_kernels.rms_norm(torch.empty(3, 0), torch.ones(0), 1e-5, F32).shape == (3, 0)
    for shape, wanted in (((0, 4), (0, 2)), ((3, 0), (3, 0)), ((2, 0, 6), (2, 0, 3))):
        both = torch.empty(shape, requires_grad=True)
        out = cpu_kernels.swiglu(both)
        out.sum().backward()
        assert out.shape == wanted
    for shape in ((0, 5, 3, 2, 4), (2, 0, 3, 2, 4), (2, 5, 3, 0, 4), (2, 5, 3, 2, 0)):
        qkv = torch.empty(shape, requires_grad=True)
        out = cpu_kernels.causal_attention(qkv, None, None)
        out.sum().backward()
        assert out.shape == (*shape[:2], *shape[3:])
        assert qkv.grad is not None
        assert qkv.grad.shape == shape
    assert cpu_kernels.cross_entropy_(torch.empty(0, 4), torch.empty(0, dtype=torch.int64), 1.0, 0.0, True).shape == (
        0,
    )


def ids(*values, dtype=torch.int64):
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize(
    "call",
    [
        lambda: cpu_kernels.rms_norm(torch.randn(3, 4), torch.ones(3), 1e-5, F32),
        lambda: cpu_kernels.rms_norm(torch.randn(3, 4), torch.ones(4).bfloat16(), 1e-5, F32),
        lambda: cpu_kernels.rms_norm(torch.randn(3, 4).double(), torch.ones(4), 1e-5, F32),
        lambda: cpu_kernels.rms_norm(torch.randn(3, 4), torch.ones(4), 1e-5, torch.float64),
        lambda: cpu_kernels.rms_norm(torch.randn(()), torch.ones(1), 1e-5, F32),
        lambda: cpu_kernels.swiglu(torch.randn(3, 5)),
        lambda: cpu_kernels.swiglu(torch.randn(3, 4).double()),
        lambda: cpu_kernels.causal_attention(torch.randn(2, 3, 2, 2, 4), None, None),
        lambda: cpu_kernels.causal_attention(torch.randn(2, 3, 3, 4), None, None),
        lambda: cpu_kernels.causal_attention(torch.randn(2, 300, 3, 2, 4), torch.randn(3, 2), torch.randn(3, 2)),
        lambda: cpu_kernels.causal_attention(torch.randn(2, 3, 3, 2, 4), torch.randn(3, 1), torch.randn(3, 1)),
        lambda: cpu_kernels.causal_attention(torch.randn(2, 3, 3, 2, 4), torch.randn(3, 2), None),
        lambda: cpu_kernels.causal_attention(torch.randn(2, 3, 3, 2, 5), torch.randn(3, 2), torch.randn(3, 2)),
        lambda: cpu_kernels.causal_attention(
            torch.randn(2, 3, 3, 2, 4), torch.randn(3, 2).double(), torch.randn(3, 2).double()
        ),
        lambda: cpu_kernels.causal_attention(torch.randn(2, 3, 3, 2, 4), None, None, torch.ones(2), torch.ones(2)),
        lambda: cpu_kernels.causal_attention(torch.randn(2, 3, 3, 2, 4), None, None, torch.ones(4), None),
        lambda: cpu_kernels.cross_entropy_(torch.randn(5, 4), ids(1), 1.0, 0.0, True),
        lambda: cpu_kernels.cross_entropy_(torch.randn(1, 4), ids(1, dtype=torch.int32), 1.0, 0.0, True),
        lambda: cpu_kernels.cross_entropy_(torch.randn(4, 2).T, ids(1, 1), 1.0, 0.0, True),
        lambda: fused.head_loss(torch.randn(2, 4), torch.randn(7, 4), ids(1)),
        lambda: fused.head_loss(torch.randn(1, 4), torch.randn(7, 4), ids(1, dtype=torch.int32)),
        lambda: plain.cross_entropy(torch.randn(2, 7), ids(1)),
        lambda: plain.cross_entropy(torch.randn(1, 7), ids(1, dtype=torch.int32)),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_read(call):
    with pytest.raises(ValueError, match=r"given are|need targets int64"):
        call()


@pytest.mark.parametrize("target", [-1, 7, 2**40, -(2**63)])
def test_a_target_outside_the_vocabulary_is_refused_by_every_loss(target):
    for call in (
        lambda: plain.cross_entropy(torch.randn(2, 7), ids(1, target)),
        lambda: fused.head_loss(torch.randn(2, 4), torch.randn(7, 4), ids(1, target)),
        lambda: cpu_kernels.cross_entropy_(torch.randn(2, 7), ids(1, target), 1.0, 0.0, True),
    ):
        with pytest.raises(DataError, match=f"a target is {target}"):
            call()


def test_no_targets_have_no_mean():
    for call in (
        lambda: plain.cross_entropy(torch.empty(0, 7), ids()),
        lambda: fused.head_loss(torch.empty(0, 4), torch.randn(7, 4), ids()),
    ):
        with pytest.raises(DataError, match="no targets"):
            call()


def stepped(model, batch=2, dtype=F32):
    """A cache of two tokens a row, and the kernel's step on it."""
    cache = KVCache(model, batch)
    cache.read(torch.tensor([[1, 2]] * batch), list(range(batch)), [2] * batch, anew=True)
    return cache, NativeStep(cache, dtype)


def decoder():
    torch.manual_seed(0)
    return TransformerLM(ModelConfig(vocab_size=23, context_length=6, d_model=12, num_layers=2, num_heads=3, d_ff=20))


@pytest.mark.parametrize("changes", [{"ids": ids(1, 23)}, {"ids": ids(-1, 2)}, {"ids": ids(1, 2**62)},
    {"positions": ids(2, 6)}, {"positions": ids(-1, 2)}, {"positions": ids(2**40, 0)}])  # fmt: skip
def test_a_step_outside_vocabulary_or_context_is_refused(changes):
    _, step = stepped(decoder())
    with pytest.raises(DataError, match=r"a token id is|a position is"):
        cpu_kernels.decode(*arguments(step)[0], **{**arguments(step)[1], **changes})


def arguments(step):
    given = {name: step._decode.keywords[name] for name in ("table", "final_gain", "head", "kept")}
    given |= {"ids": ids(1, 2), "positions": ids(2, 2), "logits": torch.empty(2, 23)}
    return (step._shape_of(batch=2), step._layers), given


@pytest.mark.parametrize("changes", [{"ids": ids(1)}, {"ids": ids(1, 2, dtype=torch.int32)}, {"ids": ids(1, 2, 3)},
    {"positions": ids(2)}, {"positions": ids(2, 2, dtype=torch.int32)}, {"logits": torch.empty(1, 23)},
    {"logits": torch.empty(2, 22)}, {"logits": torch.empty(2, 23).double()}, {"logits": torch.empty(23, 2).T},
    {"table": torch.empty(22, 12)}, {"table": torch.empty(23, 12).bfloat16()}, {"head": 0},
    {"sequences": ids(0, 2)}, {"sequences": ids(-1, 0)}, {"sequences": ids(0)}, {"wanted": ids(0)},
    {"wanted": ids(1, 0)}, {"wanted": ids(1, 2)}, {"wanted": ids(-1, 0)}, {"wanted": ids(0, 0)}])  # fmt: skip
def test_a_step_that_does_not_fit_is_refused_before_anything_is_read(changes):
    _, step = stepped(decoder())  # which keeps the weights: the layers are addresses
    (shape, layers), given = arguments(step)
    cpu_kernels.decode(shape, layers, **given)
    with pytest.raises(ValueError, match="given are"):
        cpu_kernels.decode(shape, layers, **{**given, **changes})
    with pytest.raises(ValueError, match="given are"):
        cpu_kernels.decode(shape, [], **given)


@pytest.mark.parametrize("wrong", ["q_proj", "w2", "ln1", "cache"])
def test_weights_of_another_shape_are_refused_where_their_address_is_taken(wrong):
    model = decoder()
    cache = KVCache(model, 2)
    block = model.blocks[1]
    if wrong == "cache":
        cache.keys[1] = cache.keys[1][:, :, :5]
    else:
        name = {"ln1": "ln1", "w2": "ffn.w2"}.get(wrong, "attn.q_proj")
        part = block.get_submodule(name)
        part.weight = torch.nn.Parameter(part.get_parameter("weight").detach()[..., :-1].contiguous())
    with pytest.raises(ValueError, match="the kernel reads float32"):
        NativeStep(cache, F32)


@pytest.mark.parametrize("magnitude", [1e-30, 1.0, 1e10, 1e18, 1e30, *NOT_FINITE])
def test_a_step_of_any_magnitude_is_as_that_of_the_modules(magnitude):
    model = decoder()
    with torch.no_grad():
        model.blocks[0].attn.output_proj.weight.mul_(magnitude)
        model.blocks[0].ffn.w2.weight.mul_(magnitude)
    (cache, step), (other, _) = stepped(model), stepped(model)
    fast = step([3, 4])
    slow = other.read(ids([3], [4]), [0, 1], [1, 1], anew=False)
    agree(fast, slow.detach(), 10)
    assert cache.lengths == other.lengths
