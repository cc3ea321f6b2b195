"""A long call of the tokenizer that is stopped: by Ctrl-C it ends at once, by SIGKILL it leaves no half file."""

import random
import signal
import subprocess
import sys

import numpy as np
import pytest
from harness.interrupts import CALLS, run_interrupts

import hornbook as hb
from hornbook.tokenizer import reference

QUICK = ["count_pretokens, file", "count_pretokens, stream", "train_bpe_from_counts", "encode", "encode_array"]
QUICK += ["encode_array, one word", "encode_batch", "encode_to_array", "encode_file"]


def test_an_interrupt_stops_the_long_calls_within_200_ms():
    for name, seconds in run_interrupts(QUICK, tries=2, megabytes=60).items():
        assert min(seconds) < 0.2, (name, seconds)  # one of two, as other work may hold the machine up
        assert max(seconds) < 2.0, (name, seconds)


@pytest.mark.slow
def test_an_interrupt_stops_every_long_call_within_200_ms():
    for name, seconds in run_interrupts(list(CALLS), tries=4, megabytes=150).items():
        assert sorted(seconds)[1] < 0.2, (name, seconds)


WRITER = """
import sys
import hornbook as hb
tokenizer = hb.Tokenizer({i: bytes([i]) for i in range(256)}, [(b"a", b"b")][:0])
tokenizer.encode_file(sys.argv[1], sys.argv[2], num_threads=1, progress=lambda done: print(done, flush=True))
"""


@pytest.mark.parametrize("old", [False, True], ids=["no file before", "a file before"])
def test_a_kill_in_the_middle_of_encode_file_leaves_no_half_file(tmp_path, old):
    source, out = tmp_path / "text.txt", tmp_path / "ids.npy"
    source.write_bytes(b"ab cd\n" * 25_000_000)
    tokenizer = hb.Tokenizer({i: bytes([i]) for i in range(256)}, [])
    if old:
        (tmp_path / "small.txt").write_text("an older text")
        tokenizer.encode_file(tmp_path / "small.txt", out)
    process = subprocess.Popen([sys.executable, "-c", WRITER, source, out], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        done = next(done for done in map(int, process.stdout) if done)
        process.kill()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert 0 < done < source.stat().st_size, "it was killed half-way"
    if old:
        assert hb.TokenFile.open(out).ids.tolist() == list(b"an older text")
    else:
        assert not out.exists()
        assert not out.with_suffix(".json").exists()
    assert process.returncode == -signal.SIGKILL


def test_replacing_may_make_a_special_token_wherever_the_blocks_are_cut(tmp_path):
    # "\\xff" becomes U+FFFD, and with the text around it a special token, which a cut after "b" would take apart.
    rng = random.Random(3)
    special = ["\ufffdb c", "d\ufffd"]
    tokenizer = hb.Tokenizer(*reference.train_bpe("ab ab", 258, special), special)
    for shift in range(6):
        head = b"ab " * (((1 << 20) - 6) // 3) + b"b" * shift
        content = head + b"\xffb c d\xff ab" * 3 + b"".join(rng.choices([b"\xffb c", b"d\xe2\x80", b" ab"], k=40))
        path = tmp_path / "text.txt"
        path.write_bytes(content)
        text = content.decode("utf-8", errors="replace")
        assert np.array_equal(tokenizer.encode_to_array(path, errors="replace"), tokenizer.encode_array(text)), shift
        counts, wanted = hb.count_pretokens(path, special, errors="replace"), hb.PretokenCounts("gpt2", special)
        wanted.add_text(text)
        assert counts.items() == wanted.items(), shift


CACHE = """
import sys
import numpy as np, psutil, hornbook as hb
bound = int(sys.argv[1])
tokenizer = hb.Tokenizer({i: bytes([i]) for i in range(256)}, [], cache_bytes=bound)
digits = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)
rng = np.random.default_rng(1)
tokenizer.encode_array("x " * 1_000_000)
# Not ru_maxrss: a child's begins at what its parent, here the whole test run, had at its start.
resident = psutil.Process().memory_info
before, most, peak = resident().rss, 0, 0
for length in [11, 25] * 10:
    words = digits[rng.integers(0, 26, (80_000, length))]
    words[:, 0] = 32
    tokenizer.encode_array(words.tobytes())
    most, peak = max(most, tokenizer.engine.encoder.cache_memory()), max(peak, resident().rss)
print(most, peak - before)
"""


def test_the_cache_and_the_memory_of_the_process_stay_within_the_bound():
    # 1.6 million distinct pre-tokens would take 100 MB and more: with the bound neither the cache's own figure nor the
    # process grows beyond it (and the text at hand), without it both do.
    def measure(bound: int) -> list[int]:
        run = subprocess.run([sys.executable, "-c", CACHE, str(bound)], capture_output=True, text=True, check=True)
        return [int(figure) for figure in run.stdout.split()]

    texts = 60 << 20  # the random numbers, the words and the ids of one round
    cache, process = measure(4 << 20)
    assert cache <= 4 << 20
    assert process < (4 << 20) + texts
    cache, process = measure(1 << 30)
    assert cache > 100 << 20
    assert process > (100 << 20)
