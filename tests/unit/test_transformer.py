"""The whole model: against transformers' Llama, its switches, its names, its errors."""

import dataclasses
import itertools

import pytest
import torch

import hornbook as hb
from hornbook.errors import DataError
from hornbook.models.transformer import TransformerLM

BASE = hb.ModelConfig(vocab_size=61, context_length=16, d_model=32, num_layers=2, num_heads=4, d_ff=48)
SWITCHES = [
    *(
        {"norm": norm, "position": position, "ffn": ffn}
        for norm, position, ffn in itertools.product(("pre", "post", "none"), ("rope", "none"), ("swiglu", "silu"))
    ),
    {"tie_embeddings": True},
    {"tie_embeddings": True, "norm": "post", "ffn": "silu", "position": "none"},
    {"ffn": "relu2"},
    {"qk_norm": True},
    {"norm_kind": "layernorm"},
    {"norm_kind": "layernorm", "norm": "post"},
    {"zero_init_output": True},
    {"logit_softcap": 15.0},
    {"value_embeddings": 1},
    {"qk_norm": True, "zero_init_output": True, "logit_softcap": 15.0, "value_embeddings": 2, "ffn": "relu2"},
]  # fmt: skip


def build(seed=0, dtype=None, **changes) -> TransformerLM:
    torch.manual_seed(seed)
    return TransformerLM(dataclasses.replace(BASE, **changes), dtype=dtype)


def llama_with_the_weights_of(model: TransformerLM):
    """transformers' Llama, which keeps the two halves of a rotated pair D/2 apart: q and k rows are permuted."""
    from transformers import LlamaConfig, LlamaForCausalLM

    c = model.config
    assert c.d_ff is not None
    llama = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=c.vocab_size, hidden_size=c.d_model, intermediate_size=c.d_ff, num_hidden_layers=c.num_layers,
            num_attention_heads=c.num_heads, max_position_embeddings=c.context_length, rms_norm_eps=c.norm_eps,
            rope_parameters={"rope_type": "default", "rope_theta": c.rope_theta}, tie_word_embeddings=c.tie_embeddings,
        )
    )  # fmt: skip
    llama.set_attn_implementation("eager")

    def halves(weight):  # (H·D, C): rows 0 1 2 3 … of each head become 0 2 4 … 1 3 5 …
        return weight.unflatten(0, (c.num_heads, c.d_head // 2, 2)).transpose(1, 2).flatten(0, 2)

    ours = model.state_dict()
    names = {"attn.q_proj": "self_attn.q_proj", "attn.k_proj": "self_attn.k_proj", "attn.v_proj": "self_attn.v_proj",
             "attn.output_proj": "self_attn.o_proj", "ffn.w1": "mlp.gate_proj", "ffn.w2": "mlp.down_proj",
             "ffn.w3": "mlp.up_proj", "ln1": "input_layernorm", "ln2": "post_attention_layernorm"}  # fmt: skip
    theirs = {
        "model.embed_tokens.weight": ours["token_embeddings.weight"],
        "model.norm.weight": ours["ln_final.weight"],
    }
    theirs["lm_head.weight"] = ours.get("lm_head.weight", ours["token_embeddings.weight"])
    for i, (a, b) in itertools.product(range(c.num_layers), names.items()):
        weight = ours[f"layers.{i}.{a}.weight"]
        theirs[f"model.layers.{i}.{b}.weight"] = halves(weight) if a in ("attn.q_proj", "attn.k_proj") else weight
    llama.load_state_dict(theirs)
    return llama.to(ours["token_embeddings.weight"].dtype)


@pytest.mark.parametrize("tied", [False, True])
def test_logits_and_gradients_equal_llama_with_the_same_weights(tied):
    model = build(tie_embeddings=tied).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "ln" in name:
                parameter.uniform_(0.5, 1.5)
    llama = llama_with_the_weights_of(model)
    ids = torch.randint(0, 61, (3, 16))
    ours, theirs = model(ids), llama(ids).logits
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)  # both keep their rotation table in float32
    targets = torch.randint(0, 61, (3, 16))
    model.loss(ids, targets).backward()
    torch.nn.functional.cross_entropy(theirs.flatten(0, 1), targets.flatten()).backward()
    their_grad = dict(llama.named_parameters())["model.layers.0.mlp.down_proj.weight"].grad
    torch.testing.assert_close(model.blocks[0].ffn.w2.weight.grad, their_grad, rtol=1e-4, atol=1e-7)


def test_state_dict_names_are_the_contract():
    names = {"token_embeddings.weight", "ln_final.weight", "lm_head.weight"}
    parts = [
        "attn.q_proj",
        "attn.k_proj",
        "attn.v_proj",
        "attn.output_proj",
        "ln1",
        "ln2",
        "ffn.w1",
        "ffn.w2",
        "ffn.w3",
    ]
    names |= {f"layers.{i}.{part}.weight" for i in range(2) for part in parts}
    assert set(build().state_dict()) == names
    assert set(build(tie_embeddings=True).state_dict()) == names - {"lm_head.weight"}
    assert not any("ln" in name for name in build(norm="none").state_dict())
    assert "ln_final.weight" in build(norm="post").state_dict()


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_every_switch_can_overfit_one_batch(switches):
    model = build(**switches)
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 61, (4, 17), generator=generator)
    ids, targets = tokens[:, :-1], tokens[:, 1:]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0, fused=True)
    for _ in range(100):
        optimizer.zero_grad()
        loss = model.loss(ids, targets)
        loss.backward()
        optimizer.step()
    assert model.loss(ids, targets).item() < 0.05


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_no_position_sees_the_future(switches):
    model = build(**switches)
    ids = torch.randint(0, 61, (2, 12))
    changed = ids.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % 61
    torch.testing.assert_close(model(ids)[:, :7], model(changed)[:, :7])


