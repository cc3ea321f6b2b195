"""What a command prints, on its way to the terminal: foreign text cannot command it.

Names, notes, samples, keys and what a server says come from files of others. Every stream of a command goes through
`Output`, which writes out what commands instead of showing (format.py:visible). On a terminal the colours and the bar
of this program pass. Left out: `tokenizer decode` into a file or pipe, which is to give back the text byte for byte.
"""

from __future__ import annotations

import io
from typing import Any, TextIO

from hornbook.format import visible

# What rich writes: colours; the cursor hidden and shown; a line erased, the one above. Only where there is a terminal.
_OWN = r"\r?\x1b\[(?:\?25[hl]|[0-9;]*m|1A|2K)"


class Output:
    """A stream that writes out the control characters of what is printed to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a terminal or pipe of ASCII shows the rest as \\xb7, and ends nothing
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write `text`, visibly; return its length."""
        self.stream.write(visible(text, _OWN if self.stream.isatty() else ""))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write every text."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def as_data(stream: Any) -> Any:
    """Return the stream for text that is the result itself: as it is, except on a terminal."""
    return stream if stream.isatty() else getattr(stream, "stream", stream)
