"""Which test brings which sentence about: hooks of pytest, and the page that they hold to it (tools/write_messages.py).

Every `HornbookError` that a test makes is seen in this process, with the line that made it. A test that the page names
beside a sentence fails where it does not make it any more; `--record-messages` writes the page anew from what was seen,
and keeps a name that still holds. Sentences of processes that a test starts are not seen.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
import write_messages

from hornbook.errors import HornbookError

SOURCE = str(write_messages.SOURCE)


class Seen:
    """What the tests of this process made: the sentences by the function of the test."""

    def __init__(self) -> None:
        self.lines: set[tuple[str, int]] = set()
        self.by_test: dict[str, set[write_messages.Site]] = defaultdict(set)
        self.items: Counter[str] = Counter()
        self.partly: set[str] = set()
        self.known: dict[str, set[write_messages.Site]] = defaultdict(set)
        for site, test in write_messages.known_tests().items():
            self.known[test].add(site)

    def watch(self) -> None:
        """Note, for every user error, the lines of the source that were being run."""
        make, lines = HornbookError.__init__, self.lines

        def noted(self: HornbookError, *args: object) -> None:
            frame = sys._getframe(1)
            while frame is not None:
                if frame.f_code.co_filename.startswith(SOURCE):
                    lines.add((frame.f_code.co_filename, frame.f_lineno))
                frame = frame.f_back
            make(self, *args)

        HornbookError.__init__ = noted

    def sentences(self) -> set[write_messages.Site]:
        """Return what was made since the last call."""
        made = {write_messages.sites(Path(file)).get(line) for file, line in self.lines}
        self.lines.clear()
        return {site for site in made if site is not None}


seen = Seen()


def function_of(item: pytest.Item) -> str:
    """Return the name of a test without its parameters."""
    return item.nodeid.split("[")[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-messages", action="store_true", help="write docs/reference/messages.md from these tests")


def pytest_configure(config: pytest.Config) -> None:
    seen.watch()


def pytest_deselected(items: Iterable[pytest.Item]) -> None:
    seen.partly |= {function_of(item) for item in items}


def pytest_collection_finish(session: pytest.Session) -> None:
    seen.items.update(function_of(item) for item in session.items)
    seen.partly |= {name.split("[")[0] for name in session.config.args if "[" in name}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    seen.lines.clear()
    result = yield
    test = function_of(item)
    seen.by_test[test] |= seen.sentences()
    seen.items[test] -= 1
    missing = seen.known[test] - seen.by_test[test]
    if missing and not seen.items[test] and test not in seen.partly and not item.config.option.record_messages:
        names = "; ".join(sorted(site.sentence for site in missing))
        pytest.fail(f"does not bring about what docs/reference/messages.md says: {names} (--record-messages mends it)")
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not session.config.option.record_messages:
        return
    tests = {
        site: test
        for site, test in write_messages.known_tests().items()
        if test not in seen.by_test or site in seen.by_test[test]
    }
    for test, made in sorted(seen.by_test.items()):
        for site in made:
            tests.setdefault(site, test)
    write_messages.PAGE.write_text(write_messages.page(tests), encoding="utf-8")
