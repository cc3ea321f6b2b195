"""What is exported as GGUF: read by the gguf package here, computed by llama.cpp in the longest tier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from harness.exports import AWKWARD, TEXT, model

import hornbook as hb
from hornbook.errors import CheckpointError, DataError, FormatError
from hornbook.interop.gguf import tensor_names, write_gguf

gguf = pytest.importorskip("gguf")


def tokenizer(tmp_path, pattern: str = "gpt2", special=("<|endoftext|>", "<|pad|>")) -> hb.Tokenizer:
    file = tmp_path / "text.txt"
    file.write_text(TEXT)
    vocab, merges = hb.train_bpe(file, 400, list(special), pattern=pattern)
    return hb.Tokenizer(vocab, merges, list(special), pattern=pattern)


def fields(reader) -> dict[str, Any]:
    return {key: field.contents() for key, field in reader.fields.items()}


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dtype", ["f32", "f16", "q8_0"])
def test_tensors_are_the_models(tmp_path, dtype, tied):
    tok = tokenizer(tmp_path)
    ours = model(tok, d_model=64, d_ff=96, tie_embeddings=tied)
    write_gguf(ours, tok, tmp_path / "m.gguf", dtype=dtype, name="mine")
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    assert {tensor.name for tensor in reader.tensors} == tensor_names(ours).keys()
    for tensor in reader.tensors:
        wanted = ours.state_dict()[tensor_names(ours)[tensor.name]].numpy()
        found = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(wanted.shape)
        if dtype == "f32" or wanted.ndim == 1:
            assert np.array_equal(found, wanted), tensor.name
        elif dtype == "f16":
            assert np.array_equal(found, wanted.astype(np.float16).astype(np.float32)), tensor.name
        else:
            assert tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0
            scale = np.abs(wanted.reshape(-1, 32)).max(1, keepdims=True) / 127
            # Half a step, and the scale itself is an f16.
            assert (np.abs(found - wanted).reshape(-1, 32) <= 0.57 * scale).all(), tensor.name


@pytest.mark.parametrize(("pattern", "pre"), [("gpt2", "gpt-2"), ("cl100k", "dbrx"), ("o200k", "gpt-4o")])
def test_its_fields_say_shape_and_tokenizer(tmp_path, pattern, pre):
    tok = tokenizer(tmp_path, pattern)
    ours = model(tok, rope_theta=5000.0)
    write_gguf(ours, tok, tmp_path / "m.gguf", name="mine")
    found = fields(gguf.GGUFReader(tmp_path / "m.gguf"))
    assert found["general.architecture"] == "llama"
    assert found["llama.context_length"] == 64
    assert found["llama.block_count"] == 3
    assert found["llama.rope.freq_base"] == 5000.0
    assert found["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-5)
    assert (found["tokenizer.ggml.model"], found["tokenizer.ggml.pre"]) == ("gpt2", pre)
    assert len(found["tokenizer.ggml.tokens"]) == tok.vocab_size
    assert len(found["tokenizer.ggml.merges"]) == len(tok.merges)
    end = tok.special_token_ids["<|endoftext|>"]
    assert found["tokenizer.ggml.tokens"][end] == "<|endoftext|>"
    assert found["tokenizer.ggml.token_type"][end] == gguf.TokenType.CONTROL
    assert found["tokenizer.ggml.eos_token_id"] == end
    assert found["tokenizer.ggml.add_bos_token"] is False


def test_rows_that_cannot_be_parted_into_blocks_stay_f16(tmp_path):
    tok = tokenizer(tmp_path)
    ours = model(tok, d_model=48, d_ff=64)
    write_gguf(ours, tok, tmp_path / "m.gguf", dtype="q8_0", name="mine")
    kinds = {t.name: t.tensor_type for t in gguf.GGUFReader(tmp_path / "m.gguf").tensors}
    assert kinds["blk.0.attn_q.weight"] == gguf.GGMLQuantizationType.F16
    assert kinds["blk.0.ffn_down.weight"] == gguf.GGMLQuantizationType.Q8_0


def test_what_llama_cpp_cannot_do_is_refused_and_nothing_is_written(tmp_path):
    tok = tokenizer(tmp_path)
    out = tmp_path / "m.gguf"
    with pytest.raises(CheckpointError, match="norm = 'post'"):
        write_gguf(model(tok, norm="post"), tok, out, name="x")
    with pytest.raises(CheckpointError, match="keeps no tokenizer"):
        write_gguf(model(tok), None, out, name="x")
    free = tokenizer(tmp_path, r"\p{L}+|\P{L}")
    with pytest.raises(FormatError, match="is none that llama"):
        write_gguf(model(free), free, out, name="x")
    assert not out.exists()
    out.write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        write_gguf(model(tok), tok, out, name="x")
    assert out.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.gguf", "text.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["gpt2", "cl100k", "o200k"])
def test_llama_cpp_cuts_and_continues_alike(tmp_path, pattern):
    llama_cpp = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    tok = tokenizer(tmp_path, pattern)
    ours = model(tok, d_model=64)
    write_gguf(ours, tok, tmp_path / "m.gguf", name="mine")
    theirs = llama_cpp.Llama(str(tmp_path / "m.gguf"), n_ctx=64, logits_all=True, verbose=False, n_threads=2)
    for text in [*AWKWARD, TEXT]:
        assert theirs.tokenize(text.encode(), add_bos=False, special=True) == tok.encode(text), text
    generator = torch.Generator().manual_seed(2)
    for _ in range(20):
        ids = torch.randint(tok.vocab_size, (8,), generator=generator).tolist()
        own = hb.generate(ours, [ids], 40, temperature=0)[0].tolist()
        other = [token for token, _ in zip(theirs.generate(ids, temp=0.0), range(40), strict=False)]
        assert other == own
