"""`model.init_from`: runs and Hugging Face folders give weights, shape and tokenizer; misfits get a sentence."""

import json
import struct

import numpy as np
import pytest
import torch
from harness.recipes import VOCAB, quiet_train, tiny_recipe

import hornbook as hb
from hornbook.cli.main import main
from hornbook.errors import HornbookError
from hornbook.interop.huggingface import llama_config, llama_tensors
from hornbook.training.load import load_run

TEXT = "the cat sat on the mat and the dog ran to the red ball while a bird sang in its tree\n<|endoftext|>\n"


pytestmark = pytest.mark.usefixtures("own_folders")


def write_llama(folder, *, tied=False, shards=None, vocab_size=VOCAB, **changes):
    """Write a folder with transformers itself and return its model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=vocab_size, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=tied,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0}, **changes,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    model.set_attn_implementation("eager")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.uniform_(0.5, 1.5)
    model.save_pretrained(folder, **({"max_shard_size": shards} if shards else {}))
    return model


def edit(path, **changes):
    values = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in (values | changes).items() if value is not ...}))


def started_from(folder, place, **sections):
    """Train nothing from a folder: one update at a learning rate of zero, without decay; return the model."""
    sections = {"training": {"steps": 1, "gradient_accumulation": 1}, "model": {"init_from": str(folder)}, **sections}
    recipe = tiny_recipe(place, optimizer={"lr": 0.0, "weight_decay": 0.0}, schedule={"warmup_steps": 0})
    recipe |= sections
    return load_run(quiet_train(recipe).path, "last")


@pytest.mark.parametrize(("tied", "shards"), [(False, None), (True, None), (False, "20KB")])
def test_a_hugging_face_folder_gives_the_logits_that_transformers_computes(tmp_path, tied, shards):
    theirs = write_llama(tmp_path / "llama", tied=tied, shards=shards)
    assert len(list((tmp_path / "llama").glob("*.safetensors"))) == (1 if shards is None else 6)
    model, _, config = started_from(tmp_path / "llama", tmp_path / "a")
    c = config.model
    assert (c.d_model, c.num_layers, c.num_heads, c.d_ff, c.context_length) == (32, 2, 4, 48, 64)
    assert (c.rope_theta, c.norm_eps, c.tie_embeddings) == (5000.0, 1e-6, tied)
    ids = torch.randint(0, VOCAB, (3, 20), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model(ids), theirs(ids).logits, rtol=1e-5, atol=1e-5)


def test_weights_in_bfloat16_are_read_as_float32(tmp_path):
    theirs = write_llama(tmp_path / "llama").bfloat16()
    theirs.save_pretrained(tmp_path / "llama")
    tensors = llama_tensors(tmp_path / "llama", llama_config(tmp_path / "llama"))
    assert {t.dtype for t in tensors.values()} == {torch.float32}
    assert torch.equal(tensors["token_embeddings.weight"], theirs.model.embed_tokens.weight.float())


def test_training_goes_on_from_a_hugging_face_folder_with_another_context(tmp_path):
    write_llama(tmp_path / "llama")
    recipe = tiny_recipe(tmp_path, guard={"action": "off"})
    run = quiet_train({**recipe, "model": {"init_from": "llama", "context_length": 16, "dropout": 0.1}})
    assert run.status == "done"
    assert run.config["model"]["context_length"] == 16
    first, last = run.metrics()[0]["val_loss"], run.summary()["val_loss"]
    assert last < first


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "gpt2"}, "model_type is 'gpt2', wanted 'llama'"),
        ({"num_key_value_heads": 2}, "num_key_value_heads is 2 with 4 heads; grouped-query attention is not here"),
        ({"attention_bias": True}, "attention_bias is True"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
        ({"head_dim": 16}, "head_dim is 16"),
        ({"quantization_config": {"bits": 4}}, "quantised weights are not read"),
        ({"rope_parameters": {"rope_type": "llama3", "factor": 8.0}}, "scaled rotations are not computed"),
        ({"rope_parameters": 7}, "scaled rotations are not computed"),
        ({"sliding_window": 16}, "sliding_window is 16, wanted None: hornbook attends to the whole context"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor is 0.5, wanted 1.0: hornbook rotates whole heads"),
        (
            {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}},
            "'partial_rotary_factor': 0.5}; partial or scaled rotations are not computed here",
        ),
        ({"rope_parameters": {"full_attention": {"rope_theta": 5e5}}}, "rope_parameters is {'full_attention'"),
        ({"rope_scaling": {"factor": 2}}, "scaled rotations are not computed"),
        ({"num_hidden_layers": "two"}, "describes no model"),
        ({"hidden_size": ...}, "describes no model"),
        ({"hidden_size": 33}, "describes no model"),
        ({"num_hidden_layers": 3}, r"has no tensor model\.layers\.2\.input_layernorm.*: num_hidden_layers is 3"),
        ({"num_hidden_layers": 1}, r"has a tensor model\.layers\.1\..* \(and 8 more\).*: num_hidden_layers is 1"),
        ({"hidden_size": 36, "head_dim": 9}, "odd width"),
        (
            {"hidden_size": 16, "head_dim": 4},
            r"embed_tokens\.weight has shape \(61, 32\), and its config\.json says \(61, 16\), as hidden_size is 16",
        ),
        (
            {"intermediate_size": 40},
            r"0\.mlp\.gate_proj\.weight has shape \(48, 32\), .* as intermediate_size is 40",
        ),
        ({"vocab_size": 70}, "has a vocabulary of 70 ids, the recipe's tokenizer one of 61"),
        ({"tie_word_embeddings": True}, "lm_head.weight is not the embedding"),  # transformers does not tie it either
    ],
)
def test_what_hornbook_cannot_compute_is_one_sentence(tmp_path, changes, message):
    write_llama(tmp_path / "llama")
    edit(tmp_path / "llama" / "config.json", **changes)
    with pytest.raises(HornbookError, match=message) as caught:
        started_from(tmp_path / "llama", tmp_path)
    assert "\n" not in str(caught.value)


def test_what_does_not_change_a_llama_is_passed_over(tmp_path):
    """Settings that transformers' Llama does not compute with, and those that say what is so anyway."""
    theirs = write_llama(tmp_path / "llama")
    plain = {"rope_type": "default", "rope_theta": 5000.0, "partial_rotary_factor": 1.0}
    edit(tmp_path / "llama" / "config.json", pretraining_tp=2, num_local_experts=8, rope_parameters=plain)
    transformers = pytest.importorskip("transformers")
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "llama")
    model = started_from(tmp_path / "llama", tmp_path / "a")[0]
    ids = torch.randint(0, VOCAB, (2, 20), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(again(ids).logits, theirs(ids).logits, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(model(ids), theirs(ids).logits, rtol=1e-5, atol=1e-5)


def test_a_shared_matrix_may_be_stored_twice(tmp_path):
    theirs = write_llama(tmp_path / "llama")
    theirs.lm_head.weight.data = theirs.model.embed_tokens.weight.data.clone()
    theirs.save_pretrained(tmp_path / "llama")
    edit(tmp_path / "llama" / "config.json", tie_word_embeddings=True)
    assert started_from(tmp_path / "llama", tmp_path)[2].model.tie_embeddings


def test_a_number_of_layers_that_nobody_has_costs_nothing(tmp_path):
    write_llama(tmp_path / "llama")
    edit(tmp_path / "llama" / "config.json", num_hidden_layers=10**12)
    with pytest.raises(HornbookError, match="must be at least 1 and at most 100,000"):
        llama_config(tmp_path / "llama")
    edit(tmp_path / "llama" / "config.json", num_hidden_layers=100_000)
    with pytest.raises(HornbookError, match=r"has no tensor model\.layers\.2\."):
        llama_tensors(tmp_path / "llama", llama_config(tmp_path / "llama"))


def _cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _to_pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _outside(folder):
    (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"lm_head.weight": "../model.safetensors"}}')


def _missing_part(folder):
    _outside(folder)
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"lm_head.weight": "a.safetensors"}}')
    (folder / "a.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")


