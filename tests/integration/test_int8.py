"""Generation with int8 weights: the arithmetic that is meant, on every instruction set, and what it costs."""

import dataclasses
import json
import math

import pytest
import torch
from harness.recipes import quiet_train

import hornbook as hb
from hornbook.cli.main import main
from hornbook.data.corpora import storyworld
from hornbook.data.token_data import TokenData
from hornbook.errors import CheckpointError, ConfigError, HornbookError
from hornbook.generation.decode import cached_reader
from hornbook.models.kv_cache import KVCache, NativeStep
from hornbook.models.narrow import narrowed, round_rows, round_weights_
from hornbook.nn import _kernels, cpu_kernels, plain

BASE = hb.ModelConfig(vocab_size=53, context_length=12, d_model=48, num_layers=2, num_heads=4, d_ff=70)
SWITCHES = [
    {}, {"norm": "post"}, {"norm": "none", "ffn": "silu"}, {"ffn": "relu2", "position": "none"},
    {"tie_embeddings": True, "logit_softcap": 5.0}, {"qk_norm": True},
    {"d_model": 15, "num_heads": 3, "position": "none"},
    {"d_model": 36, "num_heads": 3, "d_ff": 1}, {"vocab_size": 1},
]  # fmt: skip


@pytest.fixture(params=_kernels.variants())
def variant(request):
    before = _kernels.variant()
    assert _kernels.set_variant(request.param)
    yield request.param
    _kernels.set_variant(before)


