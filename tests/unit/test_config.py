"""Recipes: files, overrides and strict dataclasses."""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from hornbook import config
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    d_model: int = 8
    lr: float = 1e-3
    name: str = "x"
    norm: Literal["pre", "post", "none"] = "pre"
    flag: bool = False
    threads: int | Literal["auto"] = "auto"
    minutes: float | None = None
    betas: tuple[float, float] = (0.9, 0.95)
    files: tuple[str, ...] = ()

    def __post_init__(self):
        if self.d_model % 2:
            raise ConfigError(f"d_model = {self.d_model} is odd")


@dataclass(frozen=True, kw_only=True)
class Outer:
    model: Inner = field(default_factory=Inner)
    steps: int


def build(recipe=None, words=()):
    return config.build(Outer, config.merge(recipe or {"steps": 1}, config.parse_overrides(list(words))))


@pytest.mark.parametrize(
    ("word", "value", "attribute"),
    [
        ("d-model", "256", 256),
        ("d_model", "1_000", 1000),
        ("d_model", "1e4", 10000),
        ("lr", "3e-4", 3e-4),
        ("lr", "1", 1.0),
        ("name", "256", "256"),
        ("name", "true", "true"),
        ("norm", "none", "none"),
        ("flag", "yes", True),
        ("threads", "auto", "auto"),
        ("threads", "2", 2),
        ("minutes", "none", None),
        ("minutes", "2.5", 2.5),
        ("betas", "0.8,0.9", (0.8, 0.9)),
        ("betas", "[0.8, 0.9]", (0.8, 0.9)),
        ("files", "a.txt", ("a.txt",)),
        ("files", '["a b.txt", "c.txt"]', ("a b.txt", "c.txt")),
    ],
)
def test_words_take_the_type_of_their_field(word, value, attribute):
    for words in ([f"--model.{word}", value], [f"--model.{word}={value}"]):
        got = getattr(build(words=words).model, word.replace("-", "_"))
        assert got == attribute
        assert type(got) is type(attribute)


def test_a_key_without_value_is_true():
    assert build(words=["--model.flag", "--model.lr", "1"]).model.flag is True


def test_negative_numbers_are_values_not_keys():
    assert build(words=["--model.lr", "-1"]).model.lr == -1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 1, "model": {"d_modle": 4}}, r"model\.d_modle: there is no such key \(did you mean 'd_model'\?\)"),
        ({"steps": 1, "model": {"qqq": 4}}, "the keys here are d_model"),
        ({"steps": "many"}, r"steps: wanted a whole number, got 'many' \(text\)"),
        ({"steps": True}, "wanted a whole number, got true"),
        ({"steps": 1.5}, "wanted a whole number, got 1.5"),
        ({"steps": 1, "model": {"lr": "fast"}}, r"model\.lr: wanted a number"),
        ({"steps": 1, "model": {"name": 3}}, r"model\.name: wanted text, got 3"),
        ({"steps": 1, "model": {"norm": "por"}}, "not one of 'pre', 'post', 'none'"),
        ({"steps": 1, "model": {"betas": [0.9]}}, "wanted 2 values, got 1"),
        ({"steps": 1, "model": {"d_model": 3}}, r"\[model\] d_model = 3 is odd"),
        ({"steps": 1, "model": 3}, "wanted a section"),
        ({}, "steps is missing and has no default; wanted a whole number"),
    ],
)
def test_a_wrong_value_is_one_sentence(given, message):
    with pytest.raises(ConfigError, match=message):
        config.build(Outer, given)


@pytest.mark.parametrize(
    "words", [["lr", "3"], ["--lr", "3"], ["-model.lr", "3"], ["--model..lr", "3"], ["--model.", "3"]]
)
def test_a_word_that_is_no_override_is_refused(words):
    with pytest.raises(ConfigError, match="overrides are written"):
        build(words=words)