def _integers(folder):
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] = tensors["model.norm.weight"].to(torch.int32)
    save_file(tensors, folder / "model.safetensors")


def _retyped(name, change):
    def damage(folder):
        from safetensors.torch import load_file, save_file

        tensors = load_file(folder / "model.safetensors")
        tensors[name] = change(tensors[name]).contiguous()
        save_file(tensors, folder / "model.safetensors")

    return damage


def _in_parts(change):
    """Part the weights as an index says, after `change` has seen its map and the parts."""

    def damage(folder):
        from safetensors.torch import load_file, save_file

        tensors = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        parts = {"a.safetensors": {}, "b.safetensors": {}}
        for i, name in enumerate(sorted(tensors)):
            parts["ab"[i % 2] + ".safetensors"][name] = tensors[name]
        index = {name: part for part, held in parts.items() for name in held}
        text = change(index, parts) or json.dumps({"weight_map": index})
        for part, held in parts.items():
            save_file(held, folder / part)
        (folder / "model.safetensors.index.json").write_text(text)

    return damage


NORM = "model.norm.weight"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            _retyped("model.layers.1.self_attn.k_proj.weight", lambda t: t[:16]),
            "llama/model.safetensors: model.layers.1.self_attn.k_proj.weight has shape (16, 32), and its config.json "
            "says (32, 32), as num_key_value_heads × head_dim is 32 there",
        ),
        (_retyped(NORM, lambda t: t[:, None]), "model.norm.weight has shape (32, 1), and its config.json says (32,)"),
        (
            _retyped(NORM, lambda t: t * float("inf")),
            "llama/model.safetensors: model.norm.weight holds NaN or infinity",
        ),
        (
            _in_parts(lambda index, parts: parts.pop("b.safetensors") and None),
            "index.json names the part b.safetensors, and there is no such file",
        ),
        (
            _in_parts(lambda index, parts: parts["b.safetensors"].update(parts["a.safetensors"])),
            "b.safetensors holds the tensor lm_head.weight, and model.safetensors.index.json says that it is in a",
        ),
        (
            _in_parts(lambda index, parts: index.pop(NORM) and None),
            "holds the tensor model.norm.weight, and model.safetensors.index.json does not name it",
        ),
        (
            _in_parts(lambda index, parts: index.update(more="a.safetensors")),
            "a.safetensors lacks the tensor more that model.safetensors.index.json promises",
        ),
        (
            _in_parts(
                lambda index, parts: json.dumps({"weight_map": index})[:-2] + ', "lm_head.weight": "b.safetensors"}}'
            ),
            "the key 'lm_head.weight' stands twice in one object",
        ),
        (_cut, "is not a sound safetensors file"),
        (_to_pickle, "a pickle can run any code"),
        (lambda folder: (folder / "model.safetensors").unlink(), "and no weights"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is not JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "holds no JSON object"),
        (lambda folder: (folder / "config.json").unlink(), "is neither the folder of a run"),
        (_outside, "wanted a .safetensors file of the folder itself"),
        (_missing_part, "lacks the tensor lm_head.weight that"),
        (_integers, "model.norm.weight has type torch.int32"),
    ],
)
def test_a_damaged_folder_is_one_sentence(tmp_path, damage, message):
    write_llama(tmp_path / "llama")
    damage(tmp_path / "llama")
    with pytest.raises(HornbookError) as caught:
        started_from(tmp_path / "llama", tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 4}, "num_heads is 2 there and 4 in the recipe; leave model.num_heads out"),
        ({"norm": "post"}, "norm is 'pre' there and 'post' in the recipe"),
        ({"rope_theta": 500.0}, "rope_theta is 10000.0 there and 500.0 in the recipe"),
        ({"d_model": 32}, "d_model is 16 there and 32 in the recipe"),
    ],
)
def test_a_recipe_that_contradicts_its_source_is_refused_even_where_the_weights_would_fit(tmp_path, changes, message):
    first = quiet_train(tiny_recipe(tmp_path / "first", training={"steps": 2}))
    with pytest.raises(HornbookError, match=message):
        quiet_train(tiny_recipe(tmp_path / "second", model={"init_from": str(first.path), **changes}))


