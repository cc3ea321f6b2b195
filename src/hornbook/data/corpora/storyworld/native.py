"""Lays a compiled grammar out for the native story machine (cpp/src/storyworld.cpp): one array of int32 and one text.

The array: start choice; the offsets of the three indexes (choices, tables, pools); then code, records and indexes. The
layout lives in memory only and is never stored, so it has no version.
"""

from __future__ import annotations

import numpy as np

from hornbook.data.corpora.storyworld._machine import StoryMachine
from hornbook.data.corpora.storyworld.grammar import LIT, Grammar

_END = 5


class _Layout:
    def __init__(self) -> None:
        self.words: list[int] = [0, 0, 0, 0]
        self.text = bytearray()
        self.spans: dict[str, tuple[int, int]] = {}

    def span(self, said: str) -> tuple[int, int]:
        if said not in self.spans:
            content = said.encode()
            self.spans[said] = (len(self.text), len(content))
            self.text += content
        return self.spans[said]

    def put(self, *values: int) -> int:
        """Append values and return the offset of the first."""
        offset = len(self.words)
        self.words += values
        return offset

    def sequence(self, operations: tuple) -> int:
        flat: list[int] = []
        for operation in operations:
            flat += (LIT, *self.span(operation[1])) if operation[0] == LIT else operation
        return self.put(*flat, _END)


def native_machine(grammar: Grammar) -> StoryMachine:
    """Return the native machine of a compiled grammar.

    Args:
        grammar: the compiled level.
    """
    layout = _Layout()
    records = []
    for choice in grammar.choices:
        record = [len(choice.weights)]
        for weight, guard, sequence in zip(choice.weights, choice.guards, choice.sequences, strict=True):
            conditions = [v for register, values in guard for v in (register, len(values), *sorted(values))]
            record += [weight, layout.sequence(sequence), len(guard), layout.put(*conditions)]
        records.append(layout.put(*record))
    tables = [layout.put(*(n for said in table for n in layout.span(said))) for table in grammar.tables]
    pools = [
        layout.put(len(members), len(rivals), *members, *rivals)
        for members, rivals in zip(grammar.pools, grammar.rivals, strict=True)
    ]
    layout.words[:4] = [grammar.start, layout.put(*records), layout.put(*tables), layout.put(*pools)]
    return StoryMachine(np.array(layout.words, dtype=np.int32), bytes(layout.text), len(grammar.registers))
