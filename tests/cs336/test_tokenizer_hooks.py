"""The assignment's tokenizer hooks: its own worked example, round trips, special tokens, constant memory."""

import json

import pytest
import tiktoken
from cs336 import adapters


def test_train_bpe_gives_the_handouts_merges(tmp_path):
    # The handout's example corpus, a word per line so that the GPT-2 pattern sees the bare words (§2.4).
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(["low"] * 5 + ["lower"] * 2 + ["widest"] * 3 + ["newest"] * 6))
    vocab, merges = adapters.run_train_bpe(corpus, 256 + 1 + 6, ["<|endoftext|>"])
    pairs = [(b"s", b"t"), (b"e", b"st"), (b"o", b"w"), (b"l", b"ow"), (b"w", b"est"), (b"n", b"e")]
    assert merges == pairs
    assert vocab[0] == b"<|endoftext|>"
    assert set(vocab.values()) == {b"<|endoftext|>", *(bytes([b]) for b in range(256)), *(a + b for a, b in pairs)}


def test_train_bpe_never_merges_across_or_inside_special_tokens(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("ab<|endoftext|>ab<|endoftext|>" * 50)
    vocab, merges = adapters.run_train_bpe(str(corpus), 258, ["<|endoftext|>"])
    assert merges == [(b"a", b"b")]
    assert not any(b"<|" in word for word in vocab.values() if word != b"<|endoftext|>")


@pytest.fixture(scope="module")
def gpt2(request):
    folder = request.getfixturevalue("shared_data")
    back = {char: byte for byte, char in byte_to_unicode().items()}

    def as_bytes(word):
        return bytes(back[char] for char in word)

    words = json.loads((folder / "gpt2-vocab.json").read_text())
    words.pop("<|endoftext|>", None)
    vocab = {i: as_bytes(word) for word, i in words.items()}
    vocab[50256] = b"<|endoftext|>"
    lines = (folder / "gpt2-merges.txt").read_text().splitlines()
    merges = [tuple(map(as_bytes, line.split(" "))) for line in lines if line and not line.startswith("#version")]
    oracle = tiktoken.Encoding(
        "gpt2",
        pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        mergeable_ranks={word: i for i, word in vocab.items() if i != 50256},
        special_tokens={"<|endoftext|>": 50256},
    )
    return vocab, merges, oracle


def byte_to_unicode():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(rest)}


TEXTS = [
    "",
    "s",
    "🙃",
    "Hello, how are you?",
    "Héllò hôw <|endoftext|><|endoftext|> are ü? 🙃<|endoftext|>",
    "  \n\n a's 12",
]


@pytest.mark.parametrize("text", TEXTS)
def test_encode_equals_tiktoken_and_decodes_to_the_text(gpt2, text):
    vocab, merges, oracle = gpt2
    tokenizer = adapters.get_tokenizer(vocab, merges, ["<|endoftext|>"])
    ids = tokenizer.encode(text)
    assert ids == oracle.encode(text, allowed_special="all")
    assert tokenizer.decode(ids) == text
    assert list(tokenizer.encode_iterable(iter(text))) == ids


def test_without_special_tokens_their_text_is_ordinary(gpt2):
    vocab, merges, oracle = gpt2
    text = "a<|endoftext|>b"
    assert adapters.get_tokenizer(vocab, merges).encode(text) == oracle.encode(text, disallowed_special=())


def test_the_longest_of_overlapping_special_tokens_wins(gpt2):
    vocab, merges, _ = gpt2
    tokenizer = adapters.get_tokenizer(vocab, merges, ["<|endoftext|>", "<|endoftext|><|endoftext|>"])
    ids = tokenizer.encode("Hi <|endoftext|><|endoftext|> ho <|endoftext|>")
    words = [tokenizer.decode([i]) for i in ids]
    assert words.count("<|endoftext|>") == 1
    assert words.count("<|endoftext|><|endoftext|>") == 1


def test_real_stories_encode_as_tiktoken_does(gpt2, shared_data):
    vocab, merges, oracle = gpt2
    text = (shared_data / "tinystories.txt").read_text()[:200_000]
    tokenizer = adapters.get_tokenizer(vocab, merges, ["<|endoftext|>"])
    assert tokenizer.encode(text) == oracle.encode(text, allowed_special="all")
