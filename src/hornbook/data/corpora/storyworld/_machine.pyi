# Written by tools/write_stubs.py; do not edit.
"""The native story machine."""

from typing import Annotated

import numpy
from numpy.typing import NDArray

class StoryMachine:
    """A compiled story grammar that tells stories by number."""

    def __init__(
        self,
        words: Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
        text: bytes,
        num_registers: int,
    ) -> None: ...
    def tell(self, seed: int, first: int, count: int, ending: bytes) -> bytes:
        """
        Stories first … first + count − 1 of a seed, each followed by `ending`.
        """
