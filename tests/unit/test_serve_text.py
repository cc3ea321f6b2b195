"""Text of a stream: whole characters, cut at the first stop string, whatever the tokens are."""

from hypothesis import given
from hypothesis import strategies as st

from hornbook.serve.text import CompletionText

letters = st.text("ab🙂é", max_size=12)


@given(letters, st.lists(st.text("ab🙂é", min_size=1, max_size=3), max_size=4), st.data())
def test_pieces_are_the_text_before_the_first_stop_string(text, stops, data):
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    tokens = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    stream, pieces = CompletionText(stops), []
    for token in tokens:
        pieces.append(stream.add(token))
        if stream.stopped:
            break
    pieces.append(stream.finish())
    # Where one stop string ends first, a longer one that begins earlier may be cut off by it: all that counts is what
    # had come by then.
    read = "".join(pieces)
    come = b"".join(tokens).decode() if not stream.stopped else text
    assert come.startswith(read)
    assert not any(stop in read for stop in stops)
    assert stream.stopped == any(stop in text for stop in stops)
    if not stream.stopped:
        assert read == text
    elif len(stops) == 1:
        assert read == text[: text.index(stops[0])]


@given(st.lists(st.binary(max_size=3)))
def test_bytes_that_are_no_text_become_what_decode_makes_of_them(tokens):
    stream = CompletionText()
    pieces = [stream.add(token) for token in tokens]
    assert "".join(pieces) + stream.finish() == b"".join(tokens).decode("utf-8", "replace")


def test_nothing_that_could_be_a_stop_string_is_sent_early():
    stream = CompletionText(["abc", "bd"])
    assert [stream.add(token) for token in (b"x", b"a", b"b", b"b", b"c", b"ab", b"c")] == [
        "x", "", "", "ab", "bc", "", "",
    ]  # fmt: skip
    assert stream.stopped
    assert stream.text == "xabbc"
