"""The bounds of numeric settings: one table per section of a recipe, one sentence for what lies outside.

NaN lies outside every bound, and infinity outside all but those that name it. Left out: what depends on other settings
(a divisor, a memory) or on the machine; that is checked where it is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hornbook.errors import ConfigError

MANY = 10**12
"""More steps, tokens or bytes than any run has."""


@dataclass(frozen=True)
class Bound:
    """What a setting may be: from `least` to `most`, or between them where they are `open`."""

    least: float
    most: float
    hint: str = ""
    """The end of the sentence: a usual value."""
    above: bool = False
    """`least` itself is outside."""
    below: bool = False
    """`most` itself is outside."""

    def holds(self, value: float) -> bool:
        """Return whether a value lies inside."""
        return (self.least < value or (value == self.least and not self.above)) and (
            value < self.most or (value == self.most and not self.below)
        )

    def __str__(self) -> str:
        """Return it in words: `at least 1 and at most 1,000`."""
        least, most = (f"{x:,}" if abs(x) < 1e16 else f"{x:.4g}" for x in (self.least, self.most))
        return f"{'above' if self.above else 'at least'} {least} and {'below' if self.below else 'at most'} {most}"


def check_bounds(section: str, settings: Any, bounds: Mapping[str, Bound]) -> None:
    """Check numbers against their bounds; None, "auto" and booleans stand for themselves and pass.

    Args:
        section: its name, for the sentence; empty for settings of a constructor.
        settings: has an attribute for every key of `bounds`: a number or a tuple of them.
        bounds: by name.

    Raises:
        ConfigError: a number that lies outside.
    """
    for name, bound in bounds.items():
        given = getattr(settings, name)
        for value in given if isinstance(given, tuple) else (given,):
            if isinstance(value, int | float) and not isinstance(value, bool) and not bound.holds(value):
                place = f"{section}.{name}" if section else name
                raise ConfigError(f"{place} = {value} must be {bound}{'; ' if bound.hint else ''}{bound.hint}")
