"""Byte-level BPE: training, encoding, patterns, formats, and the plain oracle (no torch)."""
