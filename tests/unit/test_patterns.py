import pytest

from hornbook.errors import TokenizerError
from hornbook.tokenizer import patterns


def pieces(text, pattern="gpt2"):
    return list(patterns.split(text, pattern))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  b", ["a", " ", " b"]),
        ("a \n b", ["a", " \n", " b"]),
        ("a\r\n\r\nb", ["a", "\r\n\r", "\n", "b"]),
        ("a\u00a0\u00a0b", ["a", "\u00a0", "\u00a0", "b"]),
        ("''s", ["''", "s"]),
        (" 's", [" '", "s"]),
        ("!'s", ["!'", "s"]),
        ("x'sup", ["x", "'s", "up"]),
        ("'S", ["'", "S"]),
        ("e\u0301", ["e", "\u0301"]),
        ("end  ", ["end", "  "]),
        ("a\x1cb", ["a", "\x1c", "b"]),
        ("", []),
    ],
)
def test_gpt2_splits_as_the_handouts_regex(text, expected):
    assert pieces(text) == expected


def test_cl100k_and_o200k_split_as_published():
    assert pieces("I'LL take 12345\n\n x", "cl100k") == ["I", "'LL", " take", " ", "123", "45", "\n\n", " x"]
    assert pieces("camelCase HTTPServer's //\n", "o200k") == ["camel", "Case", " HTTPServer's", " //\n"]
    # `\s++$` stands before `\s*[\r\n]`: whitespace that ends the text is one piece, line breaks inside or not.
    assert pieces("a\n ", "cl100k") == ["a", "\n "]
    assert pieces("a\n ", "o200k") == ["a", "\n", " "]


def test_the_named_patterns_are_tiktokens(monkeypatch):
    public = pytest.importorskip("tiktoken_ext.openai_public")
    monkeypatch.setattr(public, "load_tiktoken_bpe", lambda *_, **__: {})
    assert patterns.NAMED["gpt2"] == public.r50k_pat_str
    assert patterns.NAMED["cl100k"] == public.cl100k_base()["pat_str"]
    assert patterns.NAMED["o200k"] == public.o200k_base()["pat_str"]


def test_other_spellings_of_gpt2_get_its_name():
    handout = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
    assert patterns.find_pattern(handout).name == "gpt2"
    assert patterns.find_pattern(handout).text == "gpt2"
    assert patterns.find_pattern(patterns.NAMED["o200k"]).name == "o200k"


def test_a_free_pattern_is_what_finditer_finds():
    assert patterns.find_pattern(r"\s+|\S+").name is None
    assert pieces("one  two\n", r"\s+|\S+") == ["one", "  ", "two", "\n"]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("gtp2", "did you mean 'gpt2'"),
        ("(", "not a regular expression"),
        (r"\w*|\W", "can match nothing"),
        ("", "can match nothing"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern, words):
    with pytest.raises(TokenizerError, match=words):
        patterns.find_pattern(pattern)


def test_a_gap_or_an_empty_match_shows_the_text():
    with pytest.raises(TokenizerError, match=r"leaves ', ' at character 5 uncovered"):
        pieces("hello, world", r"\w+")
    with pytest.raises(TokenizerError, match=r"leaves '!' at character 5 uncovered"):
        pieces("hello!", r"\w+")
    with pytest.raises(TokenizerError, match=r"matches nothing at character 2, before 'b'"):
        pieces("a b", r"a\s|(?=b)|b")


def test_a_pattern_that_backtracks_without_end_is_ended(monkeypatch):
    monkeypatch.setattr(patterns, "PATIENCE", 0.2)
    with pytest.raises(TokenizerError, match=r"\(\?:a\|a\)\+b.* did not get through 'aaaa.*possessive"):
        list(patterns.split("a" * 41, r"(?:a|a)+b|."))


def test_a_pattern_that_is_nested_too_deeply_is_one_sentence():
    with pytest.raises(TokenizerError, match="nested too deeply"):
        patterns.find_pattern("(" * 5000 + "a" + ")" * 5000)
