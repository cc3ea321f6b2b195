"""A model as the list of its parts, without torch: what accounting sums, and what the decoding kernel must know.

Names are those of the state dict, as far as a part has weights (models/transformer.py builds the same parts).
"""

from __future__ import annotations

from dataclasses import dataclass

from hornbook.errors import ConfigError
from hornbook.models.config import SIZES, ModelConfig, unknown_field
from hornbook.nn.attention_spec import AttentionSpec, ValueGateSpec
from hornbook.nn.spec import Spec
from hornbook.nn.specs import (
    FEED_FORWARDS,
    NORMS,
    DropoutSpec,
    EmbeddingSpec,
    HeadSpec,
    ResidualSpec,
    ValueEmbeddingSpec,
)

_KNOWN = {
    **dict.fromkeys(SIZES),
    **dict.fromkeys(("rope_theta", "norm_eps", "zero_init_output")),  # of no cost
    **dict.fromkeys(("norm_kind", "ffn")),  # any that there is
    **dict.fromkeys(("tie_embeddings", "dropout", "qk_norm", "logit_softcap", "value_embeddings")),
    "norm": ("pre", "post", "none"),
    "position": ("rope", "none"),
}
"""What the list of parts takes into account of a configuration (see `unknown_field`)."""


@dataclass(frozen=True)
class Part:
    """Equal parts of a model."""

    name: str
    """Their name, such as "ffn" or "ln1, ln2"."""
    spec: Spec
    """What one of them is."""
    count: str = ""
    """How many there are, as a product of letters such as "L·2"; "": one."""
    in_layers: bool = False
    """Whether they lie within the layers, which activation checkpointing computes again."""


def parts_of(config: ModelConfig) -> list[Part]:
    """Return the parts of the model that `config` describes.

    Raises:
        ConfigError: it has a setting that is not taken into account here, so that nothing exact can be said of it.
    """
    unknown = unknown_field(config, _KNOWN)
    if unknown:
        raise ConfigError(
            f"{unknown} = {getattr(config, unknown)!r} is not taken into account by the list of a model's parts "
            "(models/parts.py); what would be said of its cost would be wrong"
        )
    norm, dropout = NORMS[config.norm_kind], [DropoutSpec()] if config.dropout else []
    attention = AttentionSpec(rotation=config.position == "rope", qk_norm=config.qk_norm)
    parts = [Part("token_embeddings", EmbeddingSpec())]
    parts += [Part("dropout of the embedding", spec) for spec in dropout]
    if config.value_embeddings:
        parts.append(Part("value_embeddings", ValueEmbeddingSpec(), "G"))
        parts.append(Part("attn.value_gate", ValueGateSpec(), "G", in_layers=True))
    parts.append(Part("attn", attention, "L", in_layers=True))
    parts.append(Part("ffn", FEED_FORWARDS[config.ffn](), "L", in_layers=True))
    if config.norm != "none":
        parts.append(Part("ln1, ln2", norm(), "L·2", in_layers=True))
    parts += [Part("dropout", spec, "L·2", in_layers=True) for spec in dropout]
    parts.append(Part("residual sums", ResidualSpec(), "L·2", in_layers=True))
    if config.norm != "none":
        parts.append(Part("ln_final", norm()))
    parts.append(Part("lm_head", HeadSpec(tied=config.tie_embeddings, softcap=config.logit_softcap > 0)))
    return parts
