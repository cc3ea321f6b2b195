"""The parts of a Transformer, from scratch, plain and fused."""
