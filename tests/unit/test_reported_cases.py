"""tests/reported_cases.toml: every test that it names beside a case is there, and says what it does in its name."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GROUPS = tomllib.loads((ROOT / "tests" / "reported_cases.toml").read_text(encoding="utf-8"))
CASES = [(case, tests) for group in GROUPS.values() for case, tests in group.items()]


@pytest.mark.parametrize(("case", "tests"), CASES)
def test_the_tests_of_a_case_are_there(case, tests):
    assert tests, case
    for test in tests:
        file, function = test.split("::")
        assert re.search(rf"^def {function}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test
