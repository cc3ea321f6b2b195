"""docs/reference/messages.md: it is what the source says, and every sentence has a test that brings it about.

That a test named there does bring its sentence about is held by each run of that test (tests/harness/messages.py).
"""

import re
from pathlib import Path

import pytest
import write_messages

ROOT = Path(__file__).resolve().parents[2]
TESTS = write_messages.known_tests()


def test_the_page_is_up_to_date():
    page = write_messages.PAGE.read_text(encoding="utf-8")
    assert page == write_messages.page(TESTS), "run `python tools/write_messages.py`"


def test_every_sentence_has_a_test():
    page = write_messages.PAGE.read_text(encoding="utf-8")
    without = [line for line in page.splitlines() if line.endswith(f"{write_messages.NO_TEST} |")]
    assert not without, "bring it about in a test, and run that with --record-messages"


@pytest.mark.parametrize("test", sorted(set(TESTS.values())))
def test_a_test_that_the_page_names_is_there(test):
    file, *_, function = test.split("::")
    assert re.search(rf"^ *def {function}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_a_sentence_is_found_with_its_function_and_what_differs(tmp_path, monkeypatch):
    source = tmp_path / "source.py"
    monkeypatch.setattr(write_messages, "SOURCE", tmp_path)
    source.write_text(
        "class Reader:\n"
        "    def fail(self, problem):\n"
        "        return DataError(f'line {self.line}: {problem}')\n"
        "    def read(self):\n"
        "        raise self.fail(f'{self.word!r} is no word')\n"
        "def hand_on(error):\n"
        "    raise DataError(f'{error}')\n"
        "def other(error: type[HornbookError]):\n"
        "    raise error('one ' f'sentence of {2}' + ' parts')\n"
    )
    assert write_messages.sites(source) == {
        5: ("source.py", "Reader.read", "line …: … is no word"),
        9: ("source.py", "other", "one sentence of … parts"),
    }
