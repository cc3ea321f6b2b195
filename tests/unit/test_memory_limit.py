"""What fits is let through with its account; what cannot fit is refused with a sentence that says what would."""

import re

import numpy as np
import pytest

import hornbook as hb
from hornbook.accounting.memory import Memory
from hornbook.accounting.memory_limit import available_memory, check_fits
from hornbook.errors import ConfigError

GB = 10**9


@pytest.fixture
def memory():
    return Memory(
        config=hb.ModelConfig(vocab_size=10000, context_length=256, d_model=512, num_layers=4, num_heads=16, d_ff=1344)
    )


def test_what_fits_comes_with_its_account(memory):
    assert check_fits(memory, 8, 20 * GB, "cpu").peak == memory.measured(8).peak


def test_a_batch_too_large_is_refused_with_one_that_fits(memory):
    with pytest.raises(ConfigError, match=r"batch_size = 4,096 .* cpu has 8 GB") as caught:
        check_fits(memory, 4096, 8 * GB, "cpu")
    words = str(caught.value).replace(",", "").split()
    largest = int(words[-1])
    assert memory.measured(largest).peak <= 8 * GB < memory.measured(largest + 1).peak
    parts = int(re.search(r"gradient-accumulation (\d+)", str(caught.value))[1])
    assert 4096 % parts == 0
    assert memory.measured(4096, gradient_accumulation=parts).peak <= 1.1 * 8 * GB


def test_a_model_too_large_for_one_sequence_is_told_so(memory):
    with pytest.raises(ConfigError, match="too little for a single sequence"):
        check_fits(memory, 8, 100_000_000, "cpu")


def test_within_the_models_own_error_the_benefit_of_the_doubt_is_given(memory):
    peak = memory.measured(64).peak
    assert check_fits(memory, 64, int(peak * 0.95), "cpu").peak == peak
    with pytest.raises(ConfigError):
        check_fits(memory, 64, int(peak * 0.85), "cpu")


def fake_system(root, *, available_kb, limit=None, used=0, file_pages=0):
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable:   {available_kb} kB\n")
    if limit is not None:
        group = root / "sys/fs/cgroup"
        group.mkdir(parents=True)
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text(f"{used}\n")
        (group / "memory.stat").write_text(f"anon 5\ninactive_file {file_pages}\n")


def test_available_memory_is_the_kernels_or_the_control_groups(tmp_path):
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for folder in (one, two, three):
        folder.mkdir()
    fake_system(one, available_kb=1000)
    assert available_memory(one) == 1_024_000
    fake_system(two, available_kb=1000, limit=800_000, used=500_000, file_pages=100_000)
    assert available_memory(two) == 400_000
    fake_system(three, available_kb=1000, limit="max")
    assert available_memory(three) == 1_024_000
    assert available_memory(tmp_path / "nowhere") is None


def recipe(folder, **training):
    rng = np.random.default_rng(0)
    np.save(folder / "train.npy", rng.integers(0, 300, 5000, dtype=np.uint16))
    np.save(folder / "validation.npy", rng.integers(0, 300, 500, dtype=np.uint16))
    return {
        "run": {"directory": str(folder / "run")},
        "data": {"tokens": [str(folder / "train.npy")], "validation_tokens": [str(folder / "validation.npy")]},
        "tokenizer": {"vocab_size": 300},
        "model": {"context_length": 16, "d_model": 32, "num_layers": 1, "num_heads": 2},
        "evaluation": {"sample_every": 0},
        "training": {"steps": 2, "device": "cpu", "dtype": "float32", "batch_size": 4} | training,
    }


def test_training_says_its_memory_in_the_plan_and_refuses_what_cannot_fit(tmp_path, monkeypatch, capsys):
    run = hb.train(recipe(tmp_path))
    assert "of memory at the peak" in capsys.readouterr().out
    assert run.status == "done"
    monkeypatch.setattr("hornbook.training.launch.memory_check.available_memory", lambda: 400_000_000)
    with pytest.raises(ConfigError, match=r"takes about .* of memory"):
        hb.train(recipe(tmp_path, batch_size=100_000), run={"directory": str(tmp_path / "other")})
