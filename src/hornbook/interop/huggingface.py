"""Weights of a Hugging Face folder (`config.json` and safetensors files, one or several) under hornbook's names.

A hornbook model with norm = "pre", position = "rope" and ffn = "swiglu" is a Llama without grouped queries: the same
function, other names, and rotated pairs that lie side by side instead of half a head apart (nn/rope.py), so the rows of
q_proj and k_proj change places. Everything that such a folder may ask for and hornbook does not compute is refused by
name: another architecture, grouped queries, biases, scaled rotation, quantised weights, pickle. Left out: the
tokenizer (hornbook.tokenizer reads its tokenizer.json), writing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from hornbook.checkpoint.tensors import read_tensors
from hornbook.config import build
from hornbook.errors import CheckpointError, ConfigError, FormatError
from hornbook.fileio import read_json_object
from hornbook.models.config import ModelConfig, unknown_field

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
OUTER = {
    "token_embeddings.weight": "model.embed_tokens.weight",
    "ln_final.weight": "model.norm.weight",
    "lm_head.weight": "lm_head.weight",
}
LAYER = {
    "ln1.weight": "input_layernorm.weight",
    "attn.q_proj.weight": "self_attn.q_proj.weight",
    "attn.k_proj.weight": "self_attn.k_proj.weight",
    "attn.v_proj.weight": "self_attn.v_proj.weight",
    "attn.output_proj.weight": "self_attn.o_proj.weight",
    "ln2.weight": "post_attention_layernorm.weight",
    "ffn.w1.weight": "mlp.gate_proj.weight",
    "ffn.w2.weight": "mlp.down_proj.weight",
    "ffn.w3.weight": "mlp.up_proj.weight",
}
ROTATED = ("attn.q_proj.weight", "attn.k_proj.weight")
WIDTH, HEADS, VOCABULARY, INNER = "hidden_size", "num_attention_heads × head_dim", "vocab_size", "intermediate_size"
GROUPS = "num_key_value_heads × head_dim"
SIDES = {
    "token_embeddings.weight": (VOCABULARY, WIDTH),
    "lm_head.weight": (VOCABULARY, WIDTH),
    "attn.q_proj.weight": (HEADS, WIDTH),
    "attn.k_proj.weight": (GROUPS, WIDTH),
    "attn.v_proj.weight": (GROUPS, WIDTH),
    "attn.output_proj.weight": (WIDTH, HEADS),
    "ffn.w1.weight": (INNER, WIDTH),
    "ffn.w2.weight": (WIDTH, INNER),
    "ffn.w3.weight": (INNER, WIDTH),
}
"""Tensor → the settings of config.json that give its shape; norms are hidden_size wide."""
# Setting → the only value that hornbook computes, and what it says of others. Passed over is what transformers' Llama
# does not compute with either: pretraining_tp (the same products in parts), num_local_experts (no tensor is left over).
PLAIN = {
    "model_type": ("llama", "only Llama's architecture has the same function as a model of hornbook"),
    "hidden_act": ("silu", "hornbook's gated feed-forward uses SiLU"),
    "attention_bias": (False, "hornbook has no biases"),
    "mlp_bias": (False, "hornbook has no biases"),
    "quantization_config": (None, "quantised weights are not read; save the model in float32 or bfloat16"),
    "sliding_window": (None, "hornbook attends to the whole context"),
    "partial_rotary_factor": (1.0, "hornbook rotates whole heads"),
    "rope_scaling": (None, "scaled rotations are not computed here"),
}

LLAMA = {
    **dict.fromkeys(("vocab_size", "context_length", "d_model", "num_layers", "num_heads", "d_ff")),
    **dict.fromkeys(("rope_theta", "norm_eps", "tie_embeddings")),
    **dict.fromkeys(("dropout", "zero_init_output")),  # of training, no part of the function
    "norm": ("pre",),
    "position": ("rope",),
    "ffn": ("swiglu",),
}
"""The models that are a Llama by other names (see `unknown_field`)."""


def is_llama_folder(folder: str | Path) -> bool:
    """Return whether a folder looks like a Hugging Face model: a config.json in it, and no run of ours."""
    return (Path(folder) / "config.json").is_file()


def llama_config(folder: str | Path) -> ModelConfig:
    """Return the shape of the model in a Hugging Face folder.

    Raises:
        CheckpointError: it is a model that hornbook cannot compute; the setting is named.
        FormatError: config.json is damaged or lacks what a Llama needs.
        OSError: it cannot be read.
    """
    path = Path(folder) / "config.json"
    given = read_json_object(path)
    for key, (wanted, why) in PLAIN.items():
        if given.get(key, wanted) != wanted:
            raise CheckpointError(f"{path}: {key} is {given[key]!r}, wanted {wanted!r}: {why}")
    rotation = given.get("rope_parameters") or {}
    plain = {"rope_type": "default", "partial_rotary_factor": 1.0}
    if not isinstance(rotation, Mapping) or any(
        key != "rope_theta" and plain.get(key) != value for key, value in rotation.items()
    ):
        raise CheckpointError(
            f"{path}: rope_parameters is {rotation!r}; partial or scaled rotations are not computed here"
        )
    heads, width = given.get("num_attention_heads"), given.get("hidden_size")
    groups = given.get("num_key_value_heads")
    if groups not in (None, heads):
        raise CheckpointError(
            f"{path}: num_key_value_heads is {groups!r} with {heads!r} heads; grouped-query attention is not here"
        )
    settings = {
        "vocab_size": given.get("vocab_size"),
        "context_length": given.get("max_position_embeddings", 2048),
        "d_model": width,
        "num_layers": given.get("num_hidden_layers"),
        "num_heads": heads,
        "d_ff": given.get("intermediate_size"),
        "rope_theta": rotation.get("rope_theta", given.get("rope_theta", 10000.0)),
        "norm_eps": given.get("rms_norm_eps", 1e-6),
        "tie_embeddings": given.get("tie_word_embeddings", False),
    }
    try:
        config = build(ModelConfig, settings, "")
    except ConfigError as error:
        raise FormatError(f"{path} describes no model: {error}") from None
    if given.get("head_dim") not in (None, config.d_head):
        raise CheckpointError(
            f"{path}: head_dim is {given['head_dim']!r}, and in hornbook a head is hidden_size / heads = "
            f"{config.d_head} wide"
        )
    return config


def llama_tensors(folder: str | Path, config: ModelConfig) -> dict[str, Tensor]:
    """Return the weights of a Hugging Face folder by hornbook's state-dict names, in float32.

    Args:
        folder: with `model.safetensors`, or the parts that `model.safetensors.index.json` names.
        config: the shape that `llama_config` read there.

    Raises:
        CheckpointError: the model is no Llama; a tensor is missing or left over; there are only pickled weights.
        FormatError: a file is damaged.
        OSError: a file cannot be read.
    """
    unknown = unknown_field(config, LLAMA)
    if unknown:
        raise CheckpointError(f"{folder}: no Llama has {unknown} = {getattr(config, unknown)!r}")
    read, files = _read(Path(folder))
    found = {name: tensor for name, tensor in read.items() if not name.endswith("rotary_emb.inv_freq")}
    tensors: dict[str, Tensor] = {}
    for own, name in own_and_llama_names(config):
        if name not in found:
            raise CheckpointError(
                f"{folder} has no tensor {name}, which a model of its config.json needs: {_layers(name, config)}"
            )
        tensor = found.pop(name)
        _check_tensor(tensor, f"{files[name]}: {name}", own, config)
        tensors[own] = _pairs_side_by_side(tensor.float(), config) if own.endswith(ROTATED) else tensor.float()
    if config.tie_embeddings:
        head = found.pop("lm_head.weight", None)  # some writers store the shared matrix twice
        if head is not None and not torch.equal(head.float(), tensors["token_embeddings.weight"]):
            raise CheckpointError(
                f"{files['lm_head.weight']}: lm_head.weight is not the embedding, and config.json says that they are "
                "one: set tie_word_embeddings to false there if the weights are right"
            )
    if found:
        name = min(found)
        more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
        raise CheckpointError(
            f"{files[name]} has a tensor {name}{more}, which a model of its config.json does not: "
            f"{_layers(name, config)}"
        )
    return tensors


def _layers(name: str, config: ModelConfig) -> str:
    """Return what config.json says that decides whether a tensor is there."""
    if name == "lm_head.weight":
        return f"tie_word_embeddings is {str(config.tie_embeddings).lower()}"
    return f"num_hidden_layers is {config.num_layers}, and the rest is Llama's"


def _check_tensor(tensor: Tensor, what: str, own: str, config: ModelConfig) -> None:
    """Raise CheckpointError, with the setting of config.json that disagrees, for a tensor that is not the model's."""
    if not tensor.is_floating_point():
        raise CheckpointError(f"{what} has type {tensor.dtype}, wanted floating-point weights")
    values = {VOCABULARY: config.vocab_size, INNER: config.resolved_d_ff}
    settings = SIDES.get(own.split(".", 2)[-1] if own.startswith("layers.") else own, (WIDTH,))
    wanted = tuple(values.get(setting, config.d_model) for setting in settings)
    if tuple(tensor.shape) != wanted:
        pairs = zip(settings, wanted, tensor.shape, strict=True) if tensor.ndim == len(wanted) else ()
        wrong = [f"{setting} is {size:,}" for setting, size, side in pairs if size != side]
        raise CheckpointError(
            f"{what} has shape {tuple(tensor.shape)}, and its config.json says {wanted}"
            + (f", as {' and '.join(wrong)} there" if wrong else "")
        )
    if not tensor.isfinite().all():
        raise CheckpointError(f"{what} holds NaN or infinity; the model is damaged or has diverged")


