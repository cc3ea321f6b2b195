"""hornbook's own CPU kernels (cpp/kernels) as differentiable functions: the CPU half of `fused.py`.

Each computes in float32, reads and writes float32 or bfloat16, and has its backward pass written out. They run on
PyTorch's OpenMP threads, or on as many of their own. `usable` says whether a call can take them. Sizes, switches and
addresses go to the kernels by name; what each means stands in cpp/kernels/kernels.hpp.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from hornbook.errors import DataError
from hornbook.nn import _kernels
from hornbook.nn._kernels import AttentionShape, DecodeLayer, DecodeShape, DType, Heads
from hornbook.nn.plain import check_ids

enabled = True
"""False: PyTorch's own operators are taken instead, as on other devices. The tests compare both."""

DTYPES = {torch.float32: DType.float32, torch.bfloat16: DType.bfloat16}
"""What the kernels read and write."""
WEIGHT_TYPES = {**DTYPES, torch.int8: DType.int8}
"""Of a decoding step."""


def usable(*tensors: Tensor) -> bool:
    """Return whether the kernels take these tensors: on the CPU, float32 or bfloat16, outside a compiled graph.

    The kernels' own threads, which they have where there is no OpenMP (macOS), become as many as PyTorch's.
    """
    if not enabled or torch.compiler.is_compiling():
        return False
    _kernels.set_threads(torch.get_num_threads())
    return all(t.device.type == "cpu" and t.dtype in DTYPES for t in tensors)


def variant() -> str:
    """Return the instruction set that the kernels run on this machine."""
    return _kernels.variant()


def keep_freed_memory() -> bool:
    """Let the process keep what it frees, up to 32 MiB at a time, instead of asking the system for cleared pages anew.

    Worth about a tenth of a training step on a CPU; the price is that the process does not shrink. Call it once, before
    training. Returns whether this platform's allocator can (glibc).
    """
    return _kernels.keep_freed_memory()


