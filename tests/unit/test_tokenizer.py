import os
import resource
import subprocess
import sys

import numpy as np
import pytest

import hornbook as hb
from hornbook.errors import DataError, FormatError, HornbookError, TokenizerError
from hornbook.tokenizer import reference

END = "<|endoftext|>"
TEXT = "Once upon a time there was a cat. The cat's hat wasn't there.\n" * 40


@pytest.fixture(scope="module")
def tokenizer():
    return hb.Tokenizer(*reference.train_bpe(TEXT, 300, [END]), [END])


def test_allowed_special_narrows_what_counts_as_special(tokenizer):
    assert tokenizer.encode(END) == [0]
    plain = tokenizer.encode(END, allowed_special="none")
    assert 0 not in plain
    assert tokenizer.decode(plain) == END
    assert tokenizer.encode(END, allowed_special={END}) == [0]
    assert tokenizer.encode(END, allowed_special=[]) == plain
    with pytest.raises(TokenizerError, match="did you mean"):
        tokenizer.encode("x", allowed_special={"<|endoftex|>"})


def test_the_longest_special_token_wins_and_missing_ones_are_appended():
    vocab, merges = reference.train_bpe(TEXT, 280)
    tokenizer = hb.Tokenizer(vocab, merges, [END, END + END])
    assert tokenizer.special_token_ids == {END: 280, END + END: 281}
    assert tokenizer.encode(f"a{END}{END}{END}") == [ord("a"), 281, 280]


def test_a_special_token_with_the_bytes_of_a_symbol_is_its_own_entry():
    vocab, merges = reference.train_bpe("cat cat cat", 260, [" cat"])
    tokenizer = hb.Tokenizer(vocab, merges, [" cat"])
    ids = tokenizer.encode("cat cat", allowed_special="none")
    assert tokenizer.encode(" cat") == [0]
    assert 0 not in ids
    assert tokenizer.decode(ids) == "cat cat"


def test_an_unknown_id_and_a_lone_surrogate_are_named(tokenizer):
    with pytest.raises(TokenizerError, match="id 300"):
        tokenizer.decode([1, 300])
    with pytest.raises(TokenizerError, match=r"U\+D800.*character 2"):
        tokenizer.encode("ab\ud800")
    with pytest.raises(TokenizerError, match=r"U\+DC00"):
        list(tokenizer.encode_iterable(["ab", "\udc00"]))


def test_malformed_bytes_decode_to_replacement_characters(tokenizer):
    assert tokenizer.decode([tokenizer.vocab_size - 1]) != ""
    byte_ff = next(i for i, token in tokenizer.vocab.items() if token == b"\xff")
    assert tokenizer.decode([byte_ff, byte_ff]) == "\ufffd\ufffd"


def test_a_vocabulary_may_lack_bytes_that_never_come():
    # The handout's example of encoding (§2.6.1).
    words = [b" ", b"a", b"c", b"e", b"h", b"t", b"th", b" c", b" a", b"the", b" at"]
    merges = [(b"t", b"h"), (b" ", b"c"), (b" ", b"a"), (b"th", b"e"), (b" a", b"t")]
    tokenizer = hb.Tokenizer(dict(enumerate(words)), merges)
    assert tokenizer.encode("the cat ate") == [9, 7, 1, 5, 10, 3]
    with pytest.raises(TokenizerError, match="0x7a"):
        tokenizer.encode("z")


@pytest.mark.parametrize(
    ("merges", "message"),
    [([(b"ab", b"c")], "no earlier merge makes b'ab'"), ([(b"x", b"y")], "vocabulary lacks")],
)
def test_merges_that_cannot_be_are_refused(merges, message):
    with pytest.raises(TokenizerError, match=message):
        hb.Tokenizer({i: bytes([i]) for i in range(256)}, merges)


def test_long_texts_give_the_same_ids_for_any_number_of_threads(tokenizer):
    text = (TEXT + END) * 1500  # above three megabytes: several parts
    one = tokenizer.encode_array(text)
    assert one.dtype == np.uint16
    assert one.tolist() == tokenizer.encode(text)
    for threads in (2, 7):
        assert np.array_equal(tokenizer.encode_array(text, threads), one)
    batch = tokenizer.encode_batch([TEXT, "", END, text], 3)
    assert [len(ids) for ids in batch] == [len(tokenizer.encode(TEXT)), 0, 1, len(one)]


def test_ids_above_16_bits_are_given_as_32(tokenizer):
    vocab = {token_id + 70_000: token for token_id, token in tokenizer.vocab.items()}
    wide = hb.Tokenizer(vocab, tokenizer.merges, [END])
    assert wide.dtype == np.uint32
    assert [i - 70_000 for i in wide.encode(TEXT + END)] == tokenizer.encode(TEXT + END)
    assert wide.encode_array(TEXT).dtype == np.uint32


def test_encode_file_equals_encode_and_describes_the_text(tokenizer, tmp_path):
    text = f"\n{END}\n".join([TEXT, "two", " ", "thrée"]) + END
    source = tmp_path / "text.txt"
    source.write_text(text)
    seen = []
    file = tokenizer.encode_file(source, tmp_path / "ids.npy", progress=seen.append)
    assert file.ids.tolist() == tokenizer.encode(text)
    assert tokenizer.encode_to_array(source).tolist() == tokenizer.encode(text)
    assert file.manifest["num_documents"] == 3
    assert file.manifest["num_bytes"] == len(text.replace(END, "").encode())
    assert file.manifest["tokenizer_fingerprint"] == tokenizer.fingerprint
    assert file.manifest["sources"][0]["bytes"] == len(text.encode())
    assert seen[-1] == len(text.encode())


