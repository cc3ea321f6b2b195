"""What hornbook writes gives the same ids in tiktoken and tokenizers; what those write loads here."""

import base64
import json

import pytest

from hornbook.tokenizer import formats, patterns, reference
from hornbook.tokenizer.formats.huggingface import read_huggingface, write_huggingface
from hornbook.tokenizer.formats.parts import TokenizerParts
from hornbook.tokenizer.formats.tiktoken import read_tiktoken, settings_beside, write_tiktoken
from hornbook.tokenizer.reference import ReferenceTokenizer

tiktoken = pytest.importorskip("tiktoken")
load = pytest.importorskip("tiktoken.load")
tokenizers = pytest.importorskip("tokenizers")


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    # tiktoken keeps what it loads under the file's path, also when the file has changed.
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")


TEXT = (
    "Low lower LOWEST newest; it's I'LL don't 12345 67 été ÉTÉ naïve 東京 \U0001f600\U0001f680 e\u0301 x\u00a0y\n"
    "  indented\tcode() {\r\n\r\n}\n\n\n tail  // comment/\n'ſ 'Sup ʼtis Ⅷ ½ ²\u3000ends\n  "
) * 3
SPECIAL = ["<|endoftext|>", "<| pad ü |>"]


def make_parts(pattern="gpt2", special=SPECIAL, size=420):
    vocab, merges = reference.train_bpe(TEXT, size, special, pattern)
    ids = {token: index for index, token in enumerate(special)}
    return TokenizerParts(vocab=vocab, merges=merges, special_tokens=ids, pattern=pattern)


def ids_of(parts, text):
    return ReferenceTokenizer(parts.vocab, parts.merges, list(parts.special_tokens), pattern=parts.pattern).encode(text)


SAMPLE = "<|endoftext|>" + TEXT + "<| pad ü |><|endoftext|> a\n "


def tiktoken_encoding(path):
    # As a user of tiktoken would: its own reader, its own class.
    ranks = load.load_tiktoken_bpe(str(path))
    return tiktoken.Encoding(
        "test", mergeable_ranks=ranks, **json.loads(settings_beside(path).read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize("pattern", [*patterns.NAMED, r"\p{L}+|\s+|[^\s\p{L}]+"])
def test_tiktoken_gives_the_same_ids(tmp_path, pattern):
    parts = make_parts(pattern)
    path = tmp_path / "our.tiktoken"
    write_tiktoken(parts, path)
    assert tiktoken_encoding(path).encode(SAMPLE, allowed_special="all") == ids_of(parts, SAMPLE)
    assert read_tiktoken(path) == parts


@pytest.mark.parametrize("pattern", [*patterns.NAMED, r"\p{L}+|\s+|[^\s\p{L}]+"])
def test_huggingface_gives_the_same_ids(tmp_path, pattern):
    parts = make_parts(pattern)
    path = tmp_path / "tokenizer.json"
    write_huggingface(parts, path)
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    ids = tokenizer.encode(SAMPLE).ids
    assert ids == ids_of(parts, SAMPLE)
    assert tokenizer.decode(ids, skip_special_tokens=False) == SAMPLE
    assert read_huggingface(path) == parts


@pytest.mark.parametrize("pattern", [*patterns.NAMED, r"\p{L}+|\s+|[^\s\p{L}]+"])
def test_a_file_that_huggingface_wrote_loads(tmp_path, pattern):
    byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern == "gpt2")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    if pattern == "gpt2":
        tokenizer.pre_tokenizer = byte_level
    else:
        expression = patterns.NAMED.get(pattern, pattern).replace("{1,3}+", "{1,3}").replace("$", r"\z")
        split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(expression), "isolated")
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([split, byte_level])
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=SPECIAL,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    parts = formats.read_parts(path)
    assert parts.pattern == pattern
    assert list(parts.special_tokens) == SPECIAL
    assert ids_of(parts, SAMPLE) == tokenizer.encode(SAMPLE).ids
    write_huggingface(parts, tmp_path / "again.json")
    assert tokenizers.Tokenizer.from_file(str(tmp_path / "again.json")).encode(SAMPLE).ids == ids_of(parts, SAMPLE)


