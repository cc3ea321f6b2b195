"""Parameters and FLOPs by formula equal the built model's parameters and torch's own FLOP counter, as integers."""

import dataclasses
import random

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import hornbook as hb
from hornbook.accounting.flops import count_flops, training_flops_per_token
from hornbook.accounting.optimizer import optimizer_step
from hornbook.accounting.parameters import count_parameters
from hornbook.accounting.presets import PRESETS
from hornbook.errors import ConfigError
from hornbook.nn.plain import cross_entropy
from hornbook.nn.specs import NORMS


def random_config(seed, **fixed):
    rng = random.Random(seed)
    num_heads = rng.choice([1, 2, 3, 4])
    num_layers = rng.randint(1, 4)
    settings = {
        "vocab_size": rng.randint(5, 300),
        "context_length": rng.randint(1, 40),
        "d_model": num_heads * 2 * rng.randint(1, 12),
        "num_layers": num_layers,
        "num_heads": num_heads,
        "d_ff": rng.choice([None, rng.randint(1, 150)]),
        "norm": rng.choice(["pre", "post", "none"]),
        "position": rng.choice(["rope", "none"]),
        "ffn": rng.choice(["swiglu", "silu", "relu2"]),
        "tie_embeddings": rng.random() < 0.5,
        "qk_norm": rng.random() < 0.3,
        "logit_softcap": rng.choice([0.0, 15.0]),
        "value_embeddings": rng.choice([0, rng.randint(0, num_layers)]),
        "norm_kind": rng.choice(sorted(NORMS)),
    }
    return hb.ModelConfig(**(settings | fixed))


@pytest.mark.parametrize("seed", range(40))
def test_parameters_equal_the_built_model(seed):
    config = random_config(seed)
    model = hb.TransformerLM(config, device="meta")
    assert count_parameters(config).total == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_equal_their_built_models(name):
    model = hb.TransformerLM(PRESETS[name], device="meta")
    assert count_parameters(PRESETS[name]).total == sum(p.numel() for p in model.parameters())


def test_component_names_and_sizes_equal_the_state_dict():
    config = random_config(1, tie_embeddings=False, norm="pre", value_embeddings=0, qk_norm=False, ffn="swiglu")
    sizes = {}
    for name, tensor in hb.TransformerLM(config, device="meta").named_parameters():
        kind = ".".join(part for part in name.split(".") if not part.isdigit() and part not in ("layers", "weight"))
        kind = "ln1, ln2" if kind in ("ln1", "ln2") else kind
        sizes[kind] = sizes.get(kind, 0) + tensor.numel()
    assert {t.name: t.value for t in count_parameters(config).terms} == sizes


@pytest.mark.parametrize("seed", range(40))
def test_forward_and_training_flops_equal_torchs_counter(seed):
    config = random_config(100 + seed)
    rng = random.Random(seed)
    batch_size, length = rng.randint(1, 3), rng.randint(1, config.context_length)
    model = hb.TransformerLM(config)
    ids = torch.randint(config.vocab_size, (batch_size, length))
    with FlopCounterMode(display=False) as forward:
        logits = model(ids)
    with FlopCounterMode(display=False) as backward:
        cross_entropy(logits, ids).backward()
    account = count_flops(config, batch_size, length)
    assert account.forward("matmul") == forward.get_total_flops()
    assert account.training_step("matmul") == forward.get_total_flops() + backward.get_total_flops()
    assert account.training_per_token * account.tokens == account.training_step()


def test_recomputation_equals_torchs_counter():
    config = random_config(7, num_layers=3)
    model = hb.TransformerLM(config)
    model.activation_checkpointing = True
    ids = torch.randint(config.vocab_size, (2, config.context_length))
    with FlopCounterMode(display=False) as counter:
        cross_entropy(model(ids), ids).backward()
    account = count_flops(config, 2, activation_checkpointing=True)
    assert account.training_step() == counter.get_total_flops()
    assert account.training_per_token == count_flops(config).training_per_token  # MFU does not credit repetition


def test_golden_values_of_gpt2_xl():
    # By hand: 2·50257·1600 + 48·(4·1600² + 3·1600·6400 + 2·1600) + 1600, and 2·m·n·k product by product.
    xl = PRESETS["gpt2-xl"]
    assert count_parameters(xl).total == 2_127_057_600
    assert count_parameters(xl).bytes("float32") == 8_508_230_400
    assert count_flops(xl).forward() == 4_513_336_524_800
    assert count_flops(xl, context_length=16384).forward() == 149_522_795_724_800
    assert count_flops(xl, 1024).training_step() == 3 * 1024 * 4_513_336_524_800
    ungated = dataclasses.replace(xl, ffn="silu")
    assert count_parameters(ungated).total == 1_635_537_600
    assert count_flops(ungated).forward() == 3_506_703_564_800
    assert optimizer_step(ungated).value == 14 * 1_635_537_600


def test_golden_values_of_the_handouts_own_model():
    config = PRESETS["tinystories"]
    assert count_parameters(config).total == 22_696_448
    assert training_flops_per_token(config) == 111_722_496  # "111.7 MFLOP per token"


def test_elementwise_work_is_small_at_size_and_never_negative():
    small, large = count_flops(PRESETS["tinystories"]), count_flops(PRESETS["gpt2-xl"])
    for account in (small, large):
        assert account.forward("elementwise") > account.forward("matmul")
    assert large.forward("elementwise") < 1.01 * large.forward("matmul")
    assert large.training_step("elementwise") == (
        3 * large.forward("elementwise") + (14 + 3) * count_parameters(PRESETS["gpt2-xl"]).total
    )


@pytest.mark.parametrize("ffn", ["swiglu", "silu"])
def test_muons_products_equal_torchs_counter(ffn):
    from hornbook.optim.groups import parameter_groups
    from hornbook.optim.muon import Muon

    config = random_config(5, ffn=ffn, value_embeddings=0, num_layers=2)
    model = hb.TransformerLM(config)
    optimizer = Muon(parameter_groups(model.named_parameters(), muon=True))
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    with FlopCounterMode(display=False) as counter:
        optimizer.step()
    parameters = count_parameters(config)
    elementwise = 6 * parameters.hidden + 14 * (parameters.total - parameters.hidden)
    assert optimizer_step(config, "muon").value - elementwise == counter.get_total_flops()


def test_shares_sum_to_one_and_mfu_is_a_ratio():
    account = count_flops(PRESETS["gpt2-small"])
    groups = {t.group for t in account.forward_terms}
    assert sum(account.share(group) for group in groups) == pytest.approx(1.0)
    assert account.mfu(1000.0, 1000.0 * account.training_per_token * 2) == pytest.approx(0.5)


def test_unknown_names_are_errors():
    with pytest.raises(ConfigError, match="did you mean 'adamw'"):
        optimizer_step(PRESETS["gpt2-small"], "adam")
    with pytest.raises(ConfigError, match="convention"):
        count_flops(PRESETS["gpt2-small"]).forward("all")
