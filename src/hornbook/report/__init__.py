"""Self-contained HTML reports (no torch)."""
