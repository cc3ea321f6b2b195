"""Designed sets of runs that answer a question."""
