"""How good a model is: loss on text, stories of storyworld. Used by training and by `hornbook eval`."""
