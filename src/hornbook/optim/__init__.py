"""Optimizers, learning-rate schedules and gradient clipping, from scratch."""
