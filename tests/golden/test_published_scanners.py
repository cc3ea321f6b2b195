"""The native scanners of cl100k and o200k against the `regex` library."""

import random

import pytest
import unicodedata2
from hypothesis import assume, given
from hypothesis import strategies as st

from hornbook.tokenizer import _core, patterns

PUBLISHED = ["cl100k", "o200k"]
# U+209F and its like are letters to a newer regex library and unassigned in Unicode 16.0.
ASSIGNED = [code for code in range(0x110000) if unicodedata2.category(chr(code)) not in ("Cn", "Cs")]
ALPHABET = "aAbZ'sStTlLreRE \t\n\r\u00a0\u3000ſéÉ1２²!/.,-東ʰ\u0301ǅ\U0001f600\x1c\u2028"


def native(text, pattern):
    content = text if isinstance(text, bytes) else text.encode()
    ends, malformed = _core.scan(content, pattern)
    stops = ends.tolist()
    return [content[start:stop] for start, stop in zip([0, *stops], stops, strict=False)], malformed


def plain(text, pattern):
    return [piece.encode("utf-8", "surrogateescape") for piece in patterns.split(text, pattern)]


@pytest.mark.parametrize("pattern", PUBLISHED)
@pytest.mark.parametrize("context", ["a{}b", "'{}", " {}1", "\n{} A"])
def test_every_code_point_is_cut_as_by_regex(pattern, context):
    text = "\x00Q\x00".join(context.format(chr(code)) for code in ASSIGNED)
    assert native(text, pattern) == (plain(text, pattern), None)


@pytest.mark.parametrize("pattern", PUBLISHED)
def test_random_strings_are_cut_as_by_regex(pattern):
    draw = random.Random(20)
    for _ in range(20_000):
        text = "".join(draw.choices(ALPHABET, k=draw.randint(1, 12)))
        assert native(text, pattern)[0] == plain(text, pattern), repr(text)


@pytest.mark.parametrize("pattern", PUBLISHED)
@given(content=st.binary(max_size=40) | st.lists(st.sampled_from(list(b"aA' \n1\xff\xc3\xa9")), max_size=20).map(bytes))
def test_any_bytes_are_cut_as_single_other_characters(pattern, content):
    text = content.decode("utf-8", "surrogateescape")
    assume(all(unicodedata2.category(character) != "Cn" for character in text))
    pieces, malformed = native(content, pattern)
    assert pieces == plain(text, pattern)
    assert (malformed is None) == (not any("\udc80" <= character <= "\udcff" for character in text))
