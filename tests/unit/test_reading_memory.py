"""Files that anybody may hand over take a small multiple of their size while they are read."""

import json
import tracemalloc

import hornbook as hb
from hornbook.data.datasets import find_sources
from hornbook.data.scan import scan_file
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tracking.records import read_records


def peak(read, path) -> float:
    """The most memory of Python's that reading takes, over the size of the file."""
    tracemalloc.start()
    try:
        kept = read(path)
        assert kept
        return tracemalloc.get_traced_memory()[1] / path.stat().st_size
    finally:
        tracemalloc.stop()


def test_records_take_four_times_their_file(tmp_path):
    names = ("tokens", "seconds", "train_loss", "lr", "grad_norm", "tokens_per_second", "mfu", "memory_bytes")
    lines = (json.dumps({"step": step, **dict.fromkeys(names, step * 1.1)}) + "\n" for step in range(10_000))
    (tmp_path / "m.jsonl").write_text("".join(lines))
    assert peak(read_records, tmp_path / "m.jsonl") < 4


def test_counts_are_not_copied(tmp_path):
    counts = hb.PretokenCounts()
    for number in range(200_000):
        counts.add(b"word %d" % number, number + 1)
    counts.save(tmp_path / "counts")
    assert peak(hb.PretokenCounts.load, tmp_path / "counts") < 2


def test_a_small_file_among_many_takes_220_bytes_beside_its_name(tmp_path):
    for number in range(3000):
        (tmp_path / f"{number:06d}.txt").write_text(f"Story {number} is short.")
    scan_file(next(tmp_path.iterdir()), END_OF_TEXT)
    tracemalloc.start()
    try:
        names = find_sources([str(tmp_path)])
        named = tracemalloc.get_traced_memory()[0]
        found = [scan_file(name, END_OF_TEXT, special_tokens=[END_OF_TEXT]) for name in names]
        assert len(found) == 3000
        assert (tracemalloc.get_traced_memory()[0] - named) / len(found) < 220
    finally:
        tracemalloc.stop()