def own_and_llama_names(config: ModelConfig) -> Iterator[tuple[str, str]]:
    """Yield (own name, name in the folder); one by one, as config.json may claim any number of layers."""
    for own, name in OUTER.items():
        if not (own == "lm_head.weight" and config.tie_embeddings):
            yield own, name
    for i in range(config.num_layers):
        yield from ((f"layers.{i}.{own}", f"model.layers.{i}.{name}") for own, name in LAYER.items())


def _pairs_side_by_side(weight: Tensor, config: ModelConfig) -> Tensor:
    """Return q_proj or k_proj with row k and row k + D/2 of each head as its rows 2k and 2k + 1."""
    C, H, D = config.d_model, config.num_heads, config.d_head
    return weight.view(H, 2, D // 2, C).transpose(1, 2).reshape(C, C)  # (H, D/2, 2, C) → (C, C)


def _read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Path]]:
    """Return the tensors of a folder by name, and the file that each is in."""
    if (whole := folder / WEIGHTS).is_file():
        tensors = read_tensors(whole)[0]
        return tensors, dict.fromkeys(tensors, whole)
    index = folder / INDEX
    if not index.is_file():
        if any(folder.glob("*.bin")) or any(folder.glob("*.pth")):
            raise CheckpointError(
                f"{folder} has pickled weights only, and a pickle can run any code when it is read; save the model "
                "as safetensors (save_pretrained does)"
            )
        raise CheckpointError(f"{folder} has a config.json and no weights; {WEIGHTS} was looked for, and {INDEX}")
    parts = read_json_object(index).get("weight_map")
    if not isinstance(parts, Mapping) or not all(isinstance(part, str) for part in parts.values()):
        raise FormatError(f"{index} has no weight_map from names to files")
    tensors, files = {}, {}
    for part in sorted(set(parts.values())):
        if Path(part).name != part or not part.endswith(".safetensors"):
            raise FormatError(f"{index} names the part {part!r}, wanted a .safetensors file of the folder itself")
        if not (path := folder / part).is_file():
            raise FormatError(f"{index} names the part {part}, and there is no such file: the model is not all here")
        for name, tensor in read_tensors(path)[0].items():
            if parts.get(name) != part:
                says = f"says that it is in {parts[name]}" if name in parts else "does not name it"
                raise FormatError(f"{path} holds the tensor {name}, and {index.name} {says}")
            tensors[name], files[name] = tensor, path
    if missing := sorted(parts.keys() - tensors.keys()):
        raise FormatError(f"{folder / parts[missing[0]]} lacks the tensor {missing[0]} that {index.name} promises")
    return tensors, files
