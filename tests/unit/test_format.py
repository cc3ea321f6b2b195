"""Numbers, amounts, times and settings as words."""

import pytest

from hornbook.format import counted, duration, number, quantity, setting, short, visible


def test_amounts_have_three_digits_and_a_prefix_unless_more_are_asked_for():
    values = (5, 1234, 999.6, 5.6e6, 7e9, 3e15, 0.05)
    assert [quantity(n) for n in values] == ["5", "1.23 k", "1 k", "5.6 M", "7 B", "3 P", "0.05"]
    assert [quantity(n, "B") for n in (182_400, 7e9)] == ["182 kB", "7 GB"]
    assert quantity(4_513_336_524_800, "FLOP", 4) == "4.513 TFLOP"
    assert quantity(2_127_057_600, digits=4) == "2.127 B"
    assert quantity(999_960, digits=4) == "1 M"


def test_times_are_said_in_the_two_units_that_matter():
    assert [duration(s) for s in (3.21, 125, 245, 7_400, 7_800)] == [
        "3.2 s", "2 min 05 s", "4 min 05 s", "2 h 03 min", "2 h 10 min",
    ]  # fmt: skip
    assert duration(5_115.3 * 86_400) == "5,115.3 days"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1234567, "1,234,567"),
        (0.00012, "0.00012"),
        (1.5, "1.5000"),
        (37000.4, "37,000"),
        ("a", "a"),
        (12.345, "12.35"),
    ],
)
def test_numbers_are_written_for_readers(value, text):
    assert number(value) == text


def test_numbers_on_an_axis_are_short_at_any_size():
    shown = {
        None: "–", 0: "0", 0.5: "0.5", -2.25: "-2.25", 0.001: "0.001", 9_000: "9000", 12_000: "12 k", 1e9: "1 B",
        402_123_456: "402.12 M", 999_999: "1 M", 1e15: "10¹⁵", 1e23: "10²³", -1e-5: "-10⁻⁵", 3e-4: "3×10⁻⁴",
        4.21e17: "4.21×10¹⁷", 12_344.5: "12.345 k",
    }  # fmt: skip
    assert {value: short(value) for value in shown} == shown
    assert [short(v, 1) for v in (0.12, 0.0009999, 1.7e16)] == ["0.1", "0.001", "2×10¹⁶"]


def test_settings_are_written_nearly_as_a_recipe_writes_them():
    assert [setting(v) for v in (True, 3e-4, [0.9, None], {"a": False}, "x")] == [
        "true", "0.0003", "[0.9, –]", "a: false", "x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "noun", "words"),
    [(1, "run", "1 run"), (0, "run", "0 runs"), (1200, "token", "1,200 tokens"), (2, "study", "2 studies")],
)
def test_counted(count, noun, words):
    assert counted(count, noun) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ☂ ąé\t\n", "plain ☂ ąé\t\n"),
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        ("\x9b31m\u202egnp\ud800\r", r"\u009b31m\u202egnp\ud800\x0d"),
    ],
)
def test_what_commands_a_terminal_is_written_out(text, shown):
    assert visible(text) == shown
    assert visible(visible(text)) == shown
    assert visible("\x1b[1m" + text, r"\x1b\[[0-9]m") == "\x1b[1m" + shown
