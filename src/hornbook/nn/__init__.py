"""The parts of a Transformer, from scratch, and their fast twins."""
