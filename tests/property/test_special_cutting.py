"""Text is cut at special tokens over characters, over a stream of bytes, and by the reference: always the same."""

from hypothesis import given
from hypothesis import strategies as st

from hornbook.tokenizer import reference
from hornbook.tokenizer.special import documents_of, split_special

# Tokens that are prefixes, suffixes and repetitions of each other, of one byte and of several.
TOKENS = ["<|e|>", "<|e|><|e|>", "<|e", "e|>", "a", "aa", "aaaa", "é", "é中", "\U0001f600", "(?!)", "\\E|"]
specials = st.lists(st.sampled_from(TOKENS), max_size=4, unique=True)
texts = st.lists(st.sampled_from([*TOKENS, "<", "|", "e", "|>", " ", "\n", "b", "中", "\U0001f601", "a" * 5])).map(
    "".join
)


def chunked(content, sizes):
    start = 0
    for size in [*sizes, len(content) + 1]:
        yield content[start : start + size]
        start += size


@given(text=texts, special_tokens=specials)
def test_a_whole_text_is_cut_as_the_reference_cuts_it(text, special_tokens):
    assert list(split_special(text, special_tokens)) == reference.split_special(text, special_tokens)


@given(text=texts, special_tokens=specials, sizes=st.lists(st.integers(0, 9), max_size=30))
def test_a_stream_is_cut_as_the_whole_text_however_it_is_chunked(text, special_tokens, sizes):
    pieces = [
        (piece.decode(), special) for piece, special in documents_of(chunked(text.encode(), sizes), special_tokens)
    ]
    assert pieces == reference.split_special(text, special_tokens)


def test_a_document_is_given_as_soon_as_the_token_behind_it_is_certain():
    seen = []

    def chunks():
        for chunk in (b"one<|e", b"|>", b"two<|e|>", b"<|e|>", b"three"):
            yield chunk
            seen.append(len(given_out))

    given_out = []
    for piece in documents_of(chunks(), ["<|e|>", "<|e|><|e|>"]):
        given_out.append(piece)
    # `<|e|>` is certain once five more bytes have come: until then it may be half of the longer token.
    assert seen == [0, 0, 2, 4, 4]
    assert given_out == [(b"one", False), (b"<|e|>", True), (b"two", False), (b"<|e|><|e|>", True), (b"three", False)]


def test_the_work_grows_with_the_text_where_no_special_token_comes(monkeypatch):
    searched = 0

    class Finder:
        def finditer(self, window):
            nonlocal searched
            searched += len(window)
            return iter(())

    monkeypatch.setattr("hornbook.tokenizer.special.byte_finder", lambda tokens: Finder())
    size = sum(len(text) for text, _ in documents_of((b"word " for _ in range(20_000)), ["<|endoftext|>"]))
    assert size == 100_000
    assert searched < 4 * size  # each byte once, and the twelve before each chunk again
