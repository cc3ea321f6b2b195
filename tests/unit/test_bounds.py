"""Every number of a recipe has a bound, and what lies outside gets a sentence that names it."""

import dataclasses
import math
import typing
from typing import Any

import pytest

from hornbook.cli.main import main
from hornbook.config.describe import keys_of
from hornbook.data import sections as data
from hornbook.errors import ConfigError
from hornbook.models import config as models
from hornbook.training import sections as training
from hornbook.training.config import TrainConfig, check_paths, resolve_stored

TABLES = {
    "model": models.MODEL_BOUNDS,
    "data": data.DATA_BOUNDS,
    "tokenizer": data.TOKENIZER_BOUNDS,
    "optimizer": training.OPTIMIZER_BOUNDS,
    "schedule": training.SCHEDULE_BOUNDS,
    "training": training.TRAINING_BOUNDS,
    "evaluation": training.EVALUATION_BOUNDS,
    "checkpoint": training.CHECKPOINT_BOUNDS,
    "guard": training.GUARD_BOUNDS,
    "logging": training.LOGGING_BOUNDS,
}
SHAPE = {"vocab_size": 300, "context_length": 16, "d_model": 16, "num_layers": 1, "num_heads": 2, "d_ff": 32}
SECTIONS: dict[str, Any] = {
    name: hint for name, hint in typing.get_type_hints(TrainConfig).items() if dataclasses.is_dataclass(hint)
}


def is_number(hint):
    return hint in (int, float) or any(is_number(part) for part in typing.get_args(hint))


def cases():
    for section, bounds in TABLES.items():
        for name, bound in bounds.items():
            low = bound.least if bound.above else bound.least - 1
            high = bound.most if bound.below else bound.most * 2
            for value in (low, high, math.inf, -math.inf, math.nan):
                yield pytest.param(section, name, value, id=f"{section}.{name}={value:g}")


def test_every_number_of_every_section_has_a_bound():
    assert SECTIONS.keys() - {"run"} == TABLES.keys()
    for section, cls in SECTIONS.items():
        numbers = {key.name for key in keys_of(cls) if is_number(key.hint)}
        assert numbers == TABLES.get(section, {}).keys(), section


@pytest.mark.parametrize(("section", "name", "value"), list(cases()))
def test_a_number_outside_its_bound_is_named(section, name, value):
    given = (0.9, value) if name == "betas" else value
    base = SHAPE if section == "model" else {}
    with pytest.raises(ConfigError, match=rf"{name} = .* must be (a whole number of )?(at least|above) "):
        SECTIONS[section](**{**base, name: given})


@pytest.mark.parametrize("section", TABLES)
def test_the_defaults_and_the_ends_lie_inside(section):
    for name, bound in TABLES[section].items():
        assert bound.holds(bound.least) == (not bound.above)
        assert bound.holds(bound.most) == (not bound.below)
        assert bound.hint != "."
        assert name in {field.name for field in dataclasses.fields(SECTIONS[section])}
    SECTIONS[section](**(SHAPE if section == "model" else {}))


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--training.steps", "1e30", "training.steps"),
        ("--optimizer.lr", "inf", "optimizer.lr = inf must be at least 0 and at most 1,000,000"),
        ("--tokenizer.vocab-size", "100000000000000000000", "at most 2,147,483,647"),
        ("--model.d-model", "1000000000", "d_model = 1000000000 must be at least 1 and at most 1,048,576"),
        ("--training.threads", "100000", "training.threads = 100000 must be at least 1 and at most 65,536"),
    ],
)
def test_it_is_one_sentence_on_the_command_line(tmp_path, capsys, monkeypatch, flag, value, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a b c\n" * 100)
    assert main(["train", "--text", "a.txt", flag, value]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("optimizer", "key"),
    [
        ({"lr": 10.0, "weight_decay": 0.1}, "lr"),
        ({"name": "lion", "lr": 1.0}, "lr"),
        ({"name": "muon", "muon_lr": 2.0, "weight_decay": 0.5}, "muon_lr"),
    ],
)
def test_a_decay_that_leaves_nothing_of_the_weights_is_refused_but_read_where_it_is_stored(optimizer, key):
    sections = {"model": {k: v for k, v in SHAPE.items() if k != "vocab_size"}, "optimizer": optimizer}
    with pytest.raises(ConfigError, match=rf"optimizer\.{key} = .* times optimizer\.weight_decay = .* is 1: decay"):
        check_paths(sections)
    check_paths(sections, resume=True)
    assert resolve_stored(sections).optimizer.weight_decay > 0
    check_paths(sections | {"optimizer": optimizer | {key: 0.999 * optimizer[key]}})
    check_paths(sections | {"optimizer": {"name": "sgd", "lr": 1e3}})
