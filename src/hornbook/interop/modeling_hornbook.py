"""A hornbook language model for transformers: loaded from its folder with `trust_remote_code=True`.

Written beside the weights of a model that no architecture of transformers expresses (`hornbook export --custom-code`).
It needs torch and transformers, and nothing of hornbook. Plain operations, none fused.
"""

import torch
from torch import nn
from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.cache_utils import DynamicCache
from transformers.modeling_outputs import CausalLMOutputWithPast


class HornbookConfig(PretrainedConfig):
    """The fields of hornbook's ModelConfig, by their names there."""

    model_type = "hornbook"

    def __init__(
        self,
        vocab_size=256,
        context_length=256,
        d_model=64,
        num_layers=1,
        num_heads=1,
        d_ff=64,
        rope_theta=10000.0,
        norm="pre",
        norm_kind="rmsnorm",
        norm_eps=1e-5,
        position="rope",
        ffn="swiglu",
        qk_norm=False,
        logit_softcap=0.0,
        value_embeddings=0,
        **others,
    ):
        self.vocab_size, self.context_length = vocab_size, context_length
        self.d_model, self.num_layers, self.num_heads, self.d_ff = d_model, num_layers, num_heads, d_ff
        self.rope_theta, self.position = rope_theta, position
        self.norm, self.norm_kind, self.norm_eps = norm, norm_kind, norm_eps
        self.ffn, self.qk_norm = ffn, qk_norm
        self.logit_softcap, self.value_embeddings = logit_softcap, value_embeddings
        super().__init__(**others)


class Norm(nn.Module):
    """RMSNorm; LayerNorm (without bias) is RMSNorm of the centred input."""

    def __init__(self, width, config, kind):
        super().__init__()
        self.eps, self.centred = config.norm_eps, kind == "layernorm"
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        wide = x.float()
        if self.centred:
            wide = wide - wide.mean(-1, keepdim=True)
        scale = (wide.square().mean(-1, keepdim=True) + self.eps).rsqrt()
        return (wide * scale * self.weight.float()).to(x.dtype)


class FeedForward(nn.Module):
    """w2 f(w1 x); SwiGLU: w2(silu(w1 x) * w3 x)."""

    def __init__(self, config):
        super().__init__()
        self.kind = config.ffn
        self.w1 = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.w2 = nn.Linear(config.d_ff, config.d_model, bias=False)
        if self.kind == "swiglu":
            self.w3 = nn.Linear(config.d_model, config.d_ff, bias=False)

    def forward(self, x):
        inner = self.w1(x)
        if self.kind == "relu2":
            return self.w2(torch.relu(inner).square())
        inner = inner * torch.sigmoid(inner)
        return self.w2(inner * self.w3(x) if self.kind == "swiglu" else inner)


class Attention(nn.Module):
    """Causal self-attention; pairs of neighbouring channels are rotated."""

    def __init__(self, config, layer):
        super().__init__()
        width = config.d_model
        self.config, self.layer, self.heads, self.d_head = config, layer, config.num_heads, width // config.num_heads
        for name in ("q_proj", "k_proj", "v_proj", "output_proj"):
            setattr(self, name, nn.Linear(width, width, bias=False))
        if config.qk_norm:
            self.q_norm, self.k_norm = (Norm(self.d_head, config, "rmsnorm") for _ in range(2))
        if layer >= config.num_layers - config.value_embeddings:
            self.value_gate = nn.Parameter(torch.zeros(self.heads))

    def _rotate(self, x, positions):
        exponents = torch.arange(0, self.d_head, 2, dtype=torch.float64, device=x.device) / self.d_head
        angles = positions[:, None, :, None].double() * self.config.rope_theta**-exponents  # (B, 1, T, D/2)
        cos, sin = angles.cos().float(), angles.sin().float()
        even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
        return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2).to(x.dtype)

    def forward(self, x, positions, extra, mask, cache):
        q, k, v = (
            p(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj)
        )
        if extra is not None:
            v = v + self.value_gate[:, None, None] * extra.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        if self.config.qk_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        if self.config.position == "rope":
            q, k = self._rotate(q, positions), self._rotate(k, positions)
        if cache is not None:
            k, v = cache.update(k, v, self.layer)
        scores = (q.float() @ k.float().transpose(-1, -2)) / self.d_head**0.5
        weights = scores.masked_fill(~mask, float("-inf")).softmax(-1).to(v.dtype)
        return self.output_proj((weights @ v).transpose(1, 2).flatten(-2))


