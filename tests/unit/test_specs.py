"""A part's spec says of it what the layer is: parameters by formula, a layer to import, a kernel or none."""

import subprocess
import sys
from typing import Any

import pytest
import torch

import hornbook as hb
from hornbook.accounting.formulas import value_of
from hornbook.models.config import ModelConfig
from hornbook.models.kv_cache import NativeStep
from hornbook.models.parts import parts_of
from hornbook.nn import cpu_kernels
from hornbook.nn.spec import scaled
from hornbook.nn.specs import FEED_FORWARDS, NORMS, RMSNormSpec, layer_class

SIZES: dict[str, Any] = {"vocab_size": 53, "context_length": 20, "d_model": 32, "num_layers": 2, "num_heads": 4}


@pytest.mark.parametrize("kinds", [NORMS, FEED_FORWARDS], ids=["norms", "feed-forwards"])
def test_every_kind_has_a_layer_with_the_parameters_of_its_spec(kinds):
    numbers = {"C": 24, "F": 40}
    for spec in kinds.values():
        layer = layer_class(spec)(*([24] if kinds is NORMS else [24, 40]))
        count = sum(value_of(line.formula, numbers) for line in spec().parameters())
        assert count == sum(parameter.numel() for parameter in layer.parameters())


@pytest.mark.parametrize("key", ["norm_kind", "ffn"])
def test_every_kind_makes_a_model_whose_parts_are_those_of_the_list(key):
    for kind in NORMS if key == "norm_kind" else FEED_FORWARDS:
        more: dict[str, Any] = {key: kind}
        config = ModelConfig(**SIZES, **more, dropout=0.1, qk_norm=True, value_embeddings=1)
        model = hb.TransformerLM(config, device="meta")
        names = {name.removesuffix(".weight") for name, _ in model.named_parameters()}
        weighty = [part for part in parts_of(config) if part.spec.parameters()]
        for name in (name for part in weighty for name in part.name.split(", ")):
            assert any(name in other for other in names)


def test_a_part_without_a_kernel_keeps_the_model_off_the_decoding_kernel(monkeypatch):
    if cpu_kernels.variant() is None:
        pytest.skip("this build has no CPU kernels")
    model = hb.TransformerLM(ModelConfig(**SIZES))
    assert NativeStep.obstacle(model, 1) is None
    monkeypatch.setattr(RMSNormSpec, "kernel", None)
    assert NativeStep.obstacle(model, 1)
    assert len(hb.generate(model, torch.tensor([1, 2]), 5)) == 5


def test_a_kind_made_from_another_does_not_inherit_its_kernel():
    class CentredNormSpec(RMSNormSpec):
        layer = "hornbook.nn.norm.LayerNorm"

    assert RMSNormSpec.kernel == "rms_norm"
    assert CentredNormSpec.kernel is None


@pytest.mark.parametrize("kind", NORMS)
def test_a_norm_of_any_kind_is_drawn_anew_with_its_model(kind):
    model = hb.TransformerLM(ModelConfig(**SIZES, norm_kind=kind), device="meta").to_empty(device="cpu")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(float("nan"))
    model.reset_parameters()
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_formula_is_scaled_product_by_product():
    assert scaled("L·2", "B·T·C·4 + B·T·3") == "L·2·B·T·C·4 + L·2·B·T·3"
    assert scaled("", "V·C") == "V·C"


def test_specs_and_parts_do_not_import_torch():
    code = "import hornbook.models.parts, hornbook.accounting, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