def test_files_of_many_blocks_are_encoded_as_a_whole(tokenizer, tmp_path):
    source = tmp_path / "text.txt"
    text = (TEXT * 20 + END) * 300  # about fifteen megabytes, four blocks
    source.write_text(text)
    for threads in (1, 3):
        file = tokenizer.encode_file(source, tmp_path / f"{threads}.npy", num_threads=threads)
        assert np.array_equal(file.ids, tokenizer.encode_array(text))
        assert file.manifest["num_documents"] == 300
        assert file.manifest["num_bytes"] == len(TEXT) * 20 * 300


def test_malformed_files_are_refused_by_byte_offset_or_replaced(tokenizer, tmp_path):
    source = tmp_path / "bad.txt"
    content = TEXT.encode() + b"caf\xc3 \xe2\x80 \xff end" + TEXT.encode()
    source.write_bytes(content)
    with pytest.raises(DataError, match=rf"byte {len(TEXT) + 3} "):
        tokenizer.encode_file(source, tmp_path / "ids.npy")
    assert list(tmp_path.iterdir()) == [source], "nothing half done is left"
    wanted = tokenizer.encode(content.decode("utf-8", errors="replace"))
    assert tokenizer.encode_to_array(source, errors="replace").tolist() == wanted
    assert tokenizer.encode_file(source, tmp_path / "ids.npy", errors="replace").ids.tolist() == wanted
    with pytest.raises(FileNotFoundError):
        tokenizer.encode_to_array(tmp_path / "absent.txt")
    with pytest.raises(IsADirectoryError):
        tokenizer.encode_to_array(tmp_path)


def test_an_empty_text_and_an_empty_file_have_no_ids(tokenizer, tmp_path):
    (tmp_path / "empty.txt").touch()
    assert tokenizer.encode("") == []
    assert list(tokenizer.encode_iterable([])) == []
    assert len(tokenizer.encode_file(tmp_path / "empty.txt", tmp_path / "empty.npy")) == 0
    assert len(tokenizer.encode_to_array(tmp_path / "empty.txt")) == 0


def test_save_and_load_keep_everything(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "tok")
    again = hb.Tokenizer.load(tmp_path / "tok")
    assert (again.vocab, again.merges, again.special_token_ids, again.pattern) == (
        tokenizer.vocab,
        tokenizer.merges,
        tokenizer.special_token_ids,
        tokenizer.pattern,
    )
    assert again.fingerprint == tokenizer.fingerprint
    with pytest.raises(FormatError):
        hb.Tokenizer.load(tmp_path)


def test_a_cache_that_is_full_again_and_again_never_changes_the_ids(tokenizer):
    small = hb.Tokenizer(tokenizer.vocab, tokenizer.merges, [END], cache_bytes=1 << 20)
    text = " ".join(f"word{i} {'x' * (i % 40)}{i}" for i in range(60_000))
    assert np.array_equal(small.encode_array(text), tokenizer.encode_array(text))
    assert small.engine.encoder.cache_memory() <= 1 << 20 < tokenizer.engine.encoder.cache_memory()


@pytest.mark.parametrize("text", ["a" * 10**6, " " * 10**6, "ab" * 5 * 10**5, "\ufffd" * 3 * 10**5, "中文" * 10**5])
def test_pathological_texts_take_near_linear_time(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text


def test_wrong_types_get_a_plain_sentence(tokenizer):
    for call in (
        lambda: tokenizer.encode(b"x"),
        lambda: tokenizer.encode_array(3),
        lambda: tokenizer.encode_batch(["a", b"b"]),
        lambda: list(tokenizer.encode_iterable([b"x"])),
        lambda: tokenizer.encode("x", allowed_special="al"),
        lambda: tokenizer.encode_array("x", 0),
    ):
        with pytest.raises(HornbookError):
            call()


MEMORY = """
import resource, sys, tracemalloc
import hornbook as hb
from hornbook.tokenizer import reference
tokenizer = hb.Tokenizer(*reference.train_bpe("once upon a time there was a cat " * 9, 290))
def lines():
    for i in range(100_000):
        yield f"once upon a time there was a cat with {i} hats.\\n"   # five megabytes
{limit}
tracemalloc.start()
count = sum(1 for _ in tokenizer.encode_iterable(lines()))
print(count, tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("limited", [False, True])
def test_encode_iterable_needs_less_than_a_megabyte(limited):
    # The handout's own test sets the address space to what is resident plus 1 MB: nothing more can be mapped.
    limit = "import psutil; resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().rss + 10**6, -1))"
    code = MEMORY.replace("{limit}", limit if limited else "")
    if limited:
        code = code.replace("tracemalloc.start()", "").replace("tracemalloc.get_traced_memory()[1]", "0")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    count, peak = map(int, run.stdout.split())
    assert count > 10**6
    assert peak < 10**6


def test_encoding_works_in_a_forked_child(tokenizer):
    ids = tokenizer.encode_array(TEXT * 100, 2)
    child = os.fork()
    if child == 0:
        ok = np.array_equal(tokenizer.encode_array(TEXT * 100, 2), ids)
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
