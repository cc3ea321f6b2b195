"""`hornbook doctor` says what the machine can do and how fast a recipe would train."""

import json
import re

import pytest

from hornbook.cli.main import main

RECIPE = """
[data]
text = ["train.txt"]
[tokenizer]
vocab_size = 300
[model]
context_length = 16
d_model = 32
num_layers = 1
num_heads = 2
[training]
batch_size = 4
steps = 7
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


def test_report_for_people(capsys, recipe):
    assert main(["doctor", str(recipe)]) == 0
    out = capsys.readouterr().out
    for word in ("threads", "bfloat16 pays", "hornbook's kernels", "tokens per second", "device auto takes"):
        assert word in out
    assert not (recipe.parent / "runs").exists()


def test_it_ends_with_a_verdict(capsys):
    assert main(["doctor"]) == 0
    *_, ten, hour, night, source = capsys.readouterr().out.splitlines()
    pattern = r"in (\w+ \w+) +a model of ([\d.]+ [kM]) parameters on [\d.]+ [kMBT] tokens: about 0\.\d+ bits/byte"
    found = [re.search(pattern, line) for line in (ten, hour, night)]
    assert [match.group(1) for match in found] == ["ten minutes", "an hour", "a night"]
    assert "story_runs.toml" in source


def test_report_for_scripts(capsys, recipe):
    assert main(["doctor", str(recipe), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cpu"]["threads"] >= 1
    assert float(found["recipe"]["tokens_per_second"].replace(",", "")) > 0


def test_a_missing_recipe_is_a_sentence(capsys):
    assert main(["doctor", "nowhere.toml"]) == 2
    assert "nowhere.toml" in capsys.readouterr().err
