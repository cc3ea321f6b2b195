# Written by tools/write_stubs.py; do not edit.
"""hornbook's CPU kernels, by address"""

from collections.abc import Sequence
import enum

class DType(enum.Enum):
    float32 = 0

    bfloat16 = 1

    int8 = 2

class NormPlacement(enum.Enum):
    pre = 0

    post = 1

    none = 2

class FeedForward(enum.Enum):
    swiglu = 0

    silu = 1

    relu2 = 2

class Heads:
    """
    A (batch, time, head, channel) tensor, channels side by side; strides in elements.
    """

    def __init__(self, data: int, batch: int, time: int, head: int) -> None: ...

class AttentionShape:
    def __init__(
        self,
        *,
        batch: int,
        heads: int,
        time: int,
        width: int,
        cosine: int,
        sine: int,
        query_gain: int,
        key_gain: int,
        eps: float,
        dtype: DType,
    ) -> None: ...

def attention_forward(shape: AttentionShape, *, q: Heads, k: Heads, v: Heads, out: Heads, log_sum: int) -> None: ...
def attention_backward(
    shape: AttentionShape,
    *,
    q: Heads,
    k: Heads,
    v: Heads,
    out: Heads,
    log_sum: int,
    d_out: Heads,
    d_q: Heads,
    d_k: Heads,
    d_v: Heads,
    d_gains: int,
) -> None: ...
def rms_norm_forward(
    *, x_type: DType, x: int, gain: int, eps: float, y_type: DType, y: int, scale: int, rows: int, width: int
) -> None: ...
def rms_norm_backward(
    *,
    x_type: DType,
    x: int,
    gain: int,
    scale: int,
    y_type: DType,
    d_y: int,
    d_x: int,
    d_gain: int,
    parts: int,
    rows: int,
    width: int,
) -> None: ...
def swiglu_forward(*, dtype: DType, both: int, out: int, rows: int, width: int) -> None: ...
def swiglu_backward(*, dtype: DType, both: int, d_out: int, d_both: int, rows: int, width: int) -> None: ...
def cross_entropy(
    *,
    dtype: DType,
    logits: int,
    targets: int,
    loss: int,
    weight: float,
    softcap: float,
    with_gradient: bool,
    rows: int,
    width: int,
) -> None: ...

class DecodeShape:
    """
    A model's sizes and switches; dtype: of the layers' and head's weights.
    """

    def __init__(
        self,
        *,
        batch: int,
        d_model: int,
        heads: int,
        d_ff: int,
        vocabulary: int,
        context: int,
        norm: NormPlacement,
        ffn: FeedForward,
        eps: float,
        softcap: float,
        cosine: int,
        sine: int,
        dtype: DType,
    ) -> None: ...
    @property
    def batch(self) -> int: ...
    @property
    def d_model(self) -> int: ...
    @property
    def vocabulary(self) -> int: ...
    @property
    def context(self) -> int: ...

class DecodeLayer:
    """Addresses of one layer's weights, keys and values; 0: there is none."""

    def __init__(
        self,
        *,
        q: int,
        k: int,
        v: int,
        o: int,
        w1: int,
        w2: int,
        w3: int,
        ln1: int,
        ln2: int,
        query_gain: int,
        key_gain: int,
        keys: int,
        values: int,
    ) -> None: ...

def decode(
    shape: DecodeShape,
    layers: Sequence[DecodeLayer],
    *,
    table: int,
    final_gain: int,
    head: int,
    ids: int,
    positions: int,
    sequences: int,
    wanted: int,
    num_wanted: int,
    logits: int,
) -> None: ...
def variant() -> str:
    """The instruction set that the kernels run now."""

def variants() -> list[str]:
    """The instruction sets that this machine runs, widest first."""

def set_variant(name: str) -> bool:
    """Run another one; False (and no change) where the machine lacks it."""

def set_threads(count: int) -> None:
    """How many threads take part where there is no OpenMP."""

def use_own_threads(wanted: bool) -> None:
    """For tests: leave OpenMP alone."""

def keep_freed_memory() -> bool: ...
