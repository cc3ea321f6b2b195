"""Models of other systems: Hugging Face folders."""
