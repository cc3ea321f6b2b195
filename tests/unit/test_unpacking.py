"""Lines of a stream: whole, and never larger than what a record may be."""

import pytest

from hornbook.data import unpacking
from hornbook.data.unpacking import split_lines
from hornbook.errors import DataError


def test_lines_are_cut_at_line_feeds_whatever_the_chunks():
    assert list(split_lines(iter([b"a", b"b\nc\n\nd", b"e"]))) == [b"ab", b"c", b"", b"de"]


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(unpacking, "LONGEST_LINE", 1000)
    read = []

    def chunks():
        for _ in range(100):
            read.append(1)
            yield b"x" * 100

    with pytest.raises(DataError, match="a line is longer than 1,000 bytes"):
        list(split_lines(chunks()))
    assert len(read) == 11
    assert list(split_lines(iter([b"x" * 900 + b"\n", b"y" * 900]))) == [b"x" * 900, b"y" * 900]