def test_without_positions_order_before_the_last_token_does_not_matter():
    ids = torch.randint(0, 61, (1, 8))
    turned = torch.cat([ids[:, [1, 0]], ids[:, 2:]], 1)
    model = build(position="none", num_layers=1)
    torch.testing.assert_close(model(ids)[:, 2:], model(turned)[:, 2:])
    model = build(position="rope", num_layers=1)
    assert not torch.allclose(model(ids)[:, 2:], model(turned)[:, 2:], atol=1e-4)


def test_leading_dimensions_are_free():
    model = build()
    ids = torch.randint(0, 61, (2, 3, 5))
    logits = model(ids)
    assert logits.shape == (2, 3, 5, 61)
    torch.testing.assert_close(model(ids[1, 2]), logits[1, 2])


def test_tied_embeddings_are_one_tensor_of_the_stated_spread():
    model = build(tie_embeddings=True, d_model=256, num_heads=4, vocab_size=500)
    assert model.output_weight is model.token_embeddings.weight
    assert abs(model.output_weight.std().item() * 16 - 0.9866) < 0.02


def test_zero_initialised_outputs_make_every_block_the_identity():
    model = build(zero_init_output=True)
    x = torch.randn(2, 5, 32)
    assert torch.equal(model.layers[0](x), x)


def test_softcap_bounds_the_logits():
    model = build(logit_softcap=2.0)
    assert model(torch.randint(0, 61, (2, 16))).abs().max() <= 2.0


def test_same_seed_same_weights():
    for a, b in zip(build(seed=3).parameters(), build(seed=3).parameters(), strict=True):
        assert torch.equal(a, b)
    model = build()
    model.reset_parameters(torch.Generator().manual_seed(5))
    weight = model.get_parameter("layers.1.ffn.w1.weight")
    first = weight.clone()
    model.reset_parameters(torch.Generator().manual_seed(5))
    assert torch.equal(first, weight)


def test_activation_checkpointing_changes_nothing():
    ids, targets = torch.randint(0, 61, (2, 2, 16))
    gradients = []
    for switch in (False, True):
        model = build(dropout=0.1, value_embeddings=1)
        model.activation_checkpointing = switch
        torch.manual_seed(9)
        model.loss(ids, targets).backward()
        gradients.append([p.grad for p in model.parameters()])
    for a, b in zip(*gradients, strict=True):
        assert torch.equal(a, b)


def test_dropout_is_off_in_evaluation():
    ids = torch.randint(0, 61, (2, 16))
    dropped = build(dropout=0.5)
    assert torch.equal(dropped.eval()(ids), build().eval()(ids))
    assert not torch.equal(dropped.train()(ids), dropped(ids))


def test_errors_are_sentences():
    model = build()
    with pytest.raises(ValueError, match="17 tokens do not fit into the model's context of 16"):
        model(torch.zeros(1, 17, dtype=torch.long))
    with pytest.raises(DataError, match="a token id is 61, but the model's vocabulary has the ids 0 to 60"):
        model(torch.tensor([[3, 61]]))


def test_meta_device_builds_the_shapes_alone():
    model = TransformerLM(BASE, device="meta")
    assert all(p.is_meta for p in model.parameters())
    torch.use_deterministic_algorithms(True)  # it fills new memory with NaN, so that nothing left blank goes unseen
    try:
        model = model.to_empty(device="cpu")
    finally:
        torch.use_deterministic_algorithms(False)
    model.reset_parameters(torch.Generator().manual_seed(0))
    drawn = TransformerLM(BASE, device="cpu")
    drawn.reset_parameters(torch.Generator().manual_seed(0))
    ids = torch.randint(0, 61, (1, 8))
    assert torch.equal(model(ids), drawn(ids))


def test_bfloat16_weights_run():
    model = build().bfloat16()
    ids, targets = torch.randint(0, 61, (2, 2, 16))
    assert model(ids).dtype == torch.bfloat16
    assert model.loss(ids, targets).dtype == torch.float32
