"""Run folders and their records (no torch)."""
