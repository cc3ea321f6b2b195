"""Corpora that come with hornbook."""
