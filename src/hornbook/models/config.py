"""The shape of a model: one frozen dataclass, checked on creation, free of torch.

Defaults are the handout's base recipe where it has one. Left out: grouped-query attention, GELU, biases.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args

from hornbook.config.bounds import Bound, check_bounds
from hornbook.errors import ConfigError, did_you_mean
from hornbook.nn.specs import FEED_FORWARDS, NORMS

Norm = Literal["pre", "post", "none"]
Position = Literal["rope", "none"]
if TYPE_CHECKING:
    FeedForward = NormKind = str
else:  # what a recipe may say, for the check and for `--help`
    FeedForward, NormKind = Literal[tuple(FEED_FORWARDS)], Literal[tuple(NORMS)]

SIZES = ("vocab_size", "context_length", "d_model", "num_layers", "num_heads", "d_ff")
"""The fields that every model gives."""

MODEL_BOUNDS = {
    "vocab_size": Bound(1, 2**31 - 1),
    "context_length": Bound(1, 2**31 - 1),
    "d_model": Bound(1, 2**20),
    "num_layers": Bound(1, 100_000),
    "num_heads": Bound(1, 2**20),
    "d_ff": Bound(1, 2**24),
    "rope_theta": Bound(0, 1e30, "10000 is usual", above=True),
    "dropout": Bound(0, 1, "0 turns it off", below=True),
    "norm_eps": Bound(0, 1, "1e-5 is usual", above=True),
    "logit_softcap": Bound(0, 1e30, "0 turns it off, 15 is usual"),
    "value_embeddings": Bound(0, 100_000),
}


@dataclass(frozen=True)
class ModelConfig:
    """Everything that decides the parameters of a `TransformerLM` and what it computes with them."""

    vocab_size: int
    """V, the number of token ids; the tokenizer's `vocab_size`."""
    context_length: int
    """The longest sequence, in tokens."""
    d_model: int
    """C, the width of the residual stream."""
    num_layers: int
    """L, the number of Transformer blocks."""
    num_heads: int
    """H; each head is C/H wide."""
    d_ff: int | None = None
    """F, the feed-forward width; None: the default of the chosen `ffn` (nn/specs.py), filled in on creation."""
    rope_theta: float = 10000.0
    """Θ of the rotary embedding; used with position = "rope" only."""
    norm: Norm = "pre"
    """"pre": before each sub-layer; "post": after the residual sum; "none": no norm anywhere."""
    position: Position = "rope"
    """"rope": queries and keys are rotated by their position; "none": the causal mask is all there is."""
    ffn: FeedForward = "swiglu"
    """"swiglu": w2(silu(w1 x) ⊙ w3 x); "silu": w2 silu(w1 x); "relu2": w2 relu(w1 x)²."""
    tie_embeddings: bool = False
    """One tensor for the token embedding and the LM head."""
    dropout: float = 0.0
    """Probability of dropping an element of the embedding and of each sub-layer's output while training."""
    norm_eps: float = 1e-5
    """ε inside the square root of every norm."""
    qk_norm: bool = False
    """RMSNorm over each head's queries and keys, before the rotation (Henry et al. 2020)."""
    zero_init_output: bool = False
    """Start the output projections of attention and feed-forward at zero, so that each block starts as the identity."""
    logit_softcap: float = 0.0
    """c > 0: logits become c · tanh(logits / c) (Gemma 2); 0: off."""
    value_embeddings: int = 0
    """So many of the last layers add a gated embedding of the token to their values; 0: off."""
    norm_kind: NormKind = "rmsnorm"
    """The kind of the norms on the residual stream: a name in `NORMS` (nn/specs.py, docs/model.md)."""

    def __post_init__(self) -> None:
        for name in ("vocab_size", "context_length", "d_model", "num_layers", "num_heads"):
            _check_positive(name, getattr(self, name))
        for name, kind in (("norm", Norm), ("norm_kind", NormKind), ("position", Position), ("ffn", FeedForward)):
            _check_choice(name, getattr(self, name), get_args(kind))
        if self.d_ff is None:
            object.__setattr__(self, "d_ff", FEED_FORWARDS[self.ffn].default_d_ff(self.d_model))
        _check_positive("d_ff", self.d_ff)
        check_bounds("", self, MODEL_BOUNDS)
        self._check_heads()

    def _check_heads(self) -> None:
        if self.d_model % self.num_heads:
            divisors = [h for h in range(1, self.d_model + 1) if self.d_model % h == 0]
            nearest = sorted(divisors, key=lambda h: abs(h - self.num_heads))[:2]
            raise ConfigError(
                f"d_model = {self.d_model} is not divisible by num_heads = {self.num_heads}: every head needs the same "
                f"whole width; num_heads = {' or '.join(map(str, sorted(nearest)))} would do"
            )
        if self.position == "rope" and self.d_head % 2:
            raise ConfigError(
                f"heads of odd width (d_model / num_heads = {self.d_model} / {self.num_heads} = {self.d_head}) cannot "
                'be rotated in pairs; choose an even d_model / num_heads, or position = "none"'
            )

        if not 0 <= self.value_embeddings <= self.num_layers:
            raise ConfigError(
                f"value_embeddings = {self.value_embeddings} must be between 0 and num_layers = {self.num_layers}"
            )

    @property
    def d_head(self) -> int:
        """D, the width of one head."""
        return self.d_model // self.num_heads

    @property
    def resolved_d_ff(self) -> int:
        """F as a number: `d_ff`, which creation has filled in."""
        assert self.d_ff is not None
        return self.d_ff


def unknown_field(config: ModelConfig, known: Mapping[str, Collection[object] | None]) -> str | None:
    """Return the name of a field that a special case of the model does not know, or None where it knows them all.

    A fast path, a formula or a converter lists the fields that it takes into account. Any other field must be at its
    default: so one that is added later and forgotten there ends in the general path, never in a wrong result.

    Args:
        config: the model.
        known: field → the values that are taken into account; None: all of them.
    """
    for field in fields(config):
        value = getattr(config, field.name)
        values = known.get(field.name, (field.default,) if field.default is not MISSING else ())
        if values is not None and value not in values:
            return field.name
    return None


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{name} = {value!r} must be a whole number of at least 1")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        listed = ", ".join(map(repr, choices))
        raise ConfigError(f"{name} = {value!r} is not one of {listed}{did_you_mean(str(value), choices)}")
