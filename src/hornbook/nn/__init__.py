"""The parts of a Transformer, from scratch, plain and fused."""

from hornbook import simd
from hornbook.nn import _kernels

simd.obey(_kernels.set_variant)
