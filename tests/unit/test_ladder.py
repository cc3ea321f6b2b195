import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.errors import TokenizerError
from hornbook.tokenizer import reference
from hornbook.tokenizer.ladder import parallel, timing, trainers

words = st.dictionaries(st.text("ab", min_size=1, max_size=12).map(str.encode), st.integers(1, 9), max_size=6)


@given(words, st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_every_python_rung_gives_the_references_merges(counts, num_merges):
    expected = reference.train_from_counts(counts, 256 + num_merges)[1]
    assert trainers.merge_naive(counts, num_merges) == expected
    assert trainers.merge_incremental(counts, num_merges) == expected
    assert trainers.merge_heap(counts, num_merges) == expected


def test_counting_in_processes_cuts_at_special_tokens_only(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("one two\n<|end|>\n\nthree  four é<|end|>five" * 3000, encoding="utf-8")
    for special in (["<|end|>"], []):
        assert parallel.count_parallel(path, special, "gpt2", processes=3) == parallel.count_plain(
            path, special, "gpt2"
        )


def test_the_ladder_runs_each_rung_and_compares(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("low lower lowest newest widest<|endoftext|>" * 50, encoding="utf-8")
    seen = []
    rungs = timing.run(path, 270, rungs=["naive", "parallel"], progress=seen.append)
    assert rungs == seen
    assert [rung.name for rung in rungs] == ["naive", "parallel"]
    assert all(rung.peak_mb > 5 and rung.total_seconds > 0 for rung in rungs)


def test_what_the_ladder_cannot_do_gets_a_sentence(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("text", encoding="utf-8")
    with pytest.raises(TokenizerError, match="no rung 'fast'"):
        timing.run(path, 300, rungs=["fast"])
    with pytest.raises(TokenizerError, match="at least 257"):
        timing.run(path, 256)
    with pytest.raises(FileNotFoundError):
        timing.run(tmp_path / "absent", 300)