def test_the_three_formats_read_alike(tmp_path: Path):
    (tmp_path / "a.toml").write_text(
        'steps = 7\n[model]\nlr = 1e-3\nnorm = "none"\nminutes = 2.5\nbetas = [0.9, 1e-1]\n'
    )
    (tmp_path / "a.json").write_text(
        '{"steps": 7, "model": {"lr": 1e-3, "norm": "none", "minutes": 2.5, "betas": [0.9, 0.1]}}'
    )
    (tmp_path / "a.yaml").write_text(
        "steps: 7\nmodel:\n  lr: 1e-3\n  norm: none\n  minutes: 2.5\n  betas: [0.9, 1e-1]\n"
    )
    built = [config.build(Outer, config.read(tmp_path / f"a.{kind}")) for kind in ("toml", "json", "yaml")]
    assert built[0] == built[1] == built[2]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", "steps = = 3"),
        ("a.json", '{"steps": 1, "steps": 2}'),
        ("a.json", "[1]"),
        ("a.json", "{"),
        ("a.yaml", "a: [1"),
        ("a.yaml", "just words"),
        ("a.txt", "hello"),
        ("a.json", "[" * 100_000),
        ("a.json", '{"a":' * 900 + "1" + "}" * 900),
        ("a.toml", "a = " + "[" * 200 + "]" * 200),
        ("a.yaml", "a: " + "[" * 200 + "]" * 200),
        ("a.yaml", "steps: 1\n3: 4"),
        ("a.yaml", "steps: 1\nsteps: 2"),
        ("a.yaml", "model: {null: 2}"),
        ("a.json", r'{"name": "\ud800"}'),
        ("a.json", r'{"\udcff": 1}'),
    ],
)
def test_a_malformed_file_is_one_sentence(tmp_path: Path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.read(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_aliases_are_refused_before_they_are_expanded(tmp_path: Path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    (tmp_path / "a.yaml").write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=r"line 2 repeats a value by the alias \*a0; write the value out"):
        config.read(tmp_path / "a.yaml")


@pytest.mark.timeout(20)  # 0.1 s; each key was compared with all others: 10¹⁰ comparisons
@pytest.mark.parametrize("ending", [".json", ".yaml"])
def test_many_keys_take_no_quadratic_time(tmp_path: Path, ending):
    count = 100_000 if ending == ".json" else 5_000
    text = json.dumps({f"key{i}": 1 for i in range(count)})
    (tmp_path / f"a{ending}").write_text(text)
    assert len(config.read(tmp_path / f"a{ending}")) == count


@pytest.mark.parametrize("text", [f"lr = {'9' * 400}", f"lr = -{'9' * 400}"])
def test_a_whole_number_that_no_float_holds_is_one_sentence(text):
    with pytest.raises(ConfigError, match=r"model.lr: wanted a number, got -?999"):
        build({"steps": 1, "model": tomllib.loads(text)})


def test_a_recipe_in_latin_1_names_the_byte(tmp_path: Path):
    (tmp_path / "a.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(ConfigError, match=r"a.toml is not UTF-8: malformed at byte 11 \(it looks like Windows-1252"):
        config.read(tmp_path / "a.toml")


def test_what_is_built_survives_the_round_trip_through_toml(tmp_path: Path):
    built = build(words=["--model.files", "a,b", "--model.minutes", "3", "--model.threads", "2"])
    (tmp_path / "a.toml").write_text(config.dump_toml(config.to_dict(built)))
    assert config.build(Outer, config.read(tmp_path / "a.toml")) == built


def test_merge_lays_sections_and_dotted_paths_over_the_base():
    base = {"steps": 1, "model": {"lr": 1.0, "name": "a"}}
    assert config.merge(base, {"model": {"lr": 2.0}, "model.name": "b", "steps": 3}) == {
        "steps": 3,
        "model": {"lr": 2.0, "name": "b"},
    }
    assert base == {"steps": 1, "model": {"lr": 1.0, "name": "a"}}


def test_keys_for_a_section_that_holds_a_value_are_refused():
    with pytest.raises(ConfigError, match="'model' holds a value, not a section"):
        build({"steps": 1, "model": 3}, ["--model.lr", "1"])


def test_flatten_names_nested_keys_and_merge_is_the_way_back():
    nested = {"a": {"b": {"c": 1}}, "d": 2}
    assert config.flatten(nested) == {"a.b.c": 1, "d": 2}
    assert config.merge({}, config.flatten(nested)) == nested


def test_names_of_files_are_not_torn_apart_and_repeated_keys_add_up():
    words = ["--data.text", "a,b.txt", "--data.text", "[x].txt", "--data.text=c.txt", "--data.text", '["d", "e"]']
    words += ["--data.field", "no", "--data.field", "body"]
    data = config.build(DataSection, config.parse_overrides(words)["data"])
    assert data.text == ("a,b.txt", "[x].txt", "c.txt", "d", "e")
    assert data.field == "body"
    assert config.build(DataSection, config.parse_overrides(["--data.text", "a,b.txt"])["data"]).text == ("a,b.txt",)
    words = ["--t.special-tokens", "<a>,<b>", "--t.special-tokens", "<c>"]
    assert config.build(TokenizerSection, config.parse_overrides(words)["t"]).special_tokens == ("<a>", "<b>", "<c>")
