"""The figures that write-ups of the exercise print, derived again (docs/handbook/write_ups.md)."""

import pytest

pytest.importorskip("matplotlib")
from handbook import write_up_values

PRINTED = {
    "ungated": "1,635,537,600",
    "gated": "2,127,057,600",
    "w1_forward": "3,019,898,880,000",
    "w2_forward": "4,513,654,374,400",
}


def test_what_is_printed_is_what_the_arithmetic_beside_it_gives():
    v = write_up_values()
    assert {name: f"{v[name]:,}" for name in PRINTED} == PRINTED
    teraflops = [f"{v[name]:.2f}" for name in ("w0_small", "w0_medium", "w0_large")]
    assert teraflops == ["1.92", "2.66", "3.45"]  # W0: only d changed
    assert (f"{v['w1_small']:.2f}", f"{v['w1_small_share']:.2f}") == ("0.30", "19.35")  # W1: F of XL kept
    assert (f"{v['w0_sequence']:.2f}", v["w0_batch"]) == ("10.48", 5)  # W0: one T × T matrix left out
    assert f"{v['fixed_gib']:.2f}" == "24.37"  # W1: GiB called GB
    assert f"{v['gated_fixed']:.0f}" == "34"  # W2
    assert (f"{v['ungated_head']:.1f}", f"{v['ungated_attention']:.1f}") == ("27.1", "33.1")  # W4
    assert (round(v["slow_minutes"]), round(v["fast_minutes"])) == (171, 55)  # W3 prints 32 and 28
