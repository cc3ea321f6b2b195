"""What a person sees while long work runs: a live bar on a terminal, plain lines elsewhere, and the same in `log.txt`.

A `Console` never stays silent for more than two seconds at the start of a stage (in files and pipes the pauses grow
with the age of the stage). A stage that says its lines itself, as training does for each logged step, is only spoken
for when it has been silent for a minute. Everything shown is a view of numbers that are recorded elsewhere; nothing
reads it back. Left out: curses, colours of our own, key presses.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from hornbook.format import duration, quantity

# A plain line at least every PAUSE seconds at first; later every SHARE of the stage's age, at most every LONGEST.
PAUSE, SHARE, LONGEST = 1.9, 0.01, 60.0
# Columns from which there is room for a bar beside the words.
WIDE, BAR = 100, 20


class Stage:
    """A stretch of work with a title, how far it is, and a few words; `update` may come from any thread.

    Args:
        title: what is done.
        total: how much there is of it, in any unit.
        speaks: its owner writes its lines where there is no bar.
    """

    def __init__(self, title: str, total: float | None, *, speaks: bool = False):
        self.title = title
        self.total = total
        self.speaks = speaks
        self.done = 0.0
        self.text = ""
        self.started = time.monotonic()
        self._ends: float | None = None

    def update(self, done: float | None = None, text: str | None = None, total: float | None = None) -> None:
        """Say how much is done (in the unit of `total`) and, in a few words, what there is to see."""
        self.done = self.done if done is None else done
        self.text = self.text if text is None else text
        self.total = self.total if total is None else total

    def after(self, done: float) -> Callable[[float], None]:
        """Return a `progress=` for the next part of the work, where `done` of it is done already."""
        return lambda more: self.update(done + more)

    def expect(self, seconds: float | None) -> None:
        """Say how long it will still take, where its owner knows better than its pace does."""
        self._ends = None if seconds is None else time.monotonic() + seconds

    def line(self, width: int | None = None) -> str:
        """Return the stage as one line: what it is, a time that moves, and as many of its words as `width` holds."""
        now = time.monotonic()
        spent, share = now - self.started, min(1.0, self.done / self.total) if self.total else 0.0
        title = f"{self.title} {100 * share:.0f} %" if self.total and not self.speaks else self.title
        times = [duration(spent)]
        if self._ends is not None:
            times = [f"{duration(max(0.0, self._ends - now))} left"]
        elif 0.01 < share < 1:
            times = [f"{duration(spent * (1 - share) / share)} left", *times]
        words: list[str] = []
        for word in self.text.split(" · ") if self.text else []:
            if width is not None and len(" · ".join([title, *times, *words, word])) > width:
                break
            words.append(word)
        return " · ".join([title, *times, *words] if self.speaks else [title, *words, *times])[:width]


class Console:
    """Where progress goes.

    Args:
        log: a file that every line is appended to as well.
        stream: the terminal or file to write to; None: standard output.
        live: a moving bar; None: where `stream` is a terminal.
        silent: write to the log alone.
    """

    def __init__(
        self,
        log: str | Path | None = None,
        *,
        stream: TextIO | None = None,
        live: bool | None = None,
        silent: bool = False,
    ):
        self.on_lost: Callable[[], None] | None = None
        """Called once when nobody reads the stream any more, which is silent from then on; None: that is an error."""
        self.stream: Any = _Outlet(stream or sys.stdout, self)
        self.live = self.stream.isatty() if live is None else live
        self.silent = silent
        self._log: TextIO | None = None
        self._progress: Any = None
        self._lock = threading.Lock()
        self._spoke = time.monotonic()
        if log is not None:
            self.log_to(log)

    def log_to(self, path: str | Path) -> None:
        """Append every further line to the file at `path`."""
        self.close()
        self._log = open(path, "a", encoding="utf-8")  # noqa: PTH123, SIM115

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def tell(self, stage: Stage) -> None:
        """Write a stage's line where no bar shows it."""
        if not self.live or self.silent:
            self.print(stage.line())

    def print(self, text: str = "") -> None:
        """Write a line to the stream, above the bar if one is shown, and to the log."""
        with self._lock:
            self._write(text)

    @contextlib.contextmanager
    def stage(self, title: str, total: float | None = None) -> Iterator[Stage]:
        """Show a `Stage` until the block ends; it ends with a plain line that says how long it took."""
        stage = Stage(title, total)
        with self._shown(stage):
            yield stage
        self.print(f"{title}: {stage.text + ', ' if stage.text else ''}{duration(time.monotonic() - stage.started)}")

    @contextlib.contextmanager
    def watch(self, stage: Stage) -> Iterator[Stage]:
        """Show a stage of the caller's own until the block ends, without a closing line."""
        with self._shown(stage):
            yield stage

    @contextlib.contextmanager
    def _shown(self, stage: Stage) -> Iterator[None]:
        if self.live and not self.silent:
            with self._bar(stage):
                yield
            return
        stop = threading.Event()
        thread = threading.Thread(target=self._tick, args=(stage, stop), name="hornbook-console", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @contextlib.contextmanager
    def _bar(self, stage: Stage) -> Iterator[None]:
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn
        from rich.text import Text

        class Line(ProgressColumn):
            """The stage in its own words; it grows older while nothing is updated."""

            max_refresh = 0.2

            def render(self, task: Any) -> Text:
                task.total, task.completed = stage.total, stage.done
                room = screen.width - len("⠋ ") - (BAR + 1 if screen.width >= WIDE else 0)
                return Text(stage.line(room), overflow="ellipsis", no_wrap=True)

        screen = RichConsole(file=self.stream)
        bar = [BarColumn(bar_width=BAR)] if screen.width >= WIDE else []
        progress = Progress(SpinnerColumn(), Line(), *bar, console=screen, transient=True)
        progress.add_task("", total=stage.total)
        with progress:
            self._progress = progress
            try:
                yield
            finally:
                self._progress = None

    def _tick(self, stage: Stage, stop: threading.Event) -> None:
        pause = LONGEST if stage.speaks else PAUSE
        while not stop.wait(pause):
            silent = time.monotonic() - self._spoke
            if stage.speaks and silent < LONGEST:
                pause = LONGEST - silent
                continue
            with contextlib.suppress(OSError):  # the owner's next line meets it as well
                self.print(stage.line())
            pause = LONGEST if stage.speaks else min(LONGEST, max(PAUSE, SHARE * (time.monotonic() - stage.started)))

    def _write(self, text: str) -> None:
        self._spoke = time.monotonic()
        if not self.silent:
            if self._progress is not None:
                self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
            else:
                print(text, file=self.stream, flush=True)
        if self._log is not None:
            # The log is a convenience: a full disk must not stop the training (checkpoints say it where it matters).
            with contextlib.suppress(OSError):
                self._log.write(text + "\n")
                self._log.flush()


class _Outlet:
    """A stream whose reader may leave: the reader of a pipe (`| head`), or the terminal."""

    def __init__(self, stream: TextIO, console: Console) -> None:
        self._stream, self._console = stream, console

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except OSError as error:
            if self._console.on_lost is None or error.errno not in (errno.EPIPE, errno.EIO):
                raise
            # What is buffered must not fail again, at the latest when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            self._console.on_lost()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def describe_record(record: Mapping[str, Any], steps: int | None = None) -> str:
    """Return a record of metrics as a few words for the console."""
    parts = [f"step {record['step']:,}" + (f"/{steps:,}" if steps else "")] if "step" in record else []
    if record.get("train_loss") is not None:
        parts.append(f"loss {record['train_loss']:.4f}")
    if record.get("val_loss") is not None:
        bits = record.get("val_bits_per_byte")
        parts.append(f"val {record['val_loss']:.4f}" + (f" ({bits:.4f} bits/byte)" if bits is not None else ""))
    if record.get("lr") is not None:
        parts.append(f"lr {record['lr']:.2e}")
    if record.get("tokens_per_second"):
        parts.append(f"{quantity(record['tokens_per_second'])} tok/s")
    if record.get("mfu") is not None:
        parts.append(f"MFU {100 * record['mfu']:.0f} %")
    if record.get("memory_bytes"):
        parts.append(quantity(record["memory_bytes"], "B"))
    return " · ".join(parts)
