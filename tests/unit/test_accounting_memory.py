"""What the measured memory model says is kept for the backward pass is what autograd saves, on both paths."""

import weakref

import pytest
import torch

import hornbook as hb
from hornbook.accounting.formulas import total
from hornbook.accounting.memory import Memory, StepSettings, engine_memory, saved_activations
from hornbook.errors import ConfigError
from hornbook.nn.spec import Execution


class Held:
    """What autograd keeps in place of a tensor, so that we can see afterwards which it still holds."""

    def __init__(self, tensor):
        self.tensor = tensor.detach()  # an output kept with its graph would never be let go


def saved_bytes(model, ids, dtype):
    """Bytes of all distinct storages that the graph of the loss holds, without the parameters and the ids."""
    own = {t.untyped_storage().data_ptr() for t in [*model.parameters(), *model.buffers(), ids]}
    references = []

    def pack(tensor):
        held = Held(tensor)
        references.append(weakref.ref(held))
        return held

    autocast = torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16")
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda held: held.tensor), autocast:
        loss = model.loss(ids, ids)
    assert loss.requires_grad
    storages = [held.tensor.untyped_storage() for r in references if (held := r()) is not None]
    return sum({s.data_ptr(): s.nbytes() for s in storages if s.data_ptr() not in own}.values())


def shape(**more):
    return hb.ModelConfig(vocab_size=700, context_length=48, d_model=64, num_layers=3, num_heads=4, **more)


LEADERBOARD = {"ffn": "relu2", "qk_norm": True, "logit_softcap": 15.0, "value_embeddings": 2}
SWITCHES = [
    {}, {"ffn": "silu"}, {"ffn": "relu2"}, {"norm": "none"}, {"norm": "post"}, {"position": "none"},
    {"tie_embeddings": True}, {"norm_kind": "layernorm"}, {"norm_kind": "layernorm", "norm": "post"},
    {"qk_norm": True}, {"qk_norm": True, "position": "none"}, {"logit_softcap": 15.0}, {"value_embeddings": 2},
    {"dropout": 0.1}, {"dropout": 0.1, "norm": "post"}, LEADERBOARD,
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("more", SWITCHES, ids=str)
@pytest.mark.parametrize("fused", [False, True])
def test_kept_bytes_are_what_autograd_saves(dtype, more, fused):
    """Fused to the byte; the plain path also keeps its mask and the rotation's table."""
    config = shape(**more)
    model = hb.TransformerLM(config)
    model.use_fused(fused)
    ids = torch.randint(config.vocab_size, (4, config.context_length))
    how = Execution(dtype=dtype, fused_attention=fused, chunked_loss=fused, fused_layers=fused)
    terms = saved_activations(config, 4, how)
    assert total(terms) == pytest.approx(saved_bytes(model, ids, dtype), rel=0 if fused else 0.005)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("more", SWITCHES, ids=str)
def test_kept_bytes_on_torchs_own_operators(dtype, more, monkeypatch):
    """What a GPU runs, on a CPU; there torch's norm is not fused and keeps the normalised input besides, and its
    attention over rotated or normed heads leaves its result in another order, so that a copy of it is kept."""
    monkeypatch.setattr("hornbook.nn.cpu_kernels.enabled", False)
    config = shape(**more)
    model = hb.TransformerLM(config).use_fused()
    ids = torch.randint(config.vocab_size, (4, config.context_length))
    terms = saved_activations(config, 4, Execution(dtype=dtype, own_kernels=False))
    stream = ids.numel() * config.d_model
    norms = (2 * config.num_layers + 1) * (config.norm != "none") + 2 * config.num_layers * config.qk_norm
    besides = norms * stream * 4
    if config.position == "rope" or config.qk_norm:
        besides += config.num_layers * stream * (4 if dtype == "float32" else 2)
    assert total(terms) + besides == pytest.approx(saved_bytes(model, ids, dtype), rel=0.01)


def test_the_peak_grows_with_the_batch_and_shrinks_with_the_means_against_it():
    config = shape()

    def step(batch=64, **more):
        return engine_memory(config, batch, StepSettings(**more))

    def peak(batch=64, **more):
        return step(batch, **more).peak

    assert peak(128) > peak(64)
    assert peak(gradient_accumulation=4) < peak()
    # A part's gradients are made beside those of the earlier parts.
    assert peak(batch=256, gradient_accumulation=4) == peak(batch=64) + step().gradients
    assert peak(activation_checkpointing=True) < peak()
    assert peak(dtype="bfloat16") < peak()
    assert peak(fused_attention=False) > peak()
    assert peak(chunked_loss=False) > peak()
    assert peak(background_checkpoint=True) > peak()
    assert peak(optimizer="sgd") < peak(optimizer="muon") < peak(optimizer="adamw")


def test_the_largest_batch_is_the_largest():
    memory = Memory(config=shape())
    limit = 2 * 10**9
    batch = memory.largest_batch(limit)
    assert memory.measured(batch).peak <= limit < memory.measured(batch + 1).peak
    assert memory.largest_batch(10**6) == 0


def test_unknown_names_are_errors():
    with pytest.raises(ConfigError, match="dtype"):
        engine_memory(shape(), 1, StepSettings(dtype="float16"))
    with pytest.raises(ConfigError, match="optimizer"):
        engine_memory(shape(), 1, StepSettings(optimizer="adam"))
