"""What is exported as GGUF: read by the gguf package here, computed by llama.cpp in the longest tier."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness.exports import AWKWARD, TEXT, model

import hornbook as hb
from hornbook.errors import CheckpointError, DataError, FormatError
from hornbook.interop.gguf import tensor_names, write_gguf
from hornbook.interop.huggingface_export import write_huggingface_model

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


CLASS, SEP = "<|endoftext|>", "<|pad|>"
NAMED = {"bos_token": CLASS, "eos_token": {"content": SEP, "lstrip": False}}
BEFORE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": CLASS, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {CLASS: {"id": CLASS, "ids": [0], "tokens": [CLASS]}},
}
AROUND = {"type": "BertProcessing", "cls": [CLASS, 0], "sep": [SEP, 1]}
TWICE = {"type": "Sequence", "processors": [AROUND, AROUND]}


@pytest.mark.parametrize(
    ("how", "bos", "eos", "added"),
    [
        ({}, CLASS, CLASS, (False, False)),
        ({"separator": SEP}, SEP, SEP, (False, False)),
        ({"separator": SEP, "kept": {"post_processor": None}}, None, None, (False, False)),
        ({"kept": {"post_processor": BEFORE, **NAMED}}, CLASS, SEP, (True, False)),
        ({"kept": {"post_processor": AROUND}}, CLASS, SEP, (True, True)),
        ({"kept": {"post_processor": None, **NAMED}}, CLASS, SEP, (False, False)),
        ({"kept": {"post_processor": None, "bos_token": None, "eos_token_id": [1, 3]}}, None, SEP, (False, False)),
        ({"kept": {"post_processor": None, "bos_token_id": 99_999}}, None, None, (False, False)),
    ],
)
def test_the_tokens_around_a_text_are_the_models_own(tmp_path, how, bos, eos, added):
    """Separator of training, or what an imported tokenizer says; llama.cpp adds what transformers adds."""
    tok = tokenizer(tmp_path)
    write_gguf(model(tok), tok, tmp_path / "m.gguf", name="mine", **how)
    found = fields(gguf.GGUFReader(tmp_path / "m.gguf"))
    ids = [found.get(f"tokenizer.ggml.{key}_token_id") for key in ("bos", "eos")]
    assert ids == [token and tok.special_token_ids[token] for token in (bos, eos)]
    assert tuple(found[f"tokenizer.ggml.add_{key}_token"] for key in ("bos", "eos")) == added


@pytest.mark.slow
@pytest.mark.hours
@pytest.mark.parametrize(("post_processor", "added"), [(None, 0), (BEFORE, 1), (AROUND, 2)])
def test_llama_cpp_puts_around_a_text_what_transformers_puts(tmp_path, post_processor, added):
    transformers = pytest.importorskip("transformers")
    tok = tokenizer(tmp_path)
    kept = {"post_processor": post_processor, **NAMED}
    write_gguf(model(tok), tok, tmp_path / "m.gguf", name="mine", kept=kept)
    (tmp_path / "hf").mkdir()
    write_huggingface_model(model(tok), tok, tmp_path / "hf", kept=kept)
    theirs = open_in_llama_cpp(tmp_path / "m.gguf", vocab_only=True)
    other = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    for text in ["the cat", *AWKWARD[1:]]:
        ids = theirs.tokenize(text.encode(), add_bos=True, special=True)
        assert ids == other(text)["input_ids"]
        assert len(ids) - len(tok.encode(text)) == added


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
    with pytest.raises(FormatError, match="can put one token on each side; --to hf keeps them"):
        write_gguf(model(tok), tok, out, name="x", kept={"post_processor": TWICE})
    free = tokenizer(tmp_path, r"\p{L}+|\P{L}")
    with pytest.raises(FormatError, match="is none that llama"):
        write_gguf(model(free), free, out, name="x")
    assert not out.exists()
    out.write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        write_gguf(model(tok), tok, out, name="x")
    assert out.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.gguf", "text.txt"]


def open_in_llama_cpp(path, **how):
    llama_cpp = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    # Its AMX code for 8-bit weights ends the process on some virtual machines; without it the weights stay as stored.
    settings = llama_cpp.llama_cpp.llama_model_default_params()
    settings.use_extra_bufts = False
    llama_cpp.llama_cpp.llama_model_default_params = lambda: settings
    return llama_cpp.Llama(str(path), verbose=False, n_threads=2, **how)


@pytest.mark.slow
@pytest.mark.hours
@pytest.mark.parametrize("pattern", ["gpt2", "cl100k", "o200k"])
def test_llama_cpp_continues_alike(tmp_path, pattern):
    tok = tokenizer(tmp_path, pattern)
    ours = model(tok, d_model=64)
    write_gguf(ours, tok, tmp_path / "m.gguf", name="mine")
    theirs = open_in_llama_cpp(tmp_path / "m.gguf", n_ctx=64, logits_all=True)
    generator = torch.Generator().manual_seed(2)
    for _ in range(20):
        ids = torch.randint(tok.vocab_size, (8,), generator=generator).tolist()
        own = hb.generate(ours, [ids], 40, temperature=0)[0].tolist()
        other = [token for token, _ in zip(theirs.generate(ids, temp=0.0), range(40), strict=False)]
        assert other == own


def read_texts(place: Path) -> list[str]:
    """Text in many languages and of several kinds, 300,000 characters of each."""
    texts = [(place / "tinystories.txt").read_text(encoding="utf-8")[:300_000]]
    for name in ("books-en", "docs-en", "udhr", "zh-poetry"):
        with gzip.open(place / f"{name}.txt.gz", "rt", encoding="utf-8") as file:
            texts.append(file.read(300_000))
    return texts


@pytest.mark.slow
@pytest.mark.hours
@pytest.mark.shared
@pytest.mark.parametrize("pattern", ["gpt2", "cl100k", "o200k"])
def test_llama_cpp_cuts_alike(tmp_path, shared_data, pattern):
    """With merges of all of it, so that a cut in another place gives other ids; and on 3,000 random strings."""
    texts = read_texts(shared_data)
    (tmp_path / "text.txt").write_text("<|endoftext|>".join([*texts, TEXT]), encoding="utf-8")
    vocab, merges = hb.train_bpe(tmp_path / "text.txt", 12_000, ["<|endoftext|>"], pattern=pattern)
    tok = hb.Tokenizer(vocab, merges, ["<|endoftext|>"], pattern=pattern)
    caution = write_gguf(model(tok), tok, tmp_path / "m.gguf", name="mine")
    theirs = open_in_llama_cpp(tmp_path / "m.gguf", vocab_only=True)
    draw = random.Random(3)
    letters = [*" \n\t1aB.é中😀_٣Ⅷǅİ\u00a0\u3000\u200b\u2028\x85\x00", "\r\n", "  ", "'s", "'LL", "'ſ", "1234", "!!"]
    strings = ["".join(draw.choices(letters, k=draw.randint(1, 12))) for _ in range(3000)]
    pieces = [text[i : i + 200] for text in texts for i in range(0, len(text), 200)]
    differing = [
        text
        for text in [*AWKWARD, *strings, *pieces, *texts]
        if theirs.tokenize(text.encode(), add_bos=False, special=True) != tok.encode(text)
    ]
    assert (caution is not None) == bool(differing), "what export says of the pattern is what llama.cpp does"
    assert not any(text.isascii() for text in differing)


@pytest.mark.slow
@pytest.mark.hours
@pytest.mark.shared
def test_perplexity_in_llama_cpp_is_ours(tmp_path, shared_data):
    text = read_texts(shared_data)[0]
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    tok = hb.Tokenizer(*hb.train_bpe(tmp_path / "text.txt", 1000, ["<|endoftext|>"]), ["<|endoftext|>"])
    ids = torch.tensor(tok.encode(text))
    torch.manual_seed(0)
    ours = hb.TransformerLM(hb.ModelConfig(tok.vocab_size, 128, 64, 2, 4)).use_fused()
    optimizer = hb.AdamW(ours.parameters(), lr=3e-3)
    for _ in range(100):
        x, y = hb.get_batch(ids.numpy()[:-20_000], 32, 128, "cpu")
        ours.loss(x, y).backward()
        optimizer.step()
        optimizer.zero_grad()
    held_out = ids[-5_120:].view(-1, 128)
    with torch.no_grad():
        own = float(ours.eval().loss(held_out[:, :-1], held_out[:, 1:]))
    assert own < 5, "it has learned something"
    for dtype, tolerance in (("f32", 1e-4), ("f16", 1e-3), ("q8_0", 1e-2)):
        path = tmp_path / f"{dtype}.gguf"
        write_gguf(ours, tok, path, dtype=dtype, name="mine")
        theirs = open_in_llama_cpp(path, n_ctx=128, logits_all=True)
        nats = []
        for row in held_out:
            theirs.reset()
            theirs.eval(row[:-1].tolist())
            logits = torch.tensor(np.array(theirs.scores[: len(row) - 1]))
            nats.append(float(torch.nn.functional.cross_entropy(logits, row[1:])))
        assert np.exp(np.mean(nats)) == pytest.approx(np.exp(own), rel=tolerance), dtype
