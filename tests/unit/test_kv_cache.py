"""Generation with kept keys and values equals generation without, token for token."""

import dataclasses
import random

import pytest
import torch

import hornbook as hb
from hornbook.generation.decode import cached_reader, plain_reader
from hornbook.models.kv_cache import KVCache, NativeStep, ReadPart
from hornbook.nn import _kernels, cpu_kernels, fused
from hornbook.nn.specs import FEED_FORWARDS, NORMS

BASE = hb.ModelConfig(vocab_size=53, context_length=20, d_model=32, num_layers=2, num_heads=4, d_ff=50)
SWITCHES = [
    {}, {"norm": "post"}, {"norm": "none"}, {"position": "none"},
    *({"ffn": kind} for kind in FEED_FORWARDS), *({"norm_kind": kind} for kind in NORMS),
    {"tie_embeddings": True}, {"logit_softcap": 5.0}, {"qk_norm": True},
    {"value_embeddings": 1},
    {"d_model": 36, "num_heads": 3}, {"d_model": 15, "num_heads": 3, "position": "none"}, {"context_length": 1},
    {"context_length": 2}, {"context_length": 3}, {"dropout": 0.5},
]  # fmt: skip
PROMPTS = [[1, 2, 3], [4], [9, 8, 7, 6, 5, 4, 3], [5, 5]]


@pytest.fixture(params=["kernel", "modules"])
def backend(request, monkeypatch):
    """The whole model in one kernel, and the model's own modules as on an accelerator."""
    if request.param == "modules":
        monkeypatch.setattr(cpu_kernels, "enabled", False)
    return request.param


def build(**changes):
    torch.manual_seed(0)
    model = hb.TransformerLM(dataclasses.replace(BASE, **changes))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "ln" in name or "gate" in name or "_norm" in name:
                parameter.uniform_(0.5, 1.5)
    return model


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_cache_equals_no_cache_token_for_token(backend, switches, temperature):
    model = build(**{"context_length": 10} | switches)
    for prompt in (PROMPTS, PROMPTS[:1]):  # a batch of different lengths, and one alone
        with_and_without = [
            hb.generate(
                model, prompt, 22, temperature=temperature, generator=torch.Generator().manual_seed(3), cache=cache,
                overflow="slide", top_p=0.9,
            )
            for cache in (True, False)
        ]  # fmt: skip
        for kept, plain in zip(*with_and_without, strict=True):
            assert kept.tolist() == plain.tolist()
            assert len(kept) == 22  # past the context of 10, by half windows


@pytest.mark.parametrize("batch", [1, 3, 8, 9, 20])
def test_logits_of_every_batch_size(backend, batch):
    model, draw = build(), random.Random(batch)
    windows = [[draw.randrange(53) for _ in range(draw.randint(1, 8))] for _ in range(batch)]
    plain, cached = plain_reader(model), cached_reader(model, batch)
    with torch.no_grad():
        for _ in range(8):
            torch.testing.assert_close(cached(windows), plain(windows), rtol=1e-4, atol=1e-4)
            windows = [[*w, draw.randrange(53)] for w in windows]


@pytest.mark.parametrize("variant", _kernels.variants())
def test_every_instruction_set_gives_the_same_logits(variant):
    before = _kernels.variant()
    assert _kernels.set_variant(variant)
    try:
        for batch in (1, 6):
            test_logits_of_every_batch_size("kernel", batch)
    finally:
        _kernels.set_variant(before)


def test_a_prompt_is_read_by_the_fused_functions_and_the_model_is_left_as_it_was(monkeypatch):
    model, seen = build(), []
    attention = fused.attention
    monkeypatch.setattr(fused, "attention", lambda *args: seen.append(1) or attention(*args))
    hb.generate(model, [1, 2, 3], 1)
    assert len(seen) == len(model.layers)
    assert not model.ops.fused


@pytest.mark.parametrize("switches", [{}, {"qk_norm": True}, {"value_embeddings": 1}, {"position": "none"}], ids=str)
def test_a_prompt_leaves_the_keys_and_values_that_single_tokens_leave(switches):
    model, ids = build(**switches), torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    whole, single = KVCache(model, 2), KVCache(model, 2)
    with torch.no_grad():
        whole.read(ids, [1], [8], anew=True)  # the second row alone
        for i in range(8):
            single.read(ids[:, i : i + 1], [1], [1], anew=i == 0)
    for a, b in zip(whole.keys + whole.values, single.keys + single.values, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8], ids=str)
