"""The token file: memory-mapped ids and their manifest (no torch)."""
