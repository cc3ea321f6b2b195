"""The model's shape: defaults filled in, mistakes answered with a sentence."""

import subprocess
import sys
from typing import Any

import pytest

from hornbook.errors import ConfigError
from hornbook.models.config import ModelConfig

BASE: dict[str, Any] = {"vocab_size": 100, "context_length": 16, "d_model": 32, "num_layers": 2, "num_heads": 4}


def test_derived_values():
    config = ModelConfig(**BASE)
    assert (config.d_head, config.d_ff, config.resolved_d_ff) == (8, 64, 64)
    assert ModelConfig(10_000, 256, 512, 4, 16).d_ff == 1344
    assert ModelConfig(**BASE, ffn="silu").d_ff == 128
    assert ModelConfig(**BASE, d_ff=50).d_ff == 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_heads": 5}, "d_model = 32 is not divisible by num_heads = 5.*num_heads = 2 or 4 would do"),
        ({"d_model": "32"}, "d_model = '32' must be a whole number"),
        ({"d_model": 12}, 'heads of odd width .*= 3\\) cannot be rotated in pairs.*position = "none"'),
        ({"num_layers": 0}, "num_layers = 0 must be a whole number of at least 1"),
        ({"vocab_size": 1.5}, "vocab_size = 1.5 must be a whole number"),
        ({"d_ff": -1}, "d_ff = -1"),
        ({"norm": "per"}, "norm = 'per' is not one of 'pre', 'post', 'none' \\(did you mean 'pre'\\?\\)"),
        ({"ffn": "gelu"}, "ffn = 'gelu' is not one of"),
        ({"norm_kind": "rmsnrm"}, "norm_kind = 'rmsnrm' is not one of .*\\(did you mean 'rmsnorm'\\?\\)"),
        ({"dropout": 1.0}, "dropout = 1.0"),
        ({"rope_theta": float("nan")}, "rope_theta"),
        ({"logit_softcap": -1.0}, "logit_softcap"),
        ({"value_embeddings": 3}, "value_embeddings = 3 must be between 0 and num_layers = 2"),
    ],
)
def test_mistakes_are_answered_with_a_sentence(change, message):
    with pytest.raises(ConfigError, match=message):
        ModelConfig(**{**BASE, **change})


def test_odd_heads_are_fine_without_rotation():
    assert ModelConfig(**{**BASE, "d_model": 12}, position="none").d_head == 3


def test_configuration_does_not_import_torch():
    code = "import hornbook.models.config, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