@pytest.mark.parametrize("variant", _kernels.variants())
def test_a_text_is_the_same_bits_in_every_company(variant, dtype):
    """Odd widths, so that rests beside whole vectors are summed too."""
    before = cpu_kernels.variant()
    _kernels.set_variant(variant)
    try:
        for switches in ({}, {"d_model": 33, "num_heads": 3, "position": "none", "d_ff": 45}, {"qk_norm": True}):
            model = build(**switches)
            draw = random.Random(1)
            texts = [[draw.randrange(53) for _ in range(draw.randrange(1, 21))] for _ in range(9)]
            alone = []
            for text in texts:
                step = NativeStep(KVCache(model, 1), dtype)
                alone.append(torch.cat([step.read([ReadPart(0, [token], 1)])[0] for token in text]))
            for _ in range(4):
                together = read_in_parts(NativeStep(KVCache(model, 9), dtype), texts, draw)
                for one, other in zip(alone, together, strict=True):
                    assert torch.equal(one, other)
    finally:
        _kernels.set_variant(before)


def read_in_parts(step, texts, draw):
    """Read texts side by side in parts of random lengths; return the logits after every token."""
    rows = draw.sample(range(9), 9)
    given, logits = [0] * len(texts), [[] for _ in texts]
    while unread := [i for i in range(len(texts)) if given[i] < len(texts[i])]:
        chosen = draw.sample(unread, draw.randint(1, len(unread)))
        parts = []
        for i in chosen:
            ids = texts[i][given[i] : given[i] + draw.choice([1, 1, 2, 7])]
            parts.append(ReadPart(rows[i], ids, len(ids)))
            given[i] += len(ids)
        for i, part in zip(chosen, step.read(parts), strict=True):
            logits[i].append(part)
    return [torch.cat(parts) for parts in logits]


def test_only_the_logits_that_are_wanted_are_computed():
    model = build()
    every = NativeStep(KVCache(model, 2), torch.float32).read([ReadPart(1, [1, 2, 3], 3), ReadPart(0, [4], 1)])
    some = NativeStep(KVCache(model, 2), torch.float32).read([ReadPart(1, [1, 2, 3], 1), ReadPart(0, [4], 0)])
    none = NativeStep(KVCache(model, 2), torch.float32).read([ReadPart(1, [1, 2, 3], 0)])
    assert [x.shape[0] for x in (*every, *some, *none)] == [3, 1, 1, 0, 0]
    assert torch.equal(every[0][2:], some[0])


def test_bfloat16_weights_stay_close():
    model = build()
    if NativeStep.obstacle(model, 1):
        pytest.skip("this build has no CPU kernels")
    plain, cached = plain_reader(model), cached_reader(model, 1, "bfloat16")
    window = [[1, 2]]
    with torch.no_grad():
        for token in range(10):
            want, got = plain(window), cached(window)
            assert (got - want).norm() < 0.02 * want.norm()
            window = [[*window[0], token]]


def test_auto_takes_one_of_the_two():
    model = build()
    free = hb.generate(model, [1, 2], 15, temperature=0, dtype="auto").tolist()
    assert len(free) == 15


def test_a_model_in_bfloat16_generates():
    model = build().bfloat16()
    assert len(hb.generate(model, [1, 2], 15, temperature=0)) == 15


def test_fused_model_gives_the_same_text():
    model = build()
    plain = hb.generate(model, PROMPTS, 30, temperature=0)
    fast = hb.generate(model.use_fused(), PROMPTS, 30, temperature=0)
    assert [row.tolist() for row in plain] == [row.tolist() for row in fast]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cache_equals_no_cache_on_cuda():
    model = build().cuda()
    kept, plain = (hb.generate(model, PROMPTS, 30, temperature=0, cache=cache) for cache in (True, False))
    assert [row.tolist() for row in kept] == [row.tolist() for row in plain]
