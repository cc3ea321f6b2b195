"""How good a model is: its loss on text, and what a corpus of known distribution says. Used by training and eval."""
