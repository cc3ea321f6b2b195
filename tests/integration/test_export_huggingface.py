"""What is exported is computed by transformers as here: logits, greedy text, ids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from harness.exports import AWKWARD, TEXT, model

import hornbook as hb
from hornbook.errors import CheckpointError
from hornbook.interop.huggingface import llama_config, llama_tensors
from hornbook.interop.huggingface_export import write_huggingface_model

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> hb.Tokenizer:
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(TEXT)
    vocab, merges = hb.train_bpe(file, 400, ["<|endoftext|>", "<|pad|>"])
    return hb.Tokenizer(vocab, merges, ["<|endoftext|>", "<|pad|>"])


def load(folder: Path, **how):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **how).eval()


def assert_computes_the_same(theirs, ours, vocab_size: int) -> None:
    ids = torch.randint(vocab_size, (3, 64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(theirs(ids).logits, ours(ids), atol=1e-5, rtol=1e-5)
    for row in ids[:2, :7]:
        own = hb.generate(ours, [row.tolist()], 24, temperature=0)[0].tolist()
        other = theirs.generate(row[None], max_new_tokens=24, max_length=None, do_sample=False, eos_token_id=None)
        assert other[0, 7:].tolist() == own


@pytest.mark.parametrize("tied", [False, True])
def test_a_llama_is_loaded_without_code_of_ours(tmp_path, tokenizer, tied):
    ours = model(tokenizer, tie_embeddings=tied, rope_theta=5000.0, norm_eps=1e-6, d_ff=96)
    write_huggingface_model(ours, tokenizer, tmp_path)
    theirs = load(tmp_path)
    assert type(theirs).__name__ == "LlamaForCausalLM"
    assert_computes_the_same(theirs, ours, tokenizer.vocab_size)


def test_its_tokenizer_gives_the_same_ids(tmp_path, tokenizer):
    write_huggingface_model(model(tokenizer), tokenizer, tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in [*AWKWARD, TEXT]:
        ids = tokenizer.encode(text)
        assert theirs.encode(text) == ids, text
        assert theirs(text)["input_ids"] == ids, text
        assert theirs.decode(ids) == text
    assert theirs.eos_token == theirs.bos_token == "<|endoftext|>"
    assert theirs.eos_token_id == tokenizer.special_token_ids["<|endoftext|>"]
    assert theirs.model_max_length == 64
    assert theirs.decode(tokenizer.encode("<|pad|>text"), skip_special_tokens=True) == "text"


@pytest.mark.parametrize("tied", [False, True])
def test_out_and_back_is_equal_to_the_bit(tmp_path, tokenizer, tied):
    ours = model(tokenizer, tie_embeddings=tied)
    write_huggingface_model(ours, tokenizer, tmp_path, shard_bytes=30_000)
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 3
    config = llama_config(tmp_path)
    assert config == ours.config
    back = llama_tensors(tmp_path, config)
    state = ours.state_dict()
    assert back.keys() == state.keys()
    for name, tensor in state.items():
        assert torch.equal(back[name], tensor), name
    assert_computes_the_same(load(tmp_path), ours, tokenizer.vocab_size)


OTHERS = [
    {"norm": "post"}, {"norm": "none"}, {"norm_kind": "layernorm"}, {"position": "none"}, {"ffn": "silu"},
    {"ffn": "relu2", "qk_norm": True, "logit_softcap": 10.0, "value_embeddings": 2, "tie_embeddings": True},
]  # fmt: skip


@pytest.mark.parametrize("changes", OTHERS, ids=lambda changes: "-".join(changes))
def test_what_no_llama_says_needs_custom_code_and_computes_the_same_with_it(tmp_path, tokenizer, changes, monkeypatch):
    ours = model(tokenizer, **changes)
    with pytest.raises(CheckpointError, match=rf"({'|'.join(changes)}) = .*--custom-code"):
        write_huggingface_model(ours, tokenizer, tmp_path)
    write_huggingface_model(ours, tokenizer, tmp_path, custom_code=True)
    monkeypatch.setattr(transformers.dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    theirs = load(tmp_path, trust_remote_code=True)
    assert_computes_the_same(theirs, ours, tokenizer.vocab_size)
    assert json.loads((tmp_path / "config.json").read_text())["auto_map"]


def test_half_precision_weights_are_those_rounded(tmp_path, tokenizer):
    ours = model(tokenizer)
    write_huggingface_model(ours, tokenizer, tmp_path, dtype="bfloat16")
    back = llama_tensors(tmp_path, llama_config(tmp_path))
    assert all(torch.equal(back[name], t.bfloat16().float()) for name, t in ours.state_dict().items())
