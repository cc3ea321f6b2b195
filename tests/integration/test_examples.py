"""The examples run as they stand, and find what they say."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run_example(name: str, *arguments: str) -> str:
    """Return what an example prints."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_loop_of_ones_own_learns_and_writes():
    said = run_example("train_from_scratch.py", "100")
    first, last = map(float, re.findall(r"loss (\d\.\d+)", said))
    assert last < first < 6.2  # ln 512 is 6.24
    assert "Once upon a time" in said


def test_a_tokenizer_by_hand_compresses_more_the_larger_it_is():
    said = run_example("tokenizer_by_hand.py")
    figures = {int(size): float(ratio) for size, ratio in re.findall(r"(\d+) entries: (\d\.\d+) bytes", said)}
    assert list(figures) == [257, 300, 500]
    assert 1.0 <= figures[257] < figures[300] < figures[500]


def test_a_study_of_ones_own_compares_its_arms_over_seeds(tmp_path):
    said = run_example("own_study.py", str(tmp_path), "2")
    assert re.search(r"untied, \d\.\d+ · \d\.\d+ over 2 seeds", said)
    assert "Not tested" in said  # two seeds are too few to rank the arms
    assert len(list(tmp_path.glob("own-tying-tiny/runs/*/seed-*/DONE"))) == 4


def test_every_example_is_run_here():
    run_here = set(re.findall(r'run_example\("(\w+\.py)"', Path(__file__).read_text(encoding="utf-8")))
    assert run_here == {path.name for path in EXAMPLES.glob("*.py")}