class Block(nn.Module):
    """Attention and feed-forward, each in a residual connection."""

    def __init__(self, config, layer):
        super().__init__()
        self.post = config.norm == "post"
        self.attn, self.ffn = Attention(config, layer), FeedForward(config)
        self.ln1, self.ln2 = (_norm(config) for _ in range(2))

    def forward(self, x, *how):
        if self.post:
            x = self.ln1(x + self.attn(x, *how))
            return self.ln2(x + self.ffn(x))
        x = x + self.attn(self.ln1(x), *how)
        return x + self.ffn(self.ln2(x))


def _norm(config):
    return nn.Identity() if config.norm == "none" else Norm(config.d_model, config, config.norm_kind)


class HornbookForCausalLM(PreTrainedModel, GenerationMixin):
    """The model with its head."""

    config_class = HornbookConfig
    base_model_prefix = ""
    _no_split_modules = ["Block"]
    _tied_weights_keys = {"lm_head.weight": "token_embeddings.weight"}

    def __init__(self, config):
        super().__init__(config)
        self.token_embeddings = nn.Embedding(config.vocab_size, config.d_model)
        self.layers = nn.ModuleList(Block(config, layer) for layer in range(config.num_layers))
        self.value_embeddings = nn.ModuleList(
            nn.Embedding(config.vocab_size, config.d_model) for _ in range(config.value_embeddings)
        )
        self.ln_final = _norm(config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self):
        return self.token_embeddings

    def set_input_embeddings(self, value):
        self.token_embeddings = value

    def get_output_embeddings(self):
        return self.lm_head

    def forward(
        self,
        input_ids,
        attention_mask=None,
        position_ids=None,
        past_key_values=None,
        labels=None,
        use_cache=None,
        logits_to_keep=0,
        **_,
    ):
        """Return logits (B, T, V), and the mean cross-entropy where `labels` are given (shifted here)."""
        batch, length = input_ids.shape
        if use_cache is None:
            use_cache = not self.training and labels is None
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        seen = 0 if past_key_values is None else past_key_values.get_seq_length()
        rows = torch.arange(seen, seen + length, device=input_ids.device)
        mask = (rows[:, None] >= torch.arange(seen + length, device=input_ids.device))[None, None]
        if attention_mask is not None and attention_mask.ndim == 2:
            # A padded row sees itself, or its softmax would be over nothing.
            own = torch.eye(seen + length, dtype=torch.bool, device=input_ids.device)[seen:]
            mask = mask & (attention_mask[:, None, None, : seen + length].bool() | own)
            if position_ids is None:
                position_ids = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, -length:]
        positions = rows.expand(batch, -1) if position_ids is None else position_ids.expand(batch, -1)
        x = self.token_embeddings(input_ids)
        first = len(self.layers) - len(self.value_embeddings)
        for layer, block in enumerate(self.layers):
            extra = self.value_embeddings[layer - first](input_ids) if layer >= first else None
            x = block(x, positions, extra, mask, past_key_values if use_cache else None)
        kept = x[:, -logits_to_keep:] if logits_to_keep else x
        logits = self.lm_head(self.ln_final(kept))
        cap = self.config.logit_softcap
        if cap:
            logits = cap * (logits / cap).tanh()
        loss = None
        if labels is not None:
            loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())
        return CausalLMOutputWithPast(loss=loss, logits=logits, past_key_values=past_key_values if use_cache else None)