def test_a_text_is_trained_on_from_a_run_with_its_shape_and_tokenizer(tmp_path, capsys):
    (tmp_path / "first.txt").write_text(TEXT * 60)
    (tmp_path / "second.txt").write_text(TEXT.replace("cat", "wolf") * 60)
    small = ["--tokenizer.vocab-size", "300", "--model.d-model", "16", "--model.num-layers", "1", "--model.num-heads",
             "2", "--model.context-length", "16", "--training.steps", "30", "--training.batch-size", "4"]  # fmt: skip
    assert main(["train", "--text", "first.txt", *small]) == 0
    start = ["train", "--text", "second.txt", "--model.init-from", "runs/first", "--training.steps", "3"]
    assert main([*start, "--show-recipe"]) == 0
    assert 'init_from = "runs/first"' in capsys.readouterr().out
    assert main(start) == 0
    _, before, _ = load_run(tmp_path / "runs" / "first")
    _, after, config = load_run(tmp_path / "runs" / "second")
    assert (config.model.d_model, config.model.num_layers, config.model.context_length) == (16, 1, 16)
    assert after.fingerprint == before.fingerprint
    assert config.init_from == str(tmp_path / "runs" / "first")
    assert main([*start, "--resume"]) == 0, "the same recipe, as it was given"
    # It continues by itself, wherever the first one has gone.
    (tmp_path / "runs" / "first" / "checkpoints").rename(tmp_path / "gone")
    assert main(["train", "runs/second", "--resume"]) == 0