def build(**changes):
    torch.manual_seed(0)
    model = hb.TransformerLM(dataclasses.replace(BASE, **changes)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "ln" in name or "_norm" in name:
                parameter.uniform_(0.5, 1.5)
    return model


def product(x, weight):
    """x wᵀ as it is meant: both sides in whole numbers, the sums exact, then the two scales."""
    levels = min(32767, (2**31 - 1) // (127 * weight.shape[1]))
    peak = x.abs().amax(-1, keepdim=True)
    inverse = torch.where(peak > 1e-30, levels / peak, 0)
    numbers, scales = round_rows(weight)
    whole = (x * inverse).round().long() @ numbers.T.long()
    return whole.float() * (peak / levels * scales)


def reference(model, ids):
    """The logits after each token of (B, T) ids, layer by layer in plain Python."""
    c, x = model.config, model.token_embeddings.weight[ids]
    activation = {"silu": plain.silu, "relu2": plain.relu2, "swiglu": plain.silu}[c.ffn]
    for block in model.blocks:
        a, f = block.attn, block.ffn
        h = block.ln1(x) if c.norm == "pre" else x
        parts = (product(h, part.weight) for part in (a.q_proj, a.k_proj, a.v_proj))
        q, k, v = (part.unflatten(-1, (c.num_heads, -1)).transpose(1, 2) for part in parts)  # (B, H, T, D)
        if a.q_norm is not None:
            q, k = a.q_norm(q), a.k_norm(k)
        if a.rope is not None:
            q, k = a.rope(q), a.rope(k)
        mixed = plain.scaled_dot_product_attention(q, k, v, plain.causal_mask(ids.shape[1]))
        x = x + product(plain.merge_heads(mixed), a.output_proj.weight)
        x = block.ln1(x) if c.norm == "post" else x
        h = block.ln2(x) if c.norm == "pre" else x
        inner = activation(product(h, f.w1.weight))
        inner = inner * product(h, f.w3.weight) if c.ffn == "swiglu" else inner
        x = x + product(inner, f.w2.weight)
        x = block.ln2(x) if c.norm == "post" else x
    logits = product(model.ln_final(x), model.output_weight)
    return c.logit_softcap * (logits / c.logit_softcap).tanh() if c.logit_softcap else logits


def steps(model, ids, dtype=torch.int8):
    """The same by the kernel, token by token."""
    step = NativeStep(KVCache(model, len(ids)), dtype)
    return torch.stack([step(column.tolist()) for column in ids.T], 1)


def distance(a, b):
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_the_kernel_computes_what_plain_python_says(variant, switches):
    model = build(**switches)
    for batch in (1, 3, 6):
        ids = torch.randint(0, model.config.vocab_size, (batch, 12), generator=torch.Generator().manual_seed(batch))
        with torch.no_grad():
            meant, exact = reference(model, ids), model(ids)
            found = steps(model, ids)
        assert distance(found, meant) < 2e-4
        assert distance(found, exact) > 5e-4 or model.config.vocab_size == 1


def test_threads_and_neighbours_change_no_bit(variant):
    model = build(d_model=144)
    ids = torch.randint(0, 53, (6, 12), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        together = steps(model, ids)
        threads = torch.get_num_threads()
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            assert torch.equal(steps(model, ids), together)
        torch.set_num_threads(threads)
        assert torch.equal(steps(model, ids[4:5])[0], together[4])


def test_rows_of_zeros_and_of_any_magnitude(variant):
    model = build()
    with torch.no_grad():
        w = model.blocks[0].ffn.w1.weight
        for row, scale in enumerate((0, 1e-44, 1e-38, 1e-20, 1e15)):
            w[row] *= scale
        ids = torch.arange(12)[None]
        found = steps(model, ids)
        assert found.isfinite().all()
        assert distance(found, reference(model, ids)) < 2e-4
        model.token_embeddings.weight.zero_()  # nothing but zeros goes through the model
        assert (steps(model, ids) == 0).all()


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_infinity_and_nan(variant, value):
    model = build()
    with torch.no_grad():
        model.blocks[1].ln2.weight[3] = value  # of the float part: as in float32, NaN comes out
    with torch.no_grad():
        assert steps(model, torch.tensor([[1]])).isnan().all()
    with pytest.raises(HornbookError, match="NaN"):
        hb.generate(model, [1, 2], 3, dtype="int8")
    with torch.no_grad():
        model.blocks[1].ffn.w2.weight[0, 0] = value
    with pytest.raises(CheckpointError, match="infinite or NaN, which int8 cannot hold"):
        steps(model, torch.tensor([[1]]))


def test_a_copy_is_made_once_and_anew_after_a_change():
    weight = build().blocks[0].ffn.w1.weight
    first = narrowed(weight, torch.int8)
    assert narrowed(weight, torch.int8) is first
    assert narrowed(weight, torch.float32) is weight
    with torch.no_grad():
        weight[0] = 1
    second = narrowed(weight, torch.int8)
    assert second is not first
    assert second[: weight.shape[1]].tolist() == [127] * weight.shape[1]


def test_each_weight_is_within_half_a_step_of_itself():
    weight = torch.randn(20, 33, generator=torch.Generator().manual_seed(0))
    numbers, scales = round_rows(weight)
    assert numbers.abs().amax(1).tolist() == [127] * 20
    assert ((numbers * scales[:, None] - weight).abs() <= scales[:, None] * 0.5001).all()


@pytest.mark.parametrize(
    ("changes", "prompt", "settings", "sentence"),
    [
        ({"norm_kind": "layernorm"}, [1], {}, "does not know this model's ln1, ln2"),
        ({"value_embeddings": 1}, [1], {}, "does not know this model's value"),
        ({}, [[1]] * 9, {}, "writes at most 8 texts at once, not 9"),
        ({}, [1], {"cache": False}, "keeps keys and values"),
    ],
)
def test_what_the_kernel_cannot_run_is_refused(changes, prompt, settings, sentence):
    with pytest.raises(ConfigError, match=f"int8 weights need the CPU kernel for generation, which {sentence}"):
        hb.generate(build(**changes), prompt, 3, dtype="int8", **settings)


def test_other_models_and_types_are_refused(monkeypatch):
    with pytest.raises(ConfigError, match="takes a model in float32"):
        hb.generate(build().bfloat16(), [1], 3, dtype="int8")
    with pytest.raises(ConfigError, match="dtype = 'int4' is not one of 'auto', 'float32', 'bfloat16', 'int8'"):
        hb.generate(build(), [1], 3, dtype="int4")  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(cpu_kernels, "enabled", False)
    with pytest.raises(ConfigError, match="runs on a CPU"):
        hb.generate(build(), [1], 3, dtype="int8")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that has learned its text."""
    folder = tmp_path_factory.mktemp("int8")
    (folder / "stories.txt").write_text(storyworld.generate(400_000, 1, "easy"), encoding="utf-8")
    recipe = {
        "run": {"directory": str(folder / "run")},
        "data": {"text": [str(folder / "stories.txt")]},
        "tokenizer": {"vocab_size": 400},
        "model": {"context_length": 64, "d_model": 96, "num_layers": 2, "num_heads": 3},
        "optimizer": {"lr": 3e-3},
        "training": {"steps": 120, "batch_size": 16, "dtype": "float32"},
        "evaluation": {"sample_every": 0},
    }
    return quiet_train(recipe)


def test_a_trained_model_keeps_its_logits_and_its_perplexity(run, capsys):
    model, _, _ = hb.load_run(run.path)
    records = json.loads((run.path / "data.json").read_text(encoding="utf-8"))
    ids = TokenData.open(records["validation"], model.config.vocab_size).arrays[0][:640].astype("int64").reshape(10, 64)
    logits = {}
    with torch.no_grad():
        for dtype in ("float32", "int8"):
            readers = [cached_reader(model, 1, dtype) for _ in ids]
            read = [[r([row[:n].tolist()])[0] for n in range(1, 64)] for r, row in zip(readers, ids, strict=True)]
            logits[dtype] = torch.stack([torch.stack(row) for row in read])
        targets = torch.from_numpy(ids[:, 1:])
        losses = {dtype: float(plain.cross_entropy(found, targets)) for dtype, found in logits.items()}
    assert losses["float32"] < 3, "it has learned something: guessing is 6"
    assert 1e-4 < distance(logits["int8"], logits["float32"]) < 1e-2
    assert abs(losses["int8"] - losses["float32"]) < math.log(1.005)

    perplexities = {}
    for dtype in ("float32", "bfloat16", "int8"):
        assert main(["eval", str(run.path), "--dtype", dtype, "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["dtype"] == dtype
        perplexities[dtype] = facts["perplexity"]
    assert len(set(perplexities.values())) == 3
    assert abs(perplexities["int8"] / perplexities["float32"] - 1) < 0.005


def test_generate_writes_with_int8_weights(run, capsys):
    texts = []
    for dtype in ("int8", "int8", "float32"):
        words = ["generate", str(run.path), "--prompt", "Once", "--dtype", dtype, "--max-new-tokens", "40"]
        assert main(words) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert texts[0].startswith("Once")
    assert main(["generate", str(run.path), "--prompt", "Once", "--dtype", "int8", "--num-samples", "9"]) == 2
    assert "writes at most 8 texts at once, not 9; take dtype float32" in capsys.readouterr().err


def test_rounded_weights_of_tied_embeddings_leave_the_table():
    model = build(tie_embeddings=True)
    table = model.token_embeddings.weight.clone()
    ids = torch.arange(12)[None]
    with torch.no_grad():
        before = steps(model, ids)
        round_weights_(model, torch.int8)
        assert torch.equal(model.token_embeddings.weight, table)
        assert distance(model(ids), before) < 2e-4
