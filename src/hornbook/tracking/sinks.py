"""Other places for the records: Weights & Biases, TensorBoard, trackio. None of them can stop or slow a run.

Each sink lives in a thread of its own behind a bounded queue: the training loop only puts a record into the queue. When
the queue is full the record is dropped and counted; when the service's library fails or is absent, one warning is said
and the sink is off for the rest of the run; closing waits a bounded time. `metrics.jsonl` has everything in any case.
Left out: uploading checkpoints and code.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

QUEUE_LENGTH = 1000
CLOSE_SECONDS = 20.0


class Backend(Protocol):
    """What a service must offer; it is made and called in the sink's thread only."""

    def log(self, record: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


class SinkThread:
    """A backend behind a queue.

    Args:
        name: for messages.
        make: builds the backend (imports its library); called in the thread.
        warn: takes one sentence when the sink fails.
        queue_length: records that may wait.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Backend],
        warn: Callable[[str], None],
        queue_length: int = QUEUE_LENGTH,
    ):
        self.name = name
        self.dropped = 0
        self.failed = False
        self._make = make
        self._warn = warn
        self._queue: queue.Queue[Mapping[str, Any] | None] = queue.Queue(queue_length)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"hornbook-{name}", daemon=True)
        self._thread.start()

    def log(self, record: Mapping[str, Any]) -> None:
        """Hand over a record; returns at once, whatever the service does."""
        if self.failed:
            return
        try:
            self._queue.put_nowait(dict(record))
        except queue.Full:
            self.dropped += 1

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Let the thread send what waits, for at most so many seconds."""
        self._stop.set()
        with contextlib.suppress(queue.Full):  # when full, the thread sees the event after its last record
            self._queue.put_nowait(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._warn(f"{self.name} did not finish within {seconds:.0f} s and was left behind")
        elif self.dropped and not self.failed:
            self._warn(f"{self.name} was too slow for {self.dropped} records; metrics.jsonl has all of them")

    def _work(self) -> None:
        # Third-party code: whatever it raises (SystemExit included) must end here.
        try:
            backend = self._make()
            while True:
                try:
                    record = self._queue.get(timeout=0.5)
                except queue.Empty:
                    if self._stop.is_set():
                        break
                    continue
                if record is None:
                    break
                backend.log(record)
            backend.close()
        except BaseException as error:
            self.failed = True
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            self._warn(f"{self.name} is off for the rest of this run ({reason}); metrics.jsonl has everything")


class _Wandb:
    """Weights & Biases; WANDB_MODE=offline keeps everything in the run folder."""

    def __init__(self, name: str, folder: Path, config: Mapping[str, Any]):
        import wandb

        settings = wandb.Settings(silent=True, console="off")
        known = folder / "wandb-id.txt"  # a run that is resumed goes on there too, in place of a second one
        if not known.exists():
            known.write_text(uuid.uuid4().hex[:16])
        self._run = wandb.init(
            project="hornbook", name=name, dir=str(folder), config=dict(config), settings=settings,
            reinit="create_new", id=known.read_text().strip(), resume="allow",
        )  # fmt: skip
        # The axis is ours: by its own counter W&B drops what is recorded after a rewind or a resume.
        self._run.define_metric("*", step_metric="step")

    def log(self, record: Mapping[str, Any]) -> None:
        self._run.log(dict(record))

    def close(self) -> None:
        self._run.finish()


class _TensorBoard:
    """TensorBoard event files in the run folder, under `tensorboard/`."""

    def __init__(self, name: str, folder: Path, config: Mapping[str, Any]):
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        # Generated code: its names are made when it is imported.
        self._event = getattr(event_pb2, "Event")  # noqa: B009
        self._summary = getattr(summary_pb2, "Summary")  # noqa: B009
        self._writer = EventFileWriter(str(folder / "tensorboard"))

    def log(self, record: Mapping[str, Any]) -> None:
        import time

        values = [
            self._summary.Value(tag=key, simple_value=float(value))
            for key, value in record.items()
            if key != "step" and isinstance(value, int | float)
        ]
        self._writer.add_event(
            self._event(step=record["step"], wall_time=time.time(), summary=self._summary(value=values))
        )

    def close(self) -> None:
        self._writer.close()


class _Trackio:
    """trackio, the local-first dashboard: a database under TRACKIO_DIR, its own folder if that is not set."""

    def __init__(self, name: str, folder: Path, config: Mapping[str, Any]):
        import trackio

        self._trackio = trackio
        _hush("trackio")
        # Its own watching of the machine runs in threads that take time from the training.
        trackio.init(project="hornbook", name=name, config=dict(config), auto_log_cpu=False, auto_log_gpu=False)

    def log(self, record: Mapping[str, Any]) -> None:
        self._trackio.log({key: value for key, value in record.items() if key != "step"}, step=record["step"])

    def close(self) -> None:
        self._trackio.finish()


def _hush(package: str) -> None:
    """Let a package's own `print` calls say nothing.

    trackio greets on standard output and has no switch against that; there it would break `--json` and the live bar.
    To redirect standard output would silence the training as well, as it belongs to all threads.
    """
    for name, module in list(sys.modules.items()):
        if name == package or name.startswith(f"{package}."):
            vars(module)["print"] = lambda *_, **__: None


SINKS: dict[str, Callable[[str, Path, Mapping[str, Any]], Backend]] = {
    "wandb": _Wandb,
    "tensorboard": _TensorBoard,
    "trackio": _Trackio,
}


def open_sinks(
    names: Iterable[str], run_name: str, folder: Path, config: Mapping[str, Any], warn: Callable[[str], None]
) -> list[SinkThread]:
    """Start a thread for each named sink (a key of `SINKS`).

    Args:
        names: which ones.
        run_name: the name that the service shows.
        folder: the run folder, for sinks that write files.
        config: the recipe, for sinks that keep it.
        warn: takes a sentence when a sink fails.
    """

    def maker(name: str) -> Callable[[], Backend]:
        return lambda: SINKS[name](run_name, folder, config)

    return [SinkThread(name, maker(name), warn) for name in names]