def _check(holds: bool, wanted: str, *given: Tensor | None) -> None:
    """Raise ValueError unless `holds`: the kernels read and write where they are told to."""
    if not holds:
        shapes = ("none" if x is None else f"{str(x.dtype).removeprefix('torch.')} {tuple(x.shape)}" for x in given)
        raise ValueError(f"{wanted}; given are {', '.join(shapes)}")


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
        x, gain = x.contiguous(), gain.contiguous()
        width, rows = x.shape[-1], x.shape[:-1].numel()
        y, scale = torch.empty_like(x, dtype=dtype), torch.empty(rows)
        _kernels.rms_norm_forward(
            x_type=DTYPES[x.dtype], x=x.data_ptr(), gain=gain.data_ptr(), eps=eps, y_type=DTYPES[dtype],
            y=y.data_ptr(), scale=scale.data_ptr(), rows=rows, width=width,
        )  # fmt: skip
        ctx.save_for_backward(x, gain, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_y: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, gain, scale = ctx.saved_tensors
        d_y = d_y.contiguous()
        rows, width = scale.numel(), x.shape[-1]
        parts = max(1, min(64, rows // 16))
        d_x, d_gain = torch.empty_like(x), torch.empty(parts, width)
        _kernels.rms_norm_backward(
            x_type=DTYPES[x.dtype], x=x.data_ptr(), gain=gain.data_ptr(), scale=scale.data_ptr(),
            y_type=DTYPES[d_y.dtype], d_y=d_y.data_ptr(), d_x=d_x.data_ptr(), d_gain=d_gain.data_ptr(),
            parts=parts, rows=rows, width=width,
        )  # fmt: skip
        return d_x, d_gain.sum(0), None, None


def rms_norm(x: Float[Tensor, "... C"], gain: Float[Tensor, "C"], eps: float, dtype: torch.dtype) -> Tensor:
    """Return x / √(mean(x²) + ε) · gain in `dtype`. `gain` is float32. Raises ValueError for other shapes or types."""
    fits = x.ndim > 0 and gain.shape == x.shape[-1:] and gain.dtype == torch.float32
    _check(fits and x.dtype in DTYPES and dtype in DTYPES, "x (..., C) goes with a float32 gain (C,)", x, gain)
    return _RMSNorm.apply(x, gain, eps, dtype)  # pyright: ignore[reportReturnType]


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        both = both.contiguous()
        width = both.shape[-1] // 2
        out = both.new_empty(*both.shape[:-1], width)
        rows = both.shape[:-1].numel()
        _kernels.swiglu_forward(
            dtype=DTYPES[both.dtype], both=both.data_ptr(), out=out.data_ptr(), rows=rows, width=width
        )
        ctx.save_for_backward(both)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (both,) = ctx.saved_tensors
        d_out = d_out.contiguous()
        d_both, width = torch.empty_like(both), both.shape[-1] // 2
        _kernels.swiglu_backward(
            dtype=DTYPES[both.dtype], both=both.data_ptr(), d_out=d_out.data_ptr(), d_both=d_both.data_ptr(),
            rows=d_out.shape[:-1].numel(), width=width,
        )  # fmt: skip
        return d_both


def swiglu(both: Float[Tensor, "... 2F"]) -> Float[Tensor, "... F"]:
    """Return silu(gate) · up, where the last dimension of `both` is gate, then up. Raises ValueError."""
    fits = both.ndim > 0 and both.shape[-1] % 2 == 0 and both.dtype in DTYPES
    _check(fits, "gate and up lie side by side in (..., 2F), float32 or bfloat16", both)
    return _SwiGLU.apply(both)  # pyright: ignore[reportReturnType]


def _heads(x: Tensor) -> Heads:
    """Return address and strides of a (B, T, H, D) tensor whose channels lie together."""
    assert x.stride(-1) == 1 or x.shape[-1] == 1
    return Heads(x.data_ptr(), batch=x.stride(0), time=x.stride(1), head=x.stride(2))


def _address(x: Tensor | None) -> int:
    return 0 if x is None else x.data_ptr()


class _CausalAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, qkv: Tensor, cos: Tensor | None, sin: Tensor | None, q_gain: Tensor | None, k_gain: Tensor | None,
        eps: float,
    ) -> Tensor:  # fmt: skip
        qkv = qkv.contiguous()
        B, T, _, H, D = qkv.shape
        out, log_sum = qkv.new_empty(B, T, H, D), torch.empty(B, H, T)
        ctx.shape = AttentionShape(
            batch=B, heads=H, time=T, width=D, cosine=_address(cos), sine=_address(sin), query_gain=_address(q_gain),
            key_gain=_address(k_gain), eps=eps, dtype=DTYPES[qkv.dtype],
        )  # fmt: skip
        q, k, v = (_heads(x) for x in qkv.unbind(2))
        _kernels.attention_forward(ctx.shape, q=q, k=k, v=v, out=_heads(out), log_sum=log_sum.data_ptr())
        ctx.save_for_backward(qkv, out, log_sum, cos, sin, q_gain, k_gain)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        qkv, out, log_sum, _, _, q_gain, _ = ctx.saved_tensors
        B, _, _, H, D = qkv.shape
        d_qkv, d_out = torch.empty_like(qkv), d_out.contiguous()
        d_gains = None if q_gain is None else torch.empty(B * H, 2, D)
        q, k, v = (_heads(x) for x in qkv.unbind(2))
        d_q, d_k, d_v = (_heads(x) for x in d_qkv.unbind(2))
        _kernels.attention_backward(
            ctx.shape, q=q, k=k, v=v, out=_heads(out), log_sum=log_sum.data_ptr(), d_out=_heads(d_out),
            d_q=d_q, d_k=d_k, d_v=d_v, d_gains=_address(d_gains),
        )  # fmt: skip
        d_q_gain, d_k_gain = (None, None) if d_gains is None else d_gains.sum(0).unbind()
        return d_qkv, None, None, d_q_gain, d_k_gain, None


def causal_attention(
    qkv: Float[Tensor, "B T 3 H D"],
    cos: Float[Tensor, "Tmax D/2"] | None,
    sin: Float[Tensor, "Tmax D/2"] | None,
    q_gain: Float[Tensor, "D"] | None = None,
    k_gain: Float[Tensor, "D"] | None = None,
    eps: float = 0.0,
) -> Float[Tensor, "B T H D"]:
    """Return causal attention over packed queries, keys and values.

    Queries and keys are normed (see `rms_norm`) where float32 gains are given, then rotated where tables are given.
    Raises ValueError for other shapes or types.
    """
    _check(
        qkv.ndim == 5 and qkv.shape[2] == 3 and qkv.dtype in DTYPES, "queries, keys, values are (B, T, 3, H, D)", qkv
    )
    T, D = qkv.shape[1], qkv.shape[4]
    for x in (cos, sin) if cos is not None or sin is not None else ():
        fits = x is not None and x.dtype == torch.float32 and x.ndim == 2 and len(x) >= T and x.shape[1] * 2 == D
        _check(fits, "cosines and sines are two float32 tables (T or more, D/2)", qkv, cos, sin)
    for x in (q_gain, k_gain) if q_gain is not None or k_gain is not None else ():
        fits = x is not None and x.dtype == torch.float32 and x.shape == (D,)
        _check(fits, "gains of queries and keys are two of float32 (D,)", qkv, q_gain, k_gain)
    if qkv.numel() == 0:
        return qkv[:, :, 2]
    if cos is not None and sin is not None:
        cos, sin = cos[: qkv.shape[1]].contiguous(), sin[: qkv.shape[1]].contiguous()
    if q_gain is not None and k_gain is not None:
        q_gain, k_gain = q_gain.contiguous(), k_gain.contiguous()
    return _CausalAttention.apply(qkv, cos, sin, q_gain, k_gain, eps)  # pyright: ignore[reportReturnType]


def cross_entropy_(
    logits: Float[Tensor, "N V"], targets: Int[Tensor, "N"], weight: float, softcap: float, with_gradient: bool
) -> Float[Tensor, "N"]:
    """Return −log softmax(logits)[target] for each row; with_gradient: leave d(Σ loss · weight)/d logits in `logits`.

    softcap c > 0 applies c · tanh(logits / c) first.

    Raises:
        DataError: a target outside the vocabulary.
        ValueError: other shapes or types.
    """
    fits = logits.ndim == 2 and logits.is_contiguous() and logits.dtype in DTYPES and targets.is_contiguous()
    fits = fits and targets.dtype == torch.int64 and targets.shape == logits.shape[:1]
    _check(fits, "logits (N, V) go with int64 targets (N,), both contiguous", logits, targets)
    check_ids(targets, logits.shape[1], "a target")
    loss = torch.empty(logits.shape[0])
    rows, width = logits.shape
    _kernels.cross_entropy(
        dtype=DTYPES[logits.dtype], logits=logits.data_ptr(), targets=targets.data_ptr(), loss=loss.data_ptr(),
        weight=weight, softcap=softcap, with_gradient=with_gradient, rows=rows, width=width,
    )  # fmt: skip
    return loss


def address_of(tensor: Tensor | None, dtype: torch.dtype, *shape: int) -> int:
    """Return where the kernel finds a weight, 0 for none. Raises ValueError unless it is as the kernel reads it."""
    if tensor is None:
        return 0
    fits = tensor.shape == shape and tensor.dtype == dtype and tensor.is_contiguous() and tensor.device.type == "cpu"
    _check(fits, f"the kernel reads {str(dtype).removeprefix('torch.')} {shape} here, contiguous on the CPU", tensor)
    return tensor.data_ptr()


def decode(
    shape: DecodeShape, layers: list[DecodeLayer], *, table: Tensor, final_gain: int, head: int, ids: Int[Tensor, "B"],
    positions: Int[Tensor, "B"], logits: Float[Tensor, "N V"], sequences: Int[Tensor, "B"] | None = None, kept: int = 0,
    wanted: Int[Tensor, "N"] | None = None,
) -> None:  # fmt: skip
    """Write into `logits` what follows `ids` at `positions`; see `DecodeStep` in cpp/kernels/kernels.hpp.

    `kept` is the number of sequences that the layers have room for, where `sequences` are given.

    Raises:
        DataError: an id outside the vocabulary, or a position outside the context.
        ValueError: other shapes or types, no layer, or no such sequence. Those of the weights, which come as addresses,
            are checked where the addresses are taken (`address_of`).
    """
    batch, sizes = (shape.batch,), (shape.vocabulary, shape.d_model)
    whole = [ids, positions] + ([] if sequences is None else [sequences])
    fits = all(x.dtype == torch.int64 and x.is_contiguous() and x.shape == batch for x in whole)
    rows = shape.batch if wanted is None else len(wanted)
    outcome = (table, sizes), (logits, (rows, shape.vocabulary))
    fits = fits and all(x.dtype == torch.float32 and x.is_contiguous() and x.shape == size for x, size in outcome)
    message = f"a step of {shape.batch} ids takes int64 ids and positions (B,), a table {sizes} and logits (N, V)"
    _check(fits and bool(layers) and head != 0, message, ids, positions, table, logits)
    check_ids(ids, shape.vocabulary)
    low, high = (int(x) for x in positions.aminmax())
    if low < 0 or high >= shape.context:
        wrong = low if low < 0 else high
        raise DataError(f"a position is {wrong}, but the model's context has the positions 0 to {shape.context - 1}")
    if sequences is not None:
        low, high = (int(x) for x in sequences.aminmax())
        _check(low >= 0 and high < kept, f"sequences are numbered from 0 to {kept - 1}", sequences)
    if wanted is not None:
        fits = wanted.dtype == torch.int64 and wanted.is_contiguous() and wanted.ndim == 1
        steps = torch.cat((torch.tensor([-1]), wanted, torch.tensor(batch))).diff() if fits else torch.zeros(1)
        _check(bool((steps > 0).all()), f"wanted are some of 0 to {shape.batch - 1} in ascending order", wanted)
        if rows == 0:
            wanted = positions  # an empty tensor has no address, which would mean all; nothing of it is read
    _kernels.decode(
        shape, layers, table=table.data_ptr(), final_gain=final_gain, head=head, ids=ids.data_ptr(),
        positions=positions.data_ptr(), sequences=_address(sequences), wanted=_address(wanted), num_wanted=rows,
        logits=logits.data_ptr(),
    )  # fmt: skip
