"""Writing checkpoints while training goes on: training waits for a copy in memory, a thread does the rest.

At most one checkpoint is being written; the next one waits for it, so memory is bounded by one copy of the state. The
copy's memory is kept for the next checkpoint: filling it again is faster than having the system map it anew, and how
much a run takes does not depend on how fast the disk was. What fails in the thread is raised at the next call, in the
training's own thread. Left out: a pool, compression.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from hornbook.checkpoint.store import Checkpoint, CheckpointStore
from hornbook.optim.shards import to_local


class Saver:
    """Saves to a store, in a thread or at once.

    Args:
        store: where checkpoints go.
        background: False writes before `save` returns.
    """

    def __init__(self, store: CheckpointStore, background: bool = True):
        self.store = store
        self.background = background
        self.last_saved: int | None = None
        """Step of the last checkpoint, written or being written."""
        self.seconds = 0.0
        """What writing the last one took."""
        self._copies: dict[str, Tensor] = {}
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def save(self, checkpoint: Checkpoint, best_val_loss: float | None = None) -> Path:
        """Save a checkpoint; its tensors may change as soon as this returns.

        Raises:
            CheckpointError: this one (written at once) or the one before (in the background) could not be written.
        """
        self.wait()
        self.last_saved = checkpoint.step
        if not self.background:
            return self._write(checkpoint, best_val_loss)
        model, optimizer = self._copy("model", checkpoint.model), self._copy("optimizer", checkpoint.optimizer)
        copy = Checkpoint(checkpoint.step, model, optimizer, checkpoint.state)
        self._thread = threading.Thread(target=self._work, args=(copy, best_val_loss), name="hornbook-save")
        self._thread.start()
        return self.store.path(checkpoint.step)

    def wait(self) -> None:
        """Wait until nothing is being written. Raises what the thread raised."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.check()

    def check(self) -> None:
        """Raise what the thread raised, if it has failed by now; does not wait."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _copy(self, part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Copy tensors into the memory of the last copy, where they have its shapes and types."""
        return {name: self._copy_one(f"{part}.{name}", tensor.detach()) for name, tensor in tensors.items()}

    def _copy_one(self, key: str, tensor: Tensor) -> Tensor:
        kept = self._copies.get(key)
        if kept is None or kept.shape != tensor.shape or kept.dtype != tensor.dtype:
            kept = self._copies[key] = tensor.to("cpu", copy=True)
        else:
            to_local(kept).copy_(to_local(tensor))
        return kept

    def _write(self, checkpoint: Checkpoint, best_val_loss: float | None) -> Path:
        began = time.monotonic()
        path = self.store.save(checkpoint, best_val_loss)
        self.seconds = time.monotonic() - began
        return path

    def _work(self, checkpoint: Checkpoint, best_val_loss: float | None) -> None:
        try:
            self._write(checkpoint, best_val_loss)
        except BaseException as error:
            self._error = error
