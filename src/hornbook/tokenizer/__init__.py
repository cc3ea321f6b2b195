"""Byte-level BPE: training, encoding, patterns, formats, and the plain oracle (no torch)."""

from hornbook import simd
from hornbook.tokenizer import _core

simd.obey(_core.set_variant)
