"""A tokenizer by hand: train on a text, look at its merges, encode, decode, and compare two sizes of vocabulary.

`python examples/tokenizer_by_hand.py [FILE]` takes a second. Without a file it reads its own source.
"""

from __future__ import annotations

import sys
from pathlib import Path

import hornbook as hb

SPECIAL = ["<|endoftext|>"]


def main(source: Path = Path(__file__)) -> dict[int, float]:
    """Print what a tokenizer of `source` learned; return bytes per token by size of vocabulary."""
    counts = hb.count_pretokens(source, SPECIAL)  # the text is read once for all sizes
    text = source.read_text(encoding="utf-8")

    vocab, merges = hb.train_bpe_from_counts(counts, 300, SPECIAL)
    print("the first merges, most frequent pair first:")
    for left, right in merges[:8]:
        print(f"  {left!r} + {right!r} -> {left + right!r}")

    tokenizer = hb.Tokenizer(vocab, merges, SPECIAL)
    line = "def main():<|endoftext|>"
    ids = tokenizer.encode(line)
    print(f"{line!r} is {len(ids)} tokens:", " ".join(repr(tokenizer.decode([i])) for i in ids))
    assert tokenizer.decode(ids) == line  # nothing is lost, whatever the bytes are
    assert ids[-1] == 0  # special tokens come first in the vocabulary and are never cut

    found = {}
    for size in (256 + len(SPECIAL), 300, 500):
        learned = hb.Tokenizer(*hb.train_bpe_from_counts(counts, size, SPECIAL), SPECIAL)
        found[learned.vocab_size] = len(text.encode()) / len(learned.encode_array(text))
        print(f"{learned.vocab_size:4d} entries: {found[learned.vocab_size]:.2f} bytes per token")
    return found


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
