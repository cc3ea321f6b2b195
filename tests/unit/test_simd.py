"""HORNBOOK_SIMD holds the tokenizer's core and the kernels to one instruction set, and says what it cannot do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hornbook import simd
from hornbook.errors import ConfigError
from hornbook.nn import _kernels

ROOT = Path(__file__).resolve().parents[2]


def run(word, *arguments):
    environment = {key: value for key, value in os.environ.items() if key != simd.VARIABLE}
    environment |= {} if word is None else {simd.VARIABLE: word}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("word", [None, "", *_kernels.variants()])
def test_both_extensions_use_the_instruction_set_that_was_asked_for(word):
    code = "import hornbook.nn as n, hornbook.tokenizer as t; print(t._core.variant(), n._kernels.variant())"
    core, kernels = run(word, "-c", code).stdout.split()
    assert kernels == (word or _kernels.variants()[0])
    # The first machines with AVX-512 lack what the tokenizer needs of it.
    assert core == kernels or (core, kernels) == ("avx2", "avx512")


def test_doctor_names_the_instruction_set_and_who_chose_it():
    found = json.loads(run("portable", "-m", "hornbook", "doctor", "--json").stdout)["cpu"]
    assert found["hornbook's_kernels"] == found["hornbook's_tokenizer"] == "portable (HORNBOOK_SIMD)"


@pytest.mark.parametrize("command", [["doctor"], ["tokenizer", "train", __file__, "--vocab-size", "300", "--out", "x"]])
def test_another_word_is_a_sentence(command):
    done = run("sse9", "-m", "hornbook", *command)
    assert (done.returncode, done.stdout) == (2, "")
    sentence = "hornbook: HORNBOOK_SIMD is 'sse9'; it can be avx512, avx2, portable, or unset for the widest there is\n"
    assert done.stderr == sentence


def test_what_the_machine_lacks_is_a_sentence(monkeypatch):
    monkeypatch.setenv(simd.VARIABLE, "avx512")
    with pytest.raises(ConfigError, match="'avx512', which this machine lacks"):
        simd.obey(lambda _: False)


@pytest.mark.skipif("avx2" not in _kernels.variants(), reason="no narrower set than the machine's own to hold to")
def test_a_benchmark_holds_hornbook_and_pytorch_to_the_same_instruction_set(tmp_path):
    script = tmp_path / "bench.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r})\n"
        "import instruction_set, torch\n"
        "from hornbook.nn import cpu_kernels\n"
        "instruction_set.hold(sys.argv[1])\n"
        "print(cpu_kernels.variant(), torch.backends.cpu.get_cpu_capability(), sys.flags.dev_mode)"
    )
    done = run(None, "-X", "dev", "-W", "ignore", str(script), "avx2")
    assert done.stdout.split() == ["avx2", "AVX2", "True"], done.stderr
