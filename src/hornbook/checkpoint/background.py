"""Writing checkpoints while training goes on: training waits for a copy in memory, a thread does the rest.

At most one checkpoint is being written; the next one waits for it, so memory is bounded by one copy of the state. What
fails in the thread is raised at the next call, in the training's own thread. Left out: a pool, compression.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from hornbook.checkpoint.folder import Checkpoint, CheckpointStore

__all__ = ["Saver"]


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
        copy = Checkpoint(checkpoint.step, _copy(checkpoint.model), _copy(checkpoint.optimizer), checkpoint.state)
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


def _copy(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
