"""`pytest --cpu-times 30`: the processor time of the most expensive tests, with that of the processes they start.

On a busy machine `--durations` says how long a test waited; this says what it costs. Times of fixtures count for the
test that first asked for them; processes that are still running, or that nobody waited for, do not count.
"""

from __future__ import annotations

import resource
from collections import defaultdict
from collections.abc import Generator

import pytest

SECONDS = "processor_seconds"
_before = 0.0


def processor_seconds() -> float:
    """Return the seconds of this process and of those that it has waited for."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cpu-times", type=int, default=0, metavar="N", help="show the N tests of most processor time")


def pytest_runtest_logstart() -> None:
    global _before
    _before = processor_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    global _before
    report = yield
    now = processor_seconds()
    report.user_properties.append((SECONDS, now - _before))  # set-up, call and tear-down have a report each
    _before = now
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    shown = config.getoption("--cpu-times")
    if not shown:
        return
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid] += sum(float(str(v)) for name, v in report.user_properties if name == SECONDS)
    terminalreporter.section(f"{sum(seconds.values()):.1f} s of processor time, of {len(seconds):,} tests")
    for test in sorted(seconds, key=seconds.__getitem__, reverse=True)[:shown]:
        terminalreporter.line(f"{seconds[test]:7.1f} s  {test}")
