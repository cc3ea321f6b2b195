import logging
import random
import time

import pytest

import hornbook as hb
from hornbook.errors import DataError, FormatError, TokenizerError
from hornbook.tokenizer import reference

END = "<|endoftext|>"


def prose(seed: int, size: int) -> str:
    rng = random.Random(seed)
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(1, 8))) for _ in range(3000)]
    parts, length = [], 0
    while length < size:
        word = words[min(int(rng.paretovariate(0.8)) - 1, 2999)]
        parts.append(word + rng.choice([" ", " ", " ", ", ", ".\n", "'s ", f" {END} ", "  "]))
        length += len(parts[-1])
    return "".join(parts)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text(prose(1, 130_000))
    return path


def test_training_a_130_kb_corpus_equals_the_reference_and_is_fast(corpus):
    start = time.perf_counter()
    vocab, merges = hb.train_bpe(corpus, 500, [END])
    seconds = time.perf_counter() - start
    assert (vocab, merges) == reference.train_bpe(corpus.read_text(), 500, [END])
    assert seconds < 1.0


def test_the_result_is_the_same_for_any_number_of_threads_and_for_counts(tmp_path):
    path = tmp_path / "text.txt"
    unit = prose(2, 300_000) + END
    path.write_text(unit * 30)  # three blocks; each unit is cut alike, as it begins after a special token
    one = hb.train_bpe(path, 2000, [END], num_threads=1)
    for threads in (2, 7):
        assert hb.train_bpe(path, 2000, [END], num_threads=threads) == one
    counts = hb.count_pretokens(path, [END])
    assert hb.train_bpe_from_counts(counts, 2000) == one
    assert hb.train_bpe_from_counts(counts, 2000) == one, "training leaves the counts as they are"
    alone = reference.count_pretokens(unit, [END])
    assert counts.items() == sorted((word, 30 * count) for word, count in alone.items())