def test_another_tokenizer_of_the_same_size_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT * 60)
    (tmp_path / "b.txt").write_text(TEXT.replace("bird sang", "lion roared") * 60)
    shape = {"context_length": 16, "d_model": 16, "num_layers": 1, "num_heads": 2}
    rest = {"tokenizer": {"vocab_size": 280}, "training": {"steps": 2, "batch_size": 2}}
    quiet_train({"run": {"name": "a"}, "data": {"text": ["a.txt"]}, "model": shape, **rest})
    recipe = {"run": {"name": "b"}, "data": {"text": ["b.txt"]}, "model": {"init_from": "runs/a"}, **rest}
    with pytest.raises(
        HornbookError, match=r"another tokenizer of the same size.*--tokenizer\.path \S+/runs/a/tokenizer"
    ):
        quiet_train(recipe)
    recipe["tokenizer"] = {"path": "runs/a/tokenizer"}
    assert quiet_train(recipe).status == "done"


def test_a_hugging_face_folder_brings_its_tokenizer(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT * 60)
    vocab, merges = hb.train_bpe(tmp_path / "a.txt", 290, ["<|endoftext|>"])
    from hornbook.tokenizer.formats import write_parts

    tokenizer = hb.Tokenizer(vocab, merges, ["<|endoftext|>"])
    write_llama(tmp_path / "llama", vocab_size=len(vocab))
    write_parts(tokenizer.parts(), tmp_path / "llama", "huggingface")
    recipe = {"data": {"text": ["a.txt"]}, "model": {"init_from": "llama", "context_length": 16}}
    run = quiet_train({**recipe, "training": {"steps": 2, "batch_size": 2}})
    _, read, _ = load_run(run.path)
    assert np.array_equal(read.encode(TEXT), tokenizer.encode(TEXT))
