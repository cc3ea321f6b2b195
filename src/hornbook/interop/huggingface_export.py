"""A Hugging Face folder of a model: what `transformers` needs to compute the same logits and ids.

A model that is a Llama by other names (`huggingface.LLAMA`) is written as one. Any other is written under hornbook's
own names beside `modeling_hornbook.py`, which transformers runs where its user trusts it (`trust_remote_code=True`).
Left out: chat templates (a base model has none), 16-bit integers and quantised weights (gguf.py has those).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hornbook.checkpoint.tensors import write_tensors
from hornbook.errors import CheckpointError
from hornbook.fileio import atomic_write, canonical_json, open_atomic, read_json_object
from hornbook.interop.huggingface import INDEX, LLAMA, ROTATED, WEIGHTS, own_and_llama_names
from hornbook.interop.surroundings import IDS, TOKENS
from hornbook.models.config import SIZES, ModelConfig, unknown_field
from hornbook.models.transformer import TransformerLM
from hornbook.tokenizer import formats
from hornbook.tokenizer.tokenizer import Tokenizer

SHARD_BYTES = 5_000_000_000
"""The hub's usual size of a file of weights."""
CODE = "modeling_hornbook.py"
CODE_KNOWS = {
    **dict.fromkeys(SIZES),
    **dict.fromkeys(("rope_theta", "norm_eps", "logit_softcap", "value_embeddings", "tie_embeddings", "qk_norm")),
    **dict.fromkeys(("dropout", "zero_init_output")),  # of training, no part of the function
    "norm": ("pre", "post", "none"),
    "norm_kind": ("rmsnorm", "layernorm"),
    "position": ("rope", "none"),
    "ffn": ("swiglu", "silu", "relu2"),
}
"""What that code takes into account of a model's configuration (see `unknown_field`)."""
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def write_huggingface_model(
    model: TransformerLM,
    tokenizer: Tokenizer | None,
    folder: Path,
    *,
    dtype: str = "float32",
    custom_code: bool = False,
    shard_bytes: int = SHARD_BYTES,
    separator: str | None = None,
    kept: Mapping[str, Any] | None = None,
) -> None:
    """Write weights, configuration and tokenizer into a folder that is there.

    Args:
        model: any model.
        tokenizer: None writes none.
        folder: where to write.
        dtype: of the weights: "float32", "bfloat16" or "float16".
        custom_code: write a model that is no Llama, with the code that computes it.
        shard_bytes: weights are parted into files of about this size.
        separator: the special token between documents, which begins and ends a text; the first one if not given.
        kept: what an imported run keeps of the folder that it came from (surroundings.py), put back here.

    Raises:
        CheckpointError: the model is no Llama, and `custom_code` is off or its code does not know a field; it is named.
        FormatError: the tokenizer is one that a tokenizer.json cannot express.
        OSError: the disk is full or a file cannot be written.
    """
    config = model.config
    field = unknown_field(config, LLAMA)
    if field and not custom_code:
        raise CheckpointError(
            f"{field} = {getattr(config, field)!r} is nothing that a Llama has, so transformers alone cannot compute "
            "this model; --custom-code writes it with code of its own, which its readers must trust"
        )
    if field and (unknown := unknown_field(config, CODE_KNOWS)):
        raise CheckpointError(f"{CODE} does not compute {unknown} = {getattr(config, unknown)!r}; nothing was written")
    # An imported model has the tokens that its folder names, and no others.
    end = None if kept else end_of_document(tokenizer, separator)
    settings = _own_settings(config) if field else _llama_settings(config)
    kept = kept or {}
    ids = {"bos_token_id": end and end[1], "eos_token_id": end and end[1], "pad_token_id": None}
    ids |= {key: kept[key] for key in IDS if key in kept}
    atomic_write(folder / "config.json", canonical_json({**settings, **ids, "dtype": dtype, "use_cache": True}))
    atomic_write(
        folder / "generation_config.json", canonical_json({**ids, "max_new_tokens": max(1, config.context_length // 2)})
    )
    if field:
        code = Path(__file__).with_name(CODE).read_text(encoding="utf-8")
        atomic_write(folder / CODE, code)
    state = model.state_dict()
    tensors = dict(state) if field else dict(_llama_tensors(state, config))
    _write_weights({name: t.to(DTYPES[dtype]) for name, t in tensors.items()}, folder, shard_bytes)
    if tokenizer is not None:
        _write_tokenizer(tokenizer, folder, config.context_length, end and end[0], kept)


def end_of_document(tokenizer: Tokenizer | None, separator: str | None) -> tuple[str, int] | None:
    """Return the special token that separates documents, the first one if not given, and its id."""
    if tokenizer is None or not tokenizer.special_tokens:
        return None
    token = separator or tokenizer.special_tokens[0]
    return token, tokenizer.special_token_ids[token]


def _llama_settings(config: ModelConfig) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.context_length,
        "hidden_size": config.d_model,
        "intermediate_size": config.resolved_d_ff,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "num_key_value_heads": config.num_heads,
        "head_dim": config.d_head,
        "hidden_act": "silu",
        "rms_norm_eps": config.norm_eps,
        "rope_theta": config.rope_theta,  # where transformers before 5 looks
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": config.tie_embeddings,
        "attention_bias": False,
        "mlp_bias": False,
        "attention_dropout": 0.0,
    }


def _own_settings(config: ModelConfig) -> dict[str, Any]:
    fields = dataclasses.asdict(config)
    tied = fields.pop("tie_embeddings")
    return {
        "architectures": ["HornbookForCausalLM"],
        "model_type": "hornbook",
        "auto_map": {
            "AutoConfig": f"{Path(CODE).stem}.HornbookConfig",
            "AutoModelForCausalLM": f"{Path(CODE).stem}.HornbookForCausalLM",
        },
        **fields,
        "tie_word_embeddings": tied,
        # What generation reads of a configuration, by its names there.
        "num_hidden_layers": config.num_layers,
        "max_position_embeddings": config.context_length,
    }


def _llama_tensors(state: Mapping[str, Tensor], config: ModelConfig) -> Iterator[tuple[str, Tensor]]:
    for own, name in own_and_llama_names(config):
        tensor = state[own]
        yield name, halves_apart(tensor, config) if own.endswith(ROTATED) else tensor


def halves_apart(weight: Tensor, config: ModelConfig) -> Tensor:
    """Return q_proj or k_proj with rows 2k and 2k + 1 of each head as its rows k and k + D/2: as Llama rotates."""
    C, H, D = config.d_model, config.num_heads, config.d_head
    return weight.view(H, D // 2, 2, C).transpose(1, 2).reshape(C, C)  # (H, D/2, 2, C) → (C, C)


def _write_weights(tensors: Mapping[str, Tensor], folder: Path, shard_bytes: int) -> None:
    """Write one file, or several with their index; a tensor is never divided."""
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        if shards[-1] and size + tensor.nbytes > shard_bytes:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    names = [WEIGHTS]
    if len(shards) > 1:
        stem = Path(WEIGHTS).stem
        names = [f"{stem}-{i + 1:05d}-of-{len(shards):05d}.safetensors" for i in range(len(shards))]
        where = {tensor: name for name, shard in zip(names, shards, strict=True) for tensor in shard}
        total = sum(tensor.nbytes for tensor in tensors.values())
        atomic_write(folder / INDEX, canonical_json({"metadata": {"total_size": total}, "weight_map": where}))
    for name, shard in zip(names, shards, strict=True):
        with open_atomic(folder / name) as file:
            write_tensors(file, shard, {"format": "pt"})


def _write_tokenizer(
    tokenizer: Tokenizer, folder: Path, context_length: int, end: str | None, kept: Mapping[str, Any]
) -> None:
    formats.write_parts(tokenizer.parts(), folder, "huggingface")
    if kept.get("post_processor"):
        pipeline = read_json_object(folder / "tokenizer.json") | {"post_processor": kept["post_processor"]}
        atomic_write(folder / "tokenizer.json", json.dumps(pipeline, ensure_ascii=False, indent=1) + "\n")
    named = {} if end is None else {"bos_token": end, "eos_token": end}
    named |= {key: kept[key] for key in TOKENS if key in kept}
    others = [token for token in tokenizer.special_tokens if token not in named.values()]
    special = {**named, "additional_special_tokens": others} if others else named
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context_length,
        "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
        **special,
    }
    atomic_write(folder / "tokenizer_config.json", canonical_json(settings))
    atomic_write(folder / "special_tokens_map.json", canonical_json(special))
