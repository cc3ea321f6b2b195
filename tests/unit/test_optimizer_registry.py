import dataclasses
import random
import subprocess
import sys

import pytest
import torch

import hornbook as hb
from hornbook.accounting.optimizer import optimizer_state, optimizer_step
from hornbook.errors import ConfigError
from hornbook.optim.registry import OPTIMIZERS, make_optimizer
from hornbook.training.config import describe, resolve
from hornbook.training.sections import OptimizerSection

SHAPE = {"context_length": 8, "d_model": 16, "num_layers": 2, "num_heads": 2, "vocab_size": 31}


def recipe(**optimizer):
    return resolve({"model": SHAPE, "optimizer": optimizer})


def updated(config):
    """Return a model and its optimizer after one update."""
    torch.manual_seed(0)
    model = hb.TransformerLM(config.model)
    optimizer = make_optimizer(config.optimizer, model.named_parameters())
    model(torch.randint(0, 31, (2, 8))).square().mean().backward()
    optimizer.step()
    return model, optimizer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_key_of_an_entry_is_a_key_of_the_recipe(name):
    spec = OPTIMIZERS[name]
    keys = {field.name for field in dataclasses.fields(OptimizerSection)}
    assert {*spec.arguments.values(), *filter(None, [spec.hidden_lr])} <= keys


@pytest.mark.parametrize("ffn", ["swiglu", "silu"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_accounting_counts_the_numbers_that_an_optimizer_keeps(name, ffn):
    config = dataclasses.replace(recipe(name=name).model, ffn=ffn)
    model, optimizer = updated(dataclasses.replace(recipe(name=name), model=config))
    kept = sum(t.numel() for state in optimizer.state.values() for key, t in state.items() if key != "step")
    assert optimizer_state(config, name).value == kept
    assert optimizer_step(config, name).value >= 2 * sum(p.numel() for p in model.parameters())


def test_operations_of_an_update_counted_by_hand():
    config = recipe().model
    n = sum(p.numel() for p in hb.TransformerLM(config).parameters())
    assert {name: optimizer_step(config, name).value / n for name in ("adamw", "lion", "sgd")} == {
        "adamw": 14,
        "lion": 11,
        "sgd": 2,
    }


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_key_of_an_entry_reaches_the_optimizer(name):
    spec, draw = OPTIMIZERS[name], random.Random(name)
    values = {key: draw.random() for key in ("lr", "eps", "weight_decay", "muon_lr", "momentum")}
    section = recipe(name=name, betas=[0.5, 0.75], **values).optimizer
    _, optimizer = updated(recipe(name=name, betas=[0.5, 0.75], **values))
    settings = [value for group in optimizer.param_groups for key, value in group.items() if key != "params"]
    for argument, key in spec.arguments.items():
        assert getattr(section, key) in settings or getattr(optimizer, argument, None) == getattr(section, key)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_groups_have_the_peaks_and_decay_of_the_recipe(name):
    model, optimizer = updated(recipe(name=name, lr=0.25, muon_lr=0.5, decay="matrices", weight_decay=0.125))
    names = {id(p): n for n, p in model.named_parameters()}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            hidden = parameter.ndim == 2 and names[id(parameter)].startswith("layers.")
            assert group["peak_lr"] == (0.5 if hidden and OPTIMIZERS[name].hidden_lr else 0.25)
            if "weight_decay" in group:
                spared = parameter.ndim == 1 or names[id(parameter)].startswith("token_embeddings")
                assert group["weight_decay"] == (0 if spared else 0.125)


def test_an_unknown_name_is_an_error_of_the_recipe():
    with pytest.raises(ConfigError, match=r"optimizer\.name: 'adam' .*is not one of 'adamw', .*did you mean 'adamw'"):
        recipe(name="adam")


def test_an_optimizer_may_bring_defaults_of_its_own(monkeypatch):
    sgd = dataclasses.replace(OPTIMIZERS["sgd"], defaults={"lr": 0.5, "decay": "matrices"})
    monkeypatch.setitem(OPTIMIZERS, "sgd", sgd)
    assert recipe(name="sgd").optimizer == OptimizerSection(name="sgd", lr=0.5, decay="matrices")
    assert recipe(name="sgd", lr=0.25).optimizer.lr == 0.25
    assert recipe().optimizer == OptimizerSection()


def test_the_help_gives_the_defaults_of_the_registry(monkeypatch):
    monkeypatch.setitem(OPTIMIZERS, "lion", dataclasses.replace(OPTIMIZERS["lion"], defaults={"lr": 0.0625}))
    texts = {key.name: key.text for section in describe() if section.name == "optimizer" for key in section.keys}
    assert texts["lr"].endswith('Default of "lion": 0.0625.')
    assert "lion" not in texts["weight_decay"]


def test_the_registry_is_read_without_torch():
    code = "import sys, hornbook.optim.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
