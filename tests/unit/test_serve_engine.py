"""The engine by itself: who is read in which step, who leaves, who waits."""

import threading
import time

import pytest
import torch

from hornbook.serve.engine import BatchEngine, QueueFullError
from hornbook.serve.sequence import CompletionSettings, Sequence


class FakeSlots:
    """Slots whose next token is always 1; notes what is read, and waits for `go` if told so."""

    def __init__(self, piece=None):
        self.piece = piece
        self.steps = []
        self.go = threading.Event()
        self.go.set()
        self.fails = False

    def read(self, parts):
        self.go.wait(10)
        if self.fails:
            raise RuntimeError("out of order")
        self.steps.append([(part.row, len(part.ids)) for part in parts])
        return [torch.tensor([[0.0, 9.0]]).expand(part.wanted, 2) for part in parts]

    def forget(self, slot):
        pass


class Listener:
    """Collects what the engine delivers."""

    def __init__(self, engine):
        self.pieces, self.ended = [], []
        self._changed = threading.Condition()
        engine.deliver = self

    def __call__(self, pieces):
        with self._changed:
            self.pieces += pieces
            self.ended += [(sequence, piece) for sequence, piece in pieces if piece.finish or piece.error]
            self._changed.notify()

    def wait(self, count):
        """Return how the first `count` sequences ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.ended) >= count, 10)
        return self.ended[:count]


@pytest.fixture
def slots():
    return FakeSlots()


def make(slots, count=2, **settings):
    engine = BatchEngine(slots, count, **settings)
    return engine, Listener(engine)


def sequence(prompt=3, tokens=4, **more):
    settings = CompletionSettings(max_tokens=tokens, temperature=0)
    return Sequence([0] * prompt, settings, lambda token: b"ab"[token : token + 1], 1000, **more)


def test_a_long_prompt_is_read_in_chunks_beside_a_text_that_is_written(slots):
    engine, listener = make(slots, chunk=10)
    engine.submit([sequence(1, 6), sequence(35, 1)])
    engine.start()
    listener.wait(2)
    engine.stop()
    assert slots.steps == [
        [(0, 1), (1, 10)],
        [(0, 1), (1, 10)],
        [(0, 1), (1, 10)],
        [(0, 1), (1, 5)],
        [(0, 1)],
        [(0, 1)],
    ]


def test_two_prompts_share_a_chunk_and_a_slot_is_taken_again(slots):
    engine, listener = make(slots, chunk=10)
    engine.submit([sequence(6, 1), sequence(6, 1), sequence(2, 1)])
    engine.start()
    assert [piece.text for _, piece in listener.wait(3)] == ["b"] * 3
    engine.stop()
    assert slots.steps == [[(0, 6), (1, 4)], [(1, 2), (0, 2)]]


def test_pieces_of_one_size_where_the_slots_want_them():
    slots = FakeSlots(piece=8)
    engine, listener = make(slots, chunk=2)
    engine.submit([sequence(20, 2), sequence(3, 2)])
    engine.start()
    listener.wait(2)
    engine.stop()
    assert slots.steps == [[(0, 8)], [(0, 8)], [(0, 4), (1, 3)], [(0, 1), (1, 1)]]


def test_who_is_closed_is_in_no_further_step(slots):
    engine, listener = make(slots)
    slots.go.clear()
    long, other = sequence(1, 900), sequence(1, 3)
    engine.submit([long, other])
    engine.start()
    time.sleep(0.05)  # the first step is under way
    engine.close([long])
    slots.go.set()
    listener.wait(2)
    engine.stop()
    assert sum(slot == 0 for step in slots.steps for slot, _ in step) == 1
    assert [(piece.finish, piece.text) for s, piece in listener.ended if s is long] == [("cancelled", "")]


def test_who_waits_can_be_closed_too(slots):
    engine, listener = make(slots, 1)
    first, second = sequence(1, 900), sequence(1, 900)
    engine.submit([first, second])
    engine.close([second])
    engine.start()
    assert listener.wait(1)[0][0] is second
    engine.close([first])
    listener.wait(2)
    engine.stop()
    assert engine.waiting == engine.running == 0


def test_more_than_may_wait_is_refused_all_or_none(slots):
    engine, _ = make(slots, 2, queue_limit=3)
    many = [sequence() for _ in range(5)]
    engine.submit(many[:4])
    with pytest.raises(QueueFullError, match="4 completions are waiting already; try again in") as caught:
        engine.submit([sequence(), sequence()])
    assert 1 <= caught.value.retry_after <= 60
    engine.submit(many[4:])
    assert engine.waiting == 5
    engine.close(many)  # whose answers were read to the end
    engine.submit([sequence()])


def test_a_deadline_ends_who_waits_and_who_is_written(slots):
    engine, listener = make(slots, 1)
    past = time.monotonic() + 0.05
    engine.submit([sequence(1, 10**6, deadline=past), sequence(1, 10**6, deadline=past)])
    engine.start()
    assert all("deadline" in piece.error for _, piece in listener.wait(2))
    engine.stop()


def test_a_step_that_fails_ends_those_in_it_and_the_engine_goes_on(slots, caplog):
    engine, listener = make(slots, 1)
    slots.fails = True
    engine.submit([sequence()])
    engine.start()
    assert listener.wait(1)[0][1].error == "the model could not be computed: out of order"
    assert "a step failed" in caplog.text
    slots.fails = False
    engine.submit([sequence()])
    assert listener.wait(2)[1][1].finish == "length"
    engine.stop()


def test_logits_that_are_no_numbers_end_one_text_alone(slots):
    engine, listener = make(slots)
    slots.read = lambda parts: [torch.full((part.wanted, 2), float("nan") if part.row == 0 else 1.0) for part in parts]
    engine.submit([sequence(), sequence()])
    engine.start()
    ended = listener.wait(2)
    engine.stop()
    assert "not numbers (NaN)" in ended[0][1].error
    assert ended[1][1].finish == "length"
