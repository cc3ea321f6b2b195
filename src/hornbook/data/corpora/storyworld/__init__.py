"""storyworld: a corpus of small children's stories whose true entropy is known.

A seeded grammar with state simulates a little world and tells what happens in it. Every choice has a known
probability and different choices give different texts (tools/storyworld_proof.py), so the probability of a story is
exact and so is the floor that no language model of the corpus can beat. docs/storyworld.md explains the design; left
out: any claim that the stories resemble human ones in more than their surface.
"""

from hornbook.data.corpora.storyworld.corpus import (
    VERSION,
    chunks,
    corpus_bytes,
    entropy_floor,
    floor_nats_per_token,
    generate,
    log_probability,
    parse,
    split_stories,
    stories,
    story,
)
from hornbook.data.corpora.storyworld.instruments import Assessment, assess, first_places, true_plot_shares
from hornbook.data.corpora.storyworld.lexicon import LEVELS
from hornbook.data.corpora.storyworld.parser import KINDS, Decision, StoryError

__all__ = [
    "KINDS",
    "LEVELS",
    "VERSION",
    "Assessment",
    "Decision",
    "StoryError",
    "assess",
    "chunks",
    "corpus_bytes",
    "entropy_floor",
    "first_places",
    "floor_nats_per_token",
    "generate",
    "log_probability",
    "parse",
    "split_stories",
    "stories",
    "story",
    "true_plot_shares",
]
