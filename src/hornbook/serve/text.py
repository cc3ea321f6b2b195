"""A completion's tokens as text that may be sent: whole characters, and nothing of a stop string.

A character may span tokens, and so may a stop string. What could be the beginning of either is held back until the
next token tells; the pieces together are the decoded completion up to the first stop string.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class CompletionText:
    """Text that grows by the bytes of tokens.

    Args:
        stops: strings that end it; none empty.

    Attributes:
        text: all characters so far, cut at the first stop string.
        stopped: whether a stop string came.
    """

    def __init__(self, stops: Sequence[str] = ()):
        self.text, self.stopped = "", False
        self._stops = stops
        self._longest = max(map(len, stops), default=1)
        self._sent = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token: bytes) -> str:
        """Add a token; return what may be sent now."""
        return self._grow(self._decoder.decode(token))

    def finish(self) -> str:
        """Return the rest, which was held back; half a character becomes U+FFFD."""
        return self._grow(self._decoder.decode(b"", final=True)) + self._take(len(self.text))

    @property
    def sent(self) -> int:
        """How many characters `add` and `finish` have returned."""
        return self._sent

    def _grow(self, more: str) -> str:
        if self.stopped or not more:
            return ""
        start = max(0, len(self.text) - self._longest + 1)
        self.text += more
        found = [at for at in (self.text.find(stop, start) for stop in self._stops) if at >= 0]
        if found:
            self.text, self.stopped = self.text[: min(found)], True
            return self._take(len(self.text))
        return self._take(len(self.text) - self._held())

    def _held(self) -> int:
        """Return the length of the longest end of the text that a stop string begins with."""
        most = min(self._longest - 1, len(self.text) - self._sent)
        for length in range(most, 0, -1):
            end = self.text[-length:]
            if any(stop.startswith(end) for stop in self._stops):
                return length
        return 0

    def _take(self, until: int) -> str:
        new, self._sent = self.text[self._sent : until], max(self._sent, until)
        return new
