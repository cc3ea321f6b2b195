"""A model as one GGUF file, which llama.cpp computes and cuts text by; written by the `gguf` package.

Llama's rotation of neighbouring channels is llama.cpp's own, so no rows change places here. A tokenizer is named by the
pattern that llama.cpp has built in for it; a pattern that it has not is refused, as its ids would silently be others.
Left out: reading, models that are no Llama, k-quants (llama.cpp's own `llama-quantize` makes them from an f32 file).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from hornbook.errors import CheckpointError, DataError, FormatError, HornbookError
from hornbook.fileio import open_atomic
from hornbook.interop.huggingface import LLAMA
from hornbook.interop.huggingface_export import end_of_document
from hornbook.interop.surroundings import IDS, named_ids
from hornbook.models.config import ModelConfig, unknown_field
from hornbook.models.transformer import TransformerLM
from hornbook.tokenizer.formats.huggingface import check_order
from hornbook.tokenizer.formats.parts import TokenizerParts, unique_keys
from hornbook.tokenizer.formats.post_processor import in_words, surroundings
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gguf import GGUFWriter

OUTER = {"token_embeddings.weight": "token_embd.weight", "ln_final.weight": "output_norm.weight"}
HEAD = {"lm_head.weight": "output.weight"}
LAYER = {
    "ln1.weight": "attn_norm.weight",
    "attn.q_proj.weight": "attn_q.weight",
    "attn.k_proj.weight": "attn_k.weight",
    "attn.v_proj.weight": "attn_v.weight",
    "attn.output_proj.weight": "attn_output.weight",
    "ln2.weight": "ffn_norm.weight",
    "ffn.w1.weight": "ffn_gate.weight",
    "ffn.w2.weight": "ffn_down.weight",
    "ffn.w3.weight": "ffn_up.weight",
}
PATTERNS = {"gpt2": "gpt-2", "cl100k": "dbrx", "o200k": "gpt-4o"}
"""Pattern → llama.cpp's name of the pre-tokenizer that cuts as it does."""
CAUTIONS = {
    "o200k": "llama.cpp's expression for o200k knows the case of ASCII letters only and no combining marks, so "
    "it cuts some words beyond ASCII into other ids than here (gpt2 and cl100k it cuts alike)"
}
"""Pattern → where llama.cpp's own expression for it differs; found on text in many languages."""
BLOCK = 32
"""Weights of a row that share a scale in q8_0."""


def write_gguf(
    model: TransformerLM,
    tokenizer: Tokenizer | None,
    path: Path,
    *,
    dtype: str = "f32",
    name: str,
    separator: str | None = None,
    kept: Mapping[str, Any] | None = None,
) -> str | None:
    """Write a model and its tokenizer.

    Args:
        model: a Llama by other names.
        tokenizer: by one of the named patterns.
        path: the file; it must not be there yet.
        dtype: of the matrices: "f32", "f16", or "q8_0" (8-bit integers, a scale for each 32 weights; rows that are no
            multiple of 32 stay f16). Norms are always f32.
        name: of the model, for those who open the file.
        separator: the special token between documents, which begins and ends a text; the first one if not given.
        kept: what an imported run keeps of the folder that it came from (surroundings.py).

    Returns:
        A sentence about text that llama.cpp cuts otherwise, or None where it cuts all alike.

    Raises:
        HornbookError: the `gguf` package is not installed.
        CheckpointError: llama.cpp cannot compute the model, or the run keeps no tokenizer.
        FormatError: the tokenizer is one that llama.cpp would apply otherwise.
        DataError: the file is there already.
        OSError: the disk is full or the file cannot be written.
    """
    try:
        import gguf
    except ImportError:
        raise HornbookError("a GGUF file is written by gguf: pip install 'hornbook[interop]'") from None
    config = model.config
    if field := unknown_field(config, LLAMA):
        raise CheckpointError(
            f"{field} = {getattr(config, field)!r} is nothing that a Llama has, so llama.cpp cannot compute this "
            "model; --to hf --custom-code writes it for transformers"
        )
    if tokenizer is None:
        raise CheckpointError("the run keeps no tokenizer, and a GGUF file without one is of no use to llama.cpp")
    if path.exists():
        raise DataError(f"{path} is there already; nothing was written. Give another name, or remove it first")
    parts = tokenizer.parts()
    ends = _ends(tokenizer, separator, kept or {})
    with open_atomic(path) as file:
        writer = gguf.GGUFWriter(file.name, "llama")
        writer.add_name(name)
        _add_shape(writer, config)
        _add_tokenizer(writer, parts, config.vocab_size, ends)
        _add_tensors(writer, model, dtype)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return CAUTIONS.get(parts.pattern)


