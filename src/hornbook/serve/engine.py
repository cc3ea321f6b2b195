"""Continuous batching: a thread that writes as many completions at once as there are slots.

    submit → queue → a free slot → prompt in chunks → one token a step → pieces to `deliver`

Sequences join and leave between steps. A step reads one token of every text that is being written and, of prompts, so
many tokens as the chunk allows, the oldest first: a long prompt costs the others a little time in each step instead of
a long wait (Agrawal et al. 2023, Sarathi). None of this changes what is written (generation/slots.py).

Left out: preemption, priorities, prompts that share a beginning, several models.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from hornbook.errors import HornbookError
from hornbook.generation.slots import Slots
from hornbook.models.kv_cache import ReadPart
from hornbook.serve.sequence import Sequence, WrittenPiece

Deliver = Callable[[list[tuple[Sequence, WrittenPiece]]], object]
DEADLINE = "the deadline passed before the completion was written; ask for fewer tokens, or try again later"
CHUNK = 64
"""Tokens of prompts in one step."""

log = logging.getLogger(__name__)


class QueueFullError(HornbookError):
    """More is waiting than may wait.

    Attributes:
        retry_after: seconds after which there may be room.
    """

    def __init__(self, waiting: int, retry_after: int):
        super().__init__(f"{waiting} completions are waiting already; try again in {retry_after} s")
        self.retry_after = retry_after


class BatchEngine:
    """Writes sequences side by side.

    Args:
        slots: where the model reads them.
        count: how many slots there are.
        queue_limit: how many sequences may wait or have a response that is still being sent, beside those in slots.
        chunk: tokens of prompts in one step.

    Attributes:
        deliver: takes what a step has written, in the engine's thread; a piece with `finish` or `error` is the last.
    """

    def __init__(self, slots: Slots, count: int, *, queue_limit: int = 256, chunk: int = CHUNK):
        self.count, self.queue_limit = count, queue_limit
        self.deliver: Deliver = lambda pieces: None
        self._slots = slots
        self._chunk = max(chunk, slots.piece or 1)
        self._waiting: deque[Sequence] = deque()
        self._running: dict[int, Sequence] = {}  # by slot, in the order of their admission
        self._open = 0
        self._seconds = 1.0  # what a sequence took lately, from slot to end
        self._admitted: dict[int, float] = {}
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def waiting(self) -> int:
        """How many sequences wait for a slot."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """How many slots are in use."""
        return len(self._running)

    @property
    def most(self) -> int:
        """How many sequences may be open at once."""
        return self.count + self.queue_limit

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Cancel whatever is left and end the thread."""
        with self._changed:
            self._ending = True
            for sequence in (*self._waiting, *self._running.values()):
                sequence.cancelled = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def submit(self, sequences: list[Sequence]) -> None:
        """Put sequences into the queue, all or none; `close` must follow for each. Raises QueueFullError."""
        with self._changed:
            if self._open + len(sequences) > self.most:
                seconds = self._seconds * (1 + len(self._waiting) / self.count)
                raise QueueFullError(len(self._waiting), max(1, min(60, round(seconds))))
            self._open += len(sequences)
            self._waiting.extend(sequences)
            self._changed.notify()

    def close(self, sequences: Iterable[Sequence]) -> None:
        """Say that nobody reads these sequences any more: what is still being written of them ends within a step."""
        with self._changed:
            for sequence in sequences:
                sequence.cancelled = True
                self._open -= 1
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting or self._running or self._ending):
                    self._changed.wait()
                if self._ending and not (self._waiting or self._running):
                    return
                pieces = self._end_overdue()
                self._admit()
            try:
                pieces += self._step()
            except Exception as error:  # of the machine, not of a sequence: all those in slots are lost
                log.exception("a step failed")
                pieces += [(s, WrittenPiece(error=f"the model could not be computed: {error}")) for s in self._clear()]
            if pieces:
                self.deliver(pieces)

    def _end_overdue(self) -> list[tuple[Sequence, WrittenPiece]]:
        now = time.monotonic()
        ended = []
        for sequence in (*self._waiting, *self._running.values()):
            if sequence.cancelled:
                ended.append((sequence, WrittenPiece(finish="cancelled")))
            elif sequence.deadline < now:
                ended.append((sequence, WrittenPiece(error=DEADLINE)))
        if ended:
            gone = {id(sequence) for sequence, _ in ended}
            self._waiting = deque(s for s in self._waiting if id(s) not in gone)
            for slot in [slot for slot, s in self._running.items() if id(s) in gone]:
                self._leave(slot)
        return ended

    def _admit(self) -> None:
        free = (slot for slot in range(self.count) if slot not in self._running)
        for slot in list(free)[: len(self._waiting)]:
            self._running[slot] = self._waiting.popleft()
            self._admitted[slot] = time.monotonic()

    def _leave(self, slot: int) -> None:
        del self._running[slot]
        self._seconds += 0.1 * (time.monotonic() - self._admitted.pop(slot) - self._seconds)

    def _clear(self) -> list[Sequence]:
        lost = list(self._running.values())
        for slot in list(self._running):
            self._leave(slot)
        return lost

    def _step(self) -> list[tuple[Sequence, WrittenPiece]]:
        parts = self._parts()
        if not parts:
            return []
        pieces = []
        for part, logits in zip(parts, self._slots.read(parts), strict=True):
            sequence = self._running[part.row]
            try:
                piece = sequence.accept(part, logits)
            except HornbookError as error:
                piece = WrittenPiece(error=str(error))
            if piece is None:
                continue
            pieces.append((sequence, piece))
            if piece.finish or piece.error:
                self._leave(part.row)
        return pieces

    def _parts(self) -> list[ReadPart]:
        """Return what the next step reads: a token of each text, and a chunk of the prompts."""
        parts, room, piece = [], self._chunk, self._slots.piece
        for slot, sequence in self._running.items():
            if sequence.starts_anew():
                self._slots.forget(slot)
            unread = sequence.unread()
            most = min(unread, piece or room) if unread > 1 else 1
            if unread > 1:
                if most > room or not room:
                    continue
                room -= most
            parts.append(sequence.next_part(slot, most))
        return parts
