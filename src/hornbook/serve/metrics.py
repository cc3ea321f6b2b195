"""What `/metrics` tells Prometheus (prometheus.io/docs/concepts/metric_types)."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hornbook.serve.engine import BatchEngine
from hornbook.serve.sequence import Sequence, WrittenPiece

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters of one server, with a registry of their own."""

    def __init__(self, engine: BatchEngine):
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "hornbook_requests", "CompletionObject requests by HTTP status.", ["status"], registry=registry
        )
        self.tokens = Counter("hornbook_tokens", "Tokens of prompts and completions.", ["kind"], registry=registry)
        self._first = Histogram(
            "hornbook_first_token_seconds", "From request to first token.", buckets=SECONDS, registry=registry
        )
        self._gap = Histogram(
            "hornbook_token_gap_seconds", "Between a completion's tokens.", buckets=SECONDS, registry=registry
        )
        for name, text, value in (
            ("queue_length", "Completions that wait for a slot.", lambda: engine.waiting),
            ("slots_in_use", "Completions that are being written.", lambda: engine.running),
            ("slots", "How many can be written at once.", lambda: engine.count),
        ):
            Gauge(f"hornbook_{name}", text, registry=registry).set_function(value)

    def saw(self, sequence: Sequence, piece: WrittenPiece) -> None:
        """Note when a piece of a sequence was written."""
        if piece.error or piece.finish == "cancelled":
            return
        now = time.monotonic()
        if sequence.last_piece is None:
            self._first.observe(now - sequence.submitted)
            self.tokens.labels("prompt").inc(len(sequence.prompt))
        else:
            self._gap.observe(now - sequence.last_piece)
        self.tokens.labels("completion").inc()
        sequence.last_piece = now

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)
