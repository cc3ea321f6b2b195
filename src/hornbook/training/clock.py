"""The clock of a run: its seconds over all its processes, and which of them did not go to updates.

What happens beside the updates runs inside `with clock.aside("evaluation"):`. So there is one place that knows how long
a run has taken, how fast its updates are (`training_seconds`), and what it will take once more to end it (`closing`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

CLOSING = ("evaluation", "samples", "checkpoint")
"""What a run ends with."""


class RunClock:
    """Measures one run.

    Args:
        now: seconds from any starting point.

    Attributes:
        overhead_seconds: what was spent aside in this process.
        closing: seconds that the evaluation, the samples and the checkpoint took when they last happened.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic):
        self._now = now
        self._started = now()
        self._before = 0.0  # seconds of earlier processes
        self.overhead_seconds = 0.0
        self.closing: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Time spent on the run in all its processes, evaluation included."""
        return self._before + self._now() - self._started

    @property
    def training_seconds(self) -> float:
        """Seconds that were not spent aside, from any starting point: for differences."""
        return self._now() - self.overhead_seconds

    @property
    def closing_seconds(self) -> float:
        """What the final evaluation, samples and checkpoint will take."""
        return sum(self.closing.values())

    def start(self, seconds: float | None = None, closing: Mapping[str, float] | None = None) -> None:
        """Start counting now: what came before in this process (preparation) is no part of the run.

        Args:
            seconds: what the run has taken so far; None: as it was.
            closing: what ending it takes, as measured before; None: as it was.
        """
        self._started = self._now()
        self._before = self._before if seconds is None else seconds
        self.closing = self.closing if closing is None else dict(closing)

    @contextlib.contextmanager
    def aside(self, what: str) -> Iterator[None]:
        """Count the block as overhead; if it ends well, as what `what` takes."""
        began = self._now()
        try:
            yield
        except BaseException:
            self.overhead_seconds += self._now() - began
            raise
        seconds = self._now() - began
        self.overhead_seconds += seconds
        if what in CLOSING:
            self.closing[what] = seconds
