"""What a run says of itself: records, console, diagnostics."""