def _add_shape(writer: GGUFWriter, config: ModelConfig) -> None:
    writer.add_context_length(config.context_length)
    writer.add_embedding_length(config.d_model)
    writer.add_block_count(config.num_layers)
    writer.add_feed_forward_length(config.resolved_d_ff)
    writer.add_head_count(config.num_heads)
    writer.add_head_count_kv(config.num_heads)
    writer.add_rope_dimension_count(config.d_head)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _name(own: str) -> str:
    if own.startswith("layers."):
        _, number, part = own.split(".", 2)
        return f"blk.{number}.{LAYER[part]}"
    return {**OUTER, **HEAD}[own]


class _Array(np.ndarray):
    """Written by Python's file, which raises each error; numpy's own `tofile` loses that of its last flush."""

    def tofile(self, fid: Any, sep: str = "", format: str = "%s") -> None:
        fid.write(np.ascontiguousarray(self).view(np.uint8).data)


def _add_tensors(writer: GGUFWriter, model: TransformerLM, dtype: str) -> None:
    from gguf import LlamaFileType

    kinds = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "q8_0": "MOSTLY_Q8_0"}
    writer.add_file_type(LlamaFileType[kinds[dtype]])
    for own, tensor in model.state_dict().items():
        _add_tensor(writer, _name(own), tensor, dtype)


def _add_tensor(writer: GGUFWriter, name: str, tensor: Tensor, dtype: str) -> None:
    from gguf import GGMLQuantizationType, quants

    values = tensor.detach().float().numpy()
    if values.ndim == 1 or dtype == "f32":
        writer.add_tensor(name, values.view(_Array))
    elif dtype == "f16" or values.shape[-1] % BLOCK:
        writer.add_tensor(name, values.astype(np.float16).view(_Array))
    else:
        kind = GGMLQuantizationType.Q8_0
        writer.add_tensor(name, quants.quantize(values, kind).view(_Array), raw_dtype=kind)


def _add_tokenizer(writer: GGUFWriter, parts: TokenizerParts, vocab_size: int, ends: Mapping[str, Any]) -> None:
    from gguf import TokenType

    if parts.pattern not in PATTERNS:
        raise FormatError(
            f"the tokenizer's pattern {parts.pattern!r} is none that llama.cpp has ({', '.join(PATTERNS)}), so it "
            "would cut text otherwise; --to hf keeps any pattern"
        )
    keys: dict[int, str] = {token_id: key for key, token_id in unique_keys(parts, "a GGUF file").items()}
    check_order(parts.merges, Path("a GGUF file"))
    special = set(parts.special_tokens.values())
    symbols = {content: keys[token_id] for token_id, content in parts.vocab.items() if token_id not in special}
    # A vocabulary that the model has rounded up is filled with entries that no text gives.
    tokens = [keys.get(token_id, f"[PAD{token_id}]") for token_id in range(vocab_size)]
    kinds = [
        TokenType.CONTROL if token_id in special else TokenType.NORMAL if token_id in keys else TokenType.UNUSED
        for token_id in range(vocab_size)
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PATTERNS[parts.pattern])
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{symbols[left]} {symbols[right]}" for left, right in parts.merges])
    writer.add_add_space_prefix(False)
    for key, value in ends.items():
        getattr(writer, f"add_{key}")(value)


def _ends(tokenizer: Tokenizer, separator: str | None, kept: Mapping[str, Any]) -> dict[str, int | bool]:
    """Return which tokens begin and end a text, and whether llama.cpp is to add them: only where transformers does."""
    if kept:
        named = named_ids(kept, tokenizer.special_token_ids)
        ids = {key: token_id for key, token_id in named.items() if token_id < tokenizer.vocab_size}
    else:
        end = end_of_document(tokenizer, separator)
        ids = {} if end is None else dict.fromkeys(IDS, end[1])
    around = surroundings(kept.get("post_processor"), Path("tokenizer.json"))
    for key, tokens in zip(IDS, around, strict=True):
        if len(tokens) > 1:
            raise FormatError(
                f"the tokenizer puts {in_words(*around)}, and llama.cpp can put one token on each side; "
                "--to hf keeps them"
            )
        if tokens:
            ids[key] = tokenizer.special_token_ids[tokens[0]]
    return {**ids, "add_bos_token": bool(around[0]), "add_eos_token": bool(around[1])}


def tensor_names(model: TransformerLM) -> dict[str, Any]:
    """Return the names that a model's tensors have in the file → their own."""
    return {_name(own): own for own in model.state_dict()}