def test_counts_merge_save_and_load(tmp_path):
    texts = [prose(seed, 40_000) for seed in (3, 4)]
    paths = [tmp_path / f"{number}.txt" for number in range(2)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    whole = hb.count_pretokens(paths, [END])
    first, second = (hb.count_pretokens(path, [END]) for path in paths)
    first.save(tmp_path / "first")
    merged = hb.PretokenCounts.load(tmp_path / "first")
    merged.merge(second)
    assert merged.items() == whole.items()
    assert (len(merged), merged.total()) == (len(whole), whole.total())
    assert hb.train_bpe_from_counts(merged, 600) == hb.train_bpe(paths, 600, [END])
    merged.save(tmp_path / "merged")
    whole.save(tmp_path / "whole")
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes(), "equal counts are equal files"
    with pytest.raises(TokenizerError, match="cannot be merged"):
        merged.merge(hb.count_pretokens(paths[0]))


def test_damaged_count_files_are_refused(tmp_path):
    counts = hb.PretokenCounts()
    counts.add_text("one two two three's <b> 中文 and a word of more than fifteen bytes: incomprehensibilities")
    path = tmp_path / "counts"
    counts.save(path)
    good = path.read_bytes()
    assert hb.PretokenCounts.load(path).items() == counts.items()
    for length in range(0, len(good), 7):
        path.write_bytes(good[:length])
        with pytest.raises(FormatError):
            hb.PretokenCounts.load(path)
    for place in range(0, len(good), 5):
        changed = bytearray(good)
        changed[place] ^= 0x41
        path.write_bytes(changed)
        try:
            hb.PretokenCounts.load(path)
        except FormatError:
            continue
        # What the checksum does not cover is the header; a change there may leave a header that is as good.
        assert place < 16 + int.from_bytes(good[8:16], "little")


def test_counts_of_64_bits_do_not_wrap():
    counts = hb.PretokenCounts()
    for word in (b"ab", b"abc"):
        counts.add(word, 2**62)
    assert hb.train_bpe_from_counts(counts, 258)[1] == [(b"a", b"b"), (b"ab", b"c")]


def test_counts_beyond_63_bits_are_refused_and_change_nothing(tmp_path):
    most = 2**63 - 1
    for word in (b"ab", b"a pre-token of more than fifteen bytes"):
        counts = hb.PretokenCounts()
        counts.add(word, 2**62)
        counts.add(word, 2**62 - 1)
        assert counts.items() == [(word, most)]
        assert counts.total() == most
        with pytest.raises(DataError, match=r"2\^63 - 1"):
            counts.add(word, 1)
        assert counts.items() == [(word, most)]
        other = hb.PretokenCounts()
        other.add(word)
        with pytest.raises(DataError, match=r"2\^63 - 1"):
            other.merge(counts)
        counts.save(tmp_path / "counts")
        assert hb.PretokenCounts.load(tmp_path / "counts").items() == [(word, most)]


def test_sums_beyond_64_bits_are_refused():
    counts = hb.PretokenCounts()
    for word in (b"ab", b"cd", b"ef"):
        counts.add(word, 2**63 - 1)
    for call in (counts.total, lambda: hb.train_bpe_from_counts(counts, 300)):
        with pytest.raises(DataError, match=r"2\^64 - 1"):
            call()
    repeated = hb.PretokenCounts()
    repeated.add(b"aaaa", 2**63 - 1)  # one pair, three times
    with pytest.raises(DataError, match=r"2\^64 - 1"):
        hb.train_bpe_from_counts(repeated, 300)


def test_bad_arguments_get_a_plain_sentence(tmp_path, corpus):
    empty = tmp_path / "empty.txt"
    empty.touch()
    for arguments, kind, message in [
        ((corpus, 256, [END]), TokenizerError, "at least 257"),
        ((corpus, 300, [END, END]), TokenizerError, "2 times"),
        ((corpus, 300, [""]), TokenizerError, "non-empty"),
        ((empty, 300, []), DataError, "nothing to train on"),
        (([], 300, []), DataError, "no file"),
        ((tmp_path / "absent.txt", 300, []), FileNotFoundError, "absent"),
    ]:
        with pytest.raises(kind, match=message):
            hb.train_bpe(*arguments)
    with pytest.raises(TokenizerError, match="strict"):
        hb.train_bpe(corpus, 300, [], errors="ignore")


def test_malformed_utf8_is_named_by_file_and_offset_or_replaced(tmp_path):
    path = tmp_path / "bad.txt"
    unit = END.encode() + prose(6, 300_000).encode() + END.encode()
    first, last = prose(5, 50_000).encode() + b"\xc3(", b"\xff"
    content = first + unit * 30 + last
    path.write_bytes(content)
    for threads in (1, 3):
        with pytest.raises(DataError, match=rf"bad.txt is not UTF-8: malformed at byte {content.index(0xC3)} "):
            hb.count_pretokens(path, num_threads=threads)
    counts = hb.count_pretokens(path, errors="replace")
    # END is text here, and cut alike in each unit: what one more adds is what three have more than two.
    two, three = (
        reference.count_pretokens((first + unit * n + last).decode("utf-8", errors="replace")) for n in (2, 3)
    )
    wanted = {word: two.get(word, 0) + 28 * (count - two.get(word, 0)) for word, count in three.items()}
    assert counts.items() == sorted(wanted.items())


@pytest.mark.parametrize("special", [[], [END], ["e", "ea"], [" a", "\n"], ["aaaa", "aa"]])
def test_block_boundaries_change_nothing(tmp_path, special, monkeypatch):
    # Text without a single safe place, with few, and with many, around the edge of a block of 4 MiB.
    rng = random.Random(7)
    edge = 4 << 20
    for filler in ("a", "中", "!", "ab ", "1a", "é'", " \n"):
        size = len(filler.encode())
        head = filler * ((edge - 30) // size)
        tail = "".join(rng.choices(["a", "ea", " ", "é", "'s", "\n", END, "1", "中", "aa"], k=60)) + filler * 10
        path = tmp_path / "text.txt"
        path.write_bytes((head + tail).encode())
        counts = hb.count_pretokens(path, special, num_threads=2)
        wanted = hb.PretokenCounts("gpt2", special)
        wanted.add_text(head + tail)
        assert counts.items() == wanted.items(), (filler, special)


def test_a_small_text_yields_a_small_vocabulary_and_says_so(tmp_path, caplog):
    path = tmp_path / "text.txt"
    path.write_text("ab ab")
    with caplog.at_level(logging.WARNING, logger="hornbook"):
        vocab, merges = hb.train_bpe(path, 1000)
    assert [left + right for left, right in merges] == [b"ab", b" ab"]
    assert len(vocab) == 258
    assert "258 entries" in caplog.text


def test_progress_is_reported_and_what_it_raises_stops_the_work(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(prose(8, 300_000))
    seen = []
    hb.train_bpe(path, 400, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (144, 144)
