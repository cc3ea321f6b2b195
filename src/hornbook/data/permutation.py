"""Seeded randomness that any position can be asked of: Philox generators by counter, and a permutation by key.

The permutation of many is a Feistel network with cycle walking (Black & Rogaway 2002): it visits every place once
without a table of them; that of a short block sorts numbers. Left out: cryptographic strength; six rounds of a fast
mixer are enough to shuffle.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Int


def philox(seed: int, counter: int) -> np.random.Generator:
    """Return the generator number `counter` of a seed (Salmon et al. 2011)."""
    return np.random.Generator(np.random.Philox(key=seed & (2**64 - 1), counter=[0, 0, 0, counter]))


def permute(place: np.ndarray, size: int, seed: int, epoch: int, rounds: int = 6) -> np.ndarray:
    """Return where the places 0 … size−1 go under the permutation that (seed, epoch) names.

    A Feistel network over Z_a × Z_b with a · b just above `size`, so that almost no place has to be walked on.
    """
    a = math.isqrt(size - 1) + 1
    b = -(-size // a)
    keys = philox(seed, epoch).integers(0, 2**64, rounds, dtype=np.uint64)
    value = place.astype(np.uint64)
    outside = np.arange(len(value))
    while len(outside):  # cycle walking: apply again where the result fell outside 0 … size−1
        left, right = np.divmod(value[outside], np.uint64(b))
        for number, key in enumerate(keys):
            if number % 2:
                right = (right + _mix(left ^ key) % np.uint64(b)) % np.uint64(b)
            else:
                left = (left + _mix(right ^ key) % np.uint64(a)) % np.uint64(a)
        value[outside] = left * np.uint64(b) + right
        outside = outside[value[outside] >= size]
    return value.astype(np.int64)


def permute_blocks(first: int, count: int, size: int, seed: int) -> Int[np.ndarray, "count size"]:
    """Return the orders of 0 … size−1 that the blocks first … first+count−1 of a seed have: by splitmix64's numbers."""
    number = np.arange(first * size + 1, (first + count) * size + 1, dtype=np.uint64)
    key = philox(seed, 0).integers(0, 2**64, 1, dtype=np.uint64)
    return _mix(key + number * np.uint64(0x9E3779B97F4A7C15)).reshape(count, size).argsort(axis=1, kind="stable")


def _mix(x: np.ndarray) -> np.ndarray:
    """Return splitmix64's finaliser (Steele et al. 2014) of 64-bit words."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
