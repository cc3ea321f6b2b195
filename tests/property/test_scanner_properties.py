"""Every variant of the native scanner cuts as the regex library does, on any bytes."""

import hypothesis.strategies as st
import numpy as np
import pytest
import unicodedata2
from hypothesis import given

from hornbook.tokenizer import _core
from hornbook.tokenizer.patterns import split

VARIANTS = ["portable", "avx2", "avx512"]


@pytest.fixture(params=VARIANTS)
def simd(request):
    before = _core.variant()
    if not _core.set_variant(request.param):
        pytest.skip(f"this machine has no {request.param}")
    yield request.param
    _core.set_variant(before)


def ends(data: bytes) -> list[int]:
    places, total = [], 0
    for pretoken in split(data.decode("utf-8", "surrogateescape"), "gpt2"):
        total += len(pretoken.encode("utf-8", "surrogateescape"))
        places.append(total)
    return places


def assigned(text: str) -> str:
    # `regex` may know a newer Unicode: what 16.0 does not assign is left out of the comparison.
    return "".join(c for c in text if unicodedata2.category(c) != "Cn")


def scan_all(data: bytes) -> dict[str, list[int]]:
    before = _core.variant()
    found = {"one by one": _core.scan(data, "gpt2", one_by_one=True)[0].tolist()}
    for variant in VARIANTS:
        if _core.set_variant(variant):
            found[variant] = _core.scan(data, "gpt2")[0].tolist()
    _core.set_variant(before)
    return found


PIECES = [
    "a",
    "Zq",
    " ",
    "  ",
    "\n",
    "\r\n",
    "1",
    "'",
    "'s",
    "'ll",
    "'re",
    "'v",
    "!",
    "é",
    "“",
    "\u3000",
    "\xa0",
    "\x85",
]
PIECES += ["中文", "½", "𝒳", "\u0301", "\u2028", "\x1c", "\u200b", "\0"]
SHARDS = [piece.encode() for piece in PIECES] + [
    b"\xff",
    b"\xc3",
    b"\xe2\x80",
    b"\xf0\x9f\x98",
    b"\x80",
    b"\xed\xa0\x80",
]


@given(st.lists(st.sampled_from(SHARDS), max_size=150))
def test_all_scanners_cut_as_the_regular_expression(shards):
    data = b"".join(shards)
    wanted = ends(data)
    for variant, found in scan_all(data).items():
        assert found == wanted, variant


@given(st.text(max_size=300))
def test_all_scanners_cut_random_unicode_as_the_regular_expression(text):
    data = assigned(text).encode()
    wanted = ends(data)
    for variant, found in scan_all(data).items():
        assert found == wanted, variant


@given(st.lists(st.sampled_from(SHARDS), max_size=100))
def test_the_first_malformed_byte_is_the_one_that_python_names(shards):
    data = b"".join(shards)
    try:
        data.decode()
        wanted = None
    except UnicodeDecodeError as error:
        wanted = error.start
    assert _core.scan(data, "gpt2")[1] == wanted


def test_every_code_point_is_cut_as_the_regular_expression(simd):
    # Each assigned code point between letters, digits and spaces, so that its class decides the cuts.
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and unicodedata2.category(chr(c)) != "Cn"]
    for start in range(0, len(codes), 40_000):
        text = "".join(f"a{chr(code)}1{chr(code)} {chr(code)}{chr(code)}!" for code in codes[start : start + 40_000])
        data = text.encode()
        assert np.array_equal(_core.scan(data, "gpt2")[0], ends(data))


def test_character_classes_are_those_of_unicode_16():
    assert _core.unicode_version == "16.0.0"
    kinds = {"Zs": 1, "Zl": 1, "Zp": 1, "Lu": 3, "Lt": 3, "Ll": 4, "Lm": 5, "Lo": 5}
    for code in range(0, 0x110000, 7):
        category = unicodedata2.category(chr(code))
        wanted = kinds.get(category, {"N": 2, "M": 6}.get(category[0], 0))
        assert _core.char_class(code) == (1 if code in (9, 10, 11, 12, 13, 0x85) else wanted)
