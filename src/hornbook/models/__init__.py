"""The Transformer language model and its configuration."""
