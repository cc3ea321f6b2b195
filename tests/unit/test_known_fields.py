"""A configuration with a field that a special case does not know takes the general path, or is refused by name."""

import dataclasses

import pytest
import torch

import hornbook as hb
from hornbook.accounting.flops import count_flops
from hornbook.accounting.memory import Memory
from hornbook.accounting.parameters import count_parameters
from hornbook.errors import CheckpointError, ConfigError
from hornbook.interop.huggingface import llama_tensors
from hornbook.interop.huggingface_export import write_huggingface_model
from hornbook.models.config import unknown_field
from hornbook.models.kv_cache import NativeStep

Windowed = dataclasses.make_dataclass("Windowed", [("window", int, 0)], bases=(hb.ModelConfig,), frozen=True)
SIZES = {"vocab_size": 53, "context_length": 20, "d_model": 32, "num_layers": 2, "num_heads": 4}
AT_DEFAULT, OTHERWISE = Windowed(**SIZES), Windowed(**SIZES, window=8)


def test_a_field_is_known_by_name_and_value_or_at_its_default():
    sizes = dict.fromkeys([*SIZES, "d_ff"])
    assert unknown_field(AT_DEFAULT, sizes) is None
    assert unknown_field(OTHERWISE, sizes) == "window"
    assert unknown_field(OTHERWISE, {**sizes, "window": None}) is None
    assert unknown_field(OTHERWISE, {**sizes, "window": (0, 4)}) == "window"
    assert unknown_field(AT_DEFAULT, {}) == "vocab_size"  # a field without a default must be known


def test_the_decoding_kernel_is_not_taken_for_a_model_that_it_does_not_know():
    assert NativeStep.obstacle(hb.TransformerLM(AT_DEFAULT), 1) is None
    assert NativeStep.obstacle(hb.TransformerLM(OTHERWISE), 1)
    assert NativeStep.obstacle(hb.TransformerLM(hb.ModelConfig(**SIZES, value_embeddings=1)), 1)
    assert NativeStep.obstacle(hb.TransformerLM(hb.ModelConfig(**SIZES, norm_kind="layernorm")), 1)


def test_the_fused_implementations_are_not_taken_for_a_model_that_they_do_not_know(monkeypatch):
    ids = torch.randint(53, (2, 20))
    assert hb.TransformerLM(AT_DEFAULT).use_fused().ops.fused
    model = hb.TransformerLM(OTHERWISE)
    plain = model.loss(ids, ids)
    for module in ("nn.ops", "models.transformer"):
        monkeypatch.setattr(f"hornbook.{module}.fused", None)  # any use of them would be an error
    assert not model.use_fused().ops.fused
    assert torch.equal(model.loss(ids, ids), plain)


@pytest.mark.parametrize("count", [count_parameters, count_flops, lambda config: Memory(config=config).measured(1)])
def test_the_accounting_refuses_a_model_that_it_does_not_know(count):
    count(AT_DEFAULT)
    with pytest.raises(ConfigError, match="window = 8 is not taken into account"):
        count(OTHERWISE)


@pytest.mark.parametrize(
    "config",
    [
        OTHERWISE,
        *(
            hb.ModelConfig(**SIZES, **more)
            for more in ({"norm": "post"}, {"qk_norm": True}, {"norm_kind": "layernorm"})
        ),
    ],
)
def test_only_a_llama_takes_the_weights_of_a_llama(config, tmp_path):
    with pytest.raises(CheckpointError, match=r"no Llama has (window|norm|qk_norm|norm_kind) ="):
        llama_tensors(tmp_path, config)


def test_code_beside_exported_weights_is_not_given_a_model_that_it_does_not_know(tmp_path):
    with pytest.raises(CheckpointError, match="does not compute window = 8"):
        write_huggingface_model(hb.TransformerLM(OTHERWISE), None, tmp_path, custom_code=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("field", ["norm", "norm_kind", "position", "ffn"])
def test_a_kind_that_is_added_is_refused_until_the_exported_code_computes_it(tmp_path, field):
    model = hb.TransformerLM(hb.ModelConfig(**SIZES))
    object.__setattr__(model.config, field, "half")
    with pytest.raises(CheckpointError, match=f"does not compute {field} = 'half'"):
        write_huggingface_model(model, None, tmp_path, custom_code=True)
