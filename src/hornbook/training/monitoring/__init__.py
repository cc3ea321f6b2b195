"""What a run records about itself, and diagnostics on request."""
