"""Textbook memory and training time: the handout's answers, and which slip gives which published figure."""

import dataclasses

import pytest

from hornbook.accounting.flops import count_flops
from hornbook.accounting.parameters import count_parameters
from hornbook.accounting.presets import PRESETS, preset
from hornbook.accounting.textbook import textbook_memory
from hornbook.accounting.training_time import DEVICES, device_named, training_time
from hornbook.errors import ConfigError

XL = PRESETS["gpt2-xl"]
UNGATED = dataclasses.replace(XL, ffn="silu")
A100 = DEVICES["a100"].peak["float32"]


def time_of(config, batch_size=1024, **more):
    account = count_flops(config, batch_size)
    return training_time(account, count_parameters(config).total, steps=400_000, peak=A100, mfu=0.5, **more)


def test_textbook_memory_of_gpt2_xl():
    memory = textbook_memory(XL)
    # By hand, elements of a sequence: 48·(16·1024·1600 + 2·25·1024²) + 1024·1600 + 1024·50257 + 1024.
    elements = 48 * (16 * 1024 * 1600 + 2 * 25 * 1024**2) + 1024 * 1600 + 1024 * 50257 + 1024
    assert memory.per_sequence == 4 * elements == 15_311_904_768
    assert memory.fixed == 16 * 1_635_537_600
    assert memory.largest_batch(80 * 10**9) == 3
    assert memory.largest_batch(10**9) == 0
    assert memory.peak(3) <= 80 * 10**9 < memory.peak(4)


def test_textbook_memory_ignores_the_switches_that_the_handout_fixes():
    assert textbook_memory(dataclasses.replace(XL, ffn="silu", tie_embeddings=True, norm="post")) == textbook_memory(XL)


def test_days_on_an_a100_by_both_rules():
    assert time_of(XL).days == pytest.approx(6583.6, abs=0.1)
    assert time_of(XL).days_6nd == pytest.approx(6354.4, abs=0.1)
    assert time_of(UNGATED).days == pytest.approx(5115.2, abs=0.1)
    assert time_of(UNGATED).days_6nd == pytest.approx(4886.0, abs=0.1)


def test_where_the_published_figures_come_from():
    per_day = 0.5 * A100 * 86_400
    tokens = 400_000 * 1024 * 1024
    # 4,886: 6·N·D with the un-gated model's N = 1,635,537,600.
    assert round(6 * 1_635_537_600 * tokens / per_day) == 4886
    # 6,363: 6·N·D with the gated model's N rounded to 2.13 billion.
    assert round(6 * 2.13e9 * tokens / per_day) == 6363
    # 1,705: the forward pass of the un-gated model alone: no backward pass.
    assert round(count_flops(UNGATED, 1024).forward() * 400_000 / per_day) == 1705
    # 4.6: a factor of 1,000. A step is 9.81 PFLOP, written 9.8 T, which 9.75 TFLOP/s do in about a second: 400,000 s.
    step = 6 * 1.56e9 * 1024 * 1024
    assert f"{step:.2e}" == "9.81e+15"
    assert round(400_000 * (step / 1000) / per_day, 2) == 4.66
    assert round(400_000 / 86_400, 1) == 4.6
    assert round(400_000 * step / per_day) == 4660


def test_a_measured_rate_gives_seconds():
    time = time_of(XL, tokens_per_second=1000.0)
    assert time.measured_seconds == pytest.approx(400_000 * 1024 * 1024 / 1000)
    assert time_of(XL).measured_seconds is None


def test_bad_input_is_named():
    with pytest.raises(ConfigError, match="mfu"):
        training_time(count_flops(XL), 1, steps=1, peak=1.0, mfu=1.5)
    with pytest.raises(ConfigError, match="steps"):
        training_time(count_flops(XL), 1, steps=0, peak=1.0)
    with pytest.raises(ConfigError, match="did you mean 'a100'"):
        device_named("a10")
    with pytest.raises(ConfigError, match="did you mean 'gpt2-xl'"):
        preset("gpt2xl")