def test_ranks_that_tiktoken_trained_load(tmp_path):
    from tiktoken._educational import SimpleBytePairEncoding

    trained = SimpleBytePairEncoding.train(TEXT, 330, patterns.NAMED["gpt2"])
    path = tmp_path / "theirs.tiktoken"
    # What load.dump_tiktoken_bpe writes (it wants the package blobfile to do so).
    lines = [base64.b64encode(token) + b" %d\n" % rank for token, rank in trained.mergeable_ranks.items()]
    path.write_bytes(b"".join(lines))
    assert load.load_tiktoken_bpe(str(path)) == trained.mergeable_ranks
    parts = read_tiktoken(path, {"<|endoftext|>": 400}, "gpt2")
    encoding = tiktoken.Encoding(
        "t", pat_str=trained.pat_str, mergeable_ranks=trained.mergeable_ranks, special_tokens={"<|endoftext|>": 400}
    )
    assert ids_of(parts, SAMPLE) == encoding.encode(SAMPLE, allowed_special="all")


def test_gpt2_files_give_the_same_ids_in_tokenizers(tmp_path):
    parts = make_parts()
    formats.write_parts(parts, tmp_path, "gpt2")
    model = tokenizers.models.BPE.from_file(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(SPECIAL)
    assert tokenizer.encode(SAMPLE).ids == ids_of(parts, SAMPLE)
    assert formats.read_parts(tmp_path, SPECIAL) == parts


def test_published_gpt2_is_the_same_in_every_format(shared_data, tmp_path):
    parts = formats.read_parts(shared_data / "gpt2-vocab.json", ["<|endoftext|>"])
    write_tiktoken(parts, tmp_path / "g.tiktoken")
    assert read_tiktoken(tmp_path / "g.tiktoken") == parts
    write_huggingface(parts, tmp_path / "tokenizer.json")
    assert formats.read_parts(tmp_path) == parts
    encoding = tiktoken_encoding(tmp_path / "g.tiktoken")
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    text = (shared_data / "tinystories.txt").read_text(encoding="utf-8")[:500_000]
    assert encoding.encode(text, allowed_special="all") == tokenizer.encode(text).ids


def test_tiktokens_own_names_say_pattern_and_special_tokens(tmp_path):
    path = tmp_path / "r50k_base.tiktoken"
    path.write_bytes(b"".join(b"%s %d\n" % (base64.b64encode(bytes([byte])), byte) for byte in range(256)))
    parts = read_tiktoken(path)
    assert parts.pattern == "gpt2"
    assert parts.special_tokens == {"<|endoftext|>": 50256}


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [*patterns.NAMED, r"\p{L}+|\p{N}{1,4}| ?[^\s\p{L}\p{N}]+|\s+"])
def test_every_real_text_has_the_same_ids_in_every_library(shared_data, tmp_path, pattern):
    import gzip

    import hornbook as hb

    text = (shared_data / "tinystories.txt").read_text(encoding="utf-8")
    for name in ("docs-en.txt.gz", "books-en.txt.gz"):
        text += gzip.decompress((shared_data / name).read_bytes()).decode()[:8_000_000] + "<|endoftext|>"
    vocab, merges = hb.train_bpe(shared_data / "tinystories.txt", 4000, SPECIAL, pattern=pattern)
    tokenizer = hb.Tokenizer(vocab, merges, SPECIAL, pattern=pattern)
    write_tiktoken(tokenizer.parts(), tmp_path / "our.tiktoken")
    write_huggingface(tokenizer.parts(), tmp_path / "tokenizer.json")
    theirs = tiktoken_encoding(tmp_path / "our.tiktoken")
    faces = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    parts = text.split("<|endoftext|>")
    documents = ["<|endoftext|>".join(parts[at : at + 50]) + "<|endoftext|>" for at in range(0, len(parts), 50)]
    ours = [tokenizer.encode(document) for document in documents]
    assert theirs.encode_batch(documents, allowed_special="all") == ours
    assert [encoding.ids for encoding in faces.encode_batch_fast(documents)] == ours
