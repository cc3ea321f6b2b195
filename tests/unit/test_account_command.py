"""`hb.account` and `hornbook account`: presets, recipes, overrides, JSON, formulas, plain errors."""

import json

import pytest

import hornbook as hb
from hornbook.accounting.formulas import spelled, value_of
from hornbook.cli.main import main
from hornbook.errors import ConfigError

RECIPE = """
[tokenizer]
vocab_size = 1000
[model]
context_length = 64
d_model = 32
num_layers = 2
num_heads = 4
[optimizer]
name = "muon"
[training]
steps = 50
batch_size = 6
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


def run(capsys, *words):
    code = main(["account", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_preset_in_json_has_exact_integers(capsys):
    code, out, _ = run(capsys, "gpt2-xl", "--batch-size", "1024", "--json")
    account = json.loads(out)
    assert code == 0
    assert account["parameters"]["total"] == 2_127_057_600
    assert account["flops"]["training_step"]["matmul"] == 3 * 1024 * 4_513_336_524_800
    assert sum(account["flops"]["forward"]["components"].values()) == 1024 * 4_513_336_524_800
    assert account["memory"]["textbook"]["largest_batch"] == 3
    assert account["time"]["days"] == pytest.approx(6583.6, abs=0.1)


def test_context_length_and_overrides_change_the_question(capsys):
    _, out, _ = run(capsys, "gpt2-xl", "--context-length", "16384", "--json")
    assert json.loads(out)["flops"]["forward"]["matmul"] == 149_522_795_724_800
    _, out, _ = run(capsys, "gpt2-xl", "--model.ffn", "silu", "--json")
    assert json.loads(out)["parameters"]["total"] == 1_635_537_600


def test_a_recipe_brings_its_own_vocabulary_batch_steps_and_optimizer(capsys, recipe):
    _, out, _ = run(capsys, recipe, "--json", "--training.batch-size=8")
    account = json.loads(out)
    assert account["model"]["vocab_size"] == 1000
    assert account["batch_size"] == 8
    assert account["time"]["tokens"] == 50 * 8 * 64
    assert hb.account(recipe).flops.optimizer_term.name == "muon"


def test_explain_writes_each_formula_with_its_numbers(capsys):
    _, out, _ = run(capsys, "gpt2-small", "--explain")
    assert "V·C = 50,257·768" in out
    assert "L·H·2·B·T·T·D = 12·12·2·1·1,024·1,024·64" in out
    assert "rate = peak 19.5 TFLOP/s × 0.5" in out


def test_explain_knows_every_letter_under_mixed_precision(capsys):
    code, out, _ = run(capsys, "gpt2-small", "--dtype", "bfloat16", "--explain")
    assert code == 0
    assert "L·4·C·C·e = 12·4·768·768·2" in out


def test_every_formula_that_is_shown_evaluates_to_its_value():
    account = hb.account("gpt2-medium", batch_size=3)
    terms = account.parameters.terms + account.flops.forward_terms + account.flops.elementwise_terms
    from hornbook.accounting.formulas import numbers_of

    numbers = numbers_of(account.spec.model, 3)
    for t in terms:
        shown = spelled(t.formula, numbers).replace(",", "").replace("·", "*").replace("²", "**2")
        assert eval(shown) == t.value == value_of(t.formula, numbers)


def test_a_config_object_is_an_account_too():
    config = hb.ModelConfig(vocab_size=100, context_length=8, d_model=16, num_layers=1, num_heads=2)
    account = hb.account(config, batch_size=2, dtype="bfloat16", device="h100", tokens_per_second=100.0, steps=10)
    assert account.time.measured_seconds == pytest.approx(10 * 2 * 8 / 100)
    assert account.time.rate == 0.5 * 989.4e12


def test_both_conventions_have_their_names_and_every_batch_its_device(capsys):
    _, out, _ = run(capsys, "llama-7b", "--device", "h100")
    assert "forward pass, matrix products, this model (ffn swiglu)" in out
    assert "memory, textbook (not this model: the handout's list, float32, ffn silu, d_ff = 4 d_model, untied)" in out
    assert "memory, this engine, this model, batch 1" in out
    said = [line for line in out.splitlines() if "largest batch" in line]
    assert len(said) == 2
    assert all("in 80 GB (h100)" in line for line in said)


def test_a_recipe_is_held_against_this_machine_and_a_preset_is_not(capsys, recipe, monkeypatch):
    monkeypatch.setattr("hornbook.accounting.memory_limit.available_memory", lambda: 2_000_000_000)
    _, out, _ = run(capsys, recipe)
    memory = hb.account(recipe).memory
    here = out.splitlines()[-1]
    assert here.startswith("memory, this engine, on this machine's CPU, float32: ")
    assert here.endswith(f"of 2 GB that it has to give; largest batch {memory.largest_batch(2_000_000_000):,}")
    assert "this machine" not in run(capsys, "gpt2-small")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gpt2xl"], "did you mean 'gpt2-xl'"),
        (["gpt2-xl", "--model.fn", "silu"], "did you mean 'ffn'"),
        (["gpt2-xl", "--trainin.batch-size", "3"], "did you mean 'training'"),
        (["gpt2-xl", "--device", "h10"], "did you mean"),
        (["gpt2-xl", "--dtype", "float16"], "float32 or bfloat16"),
        (["gpt2-xl", "--dtype", "bfloat16", "--device", "v100"], "choose float32"),
        (["gpt2-xl", "--batch-size", "0"], "at least 1"),
        (["gpt2-xl", "--mfu", "2"], "mfu"),
        (["gpt2-xl", "--model.num-heads", "7"], "not divisible"),
        (["missing.toml"], "missing.toml"),
    ],
)
def test_bad_input_gets_one_sentence_and_code_2(capsys, words, says):
    code, out, err = run(capsys, *words)
    assert code == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


def test_the_api_raises_the_same_sentence():
    with pytest.raises(ConfigError, match="no preset"):
        hb.account("nothing-like-it")
