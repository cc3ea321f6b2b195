"""Checkpoints of processes that write together, all their rows, the main one state and manifest besides; and those of
another run, of which each reads its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from torch import Tensor
from torch import distributed as dist

from hornbook.checkpoint.shards import PARTS, read_part, write_part
from hornbook.checkpoint.store import Checkpoint, CheckpointStore, Warn


class ShardedStore(CheckpointStore):
    """The folder `checkpoints/` of one run; each process has one, and calls it alike.

    Args:
        folder: made on the first save.
        keep_last: how many of the newest stay.
        warn: takes sentences about damaged checkpoints.
        group: the processes, for exchanges beside those of the training.
        like: the sharded parameters by name, and by number for the optimizer's state.
        exchanges: the context of exchanges, which says in words what the loss of a process means.
    """

    def __init__(
        self,
        folder: Path,
        keep_last: int,
        warn: Warn,
        group: Any,
        like: Mapping[str, Tensor],
        exchanges: Callable[[], AbstractContextManager[None]] = nullcontext,
    ):
        super().__init__(folder, keep_last, warn)
        self._group, self._like, self._exchanges = group, like, exchanges

    def save(self, checkpoint: Checkpoint, best_val_loss: float | None = None) -> Path:
        """Write a checkpoint together, the main process as `CheckpointStore.save`; a collective."""
        if dist.get_rank() == 0:
            return super().save(checkpoint, best_val_loss)
        self._write_tensors(checkpoint, Path())
        return self.path(checkpoint.step)

    def _write_tensors(self, checkpoint: Checkpoint, folder: Path) -> dict[str, Any]:
        told, own = [str(folder)], {}
        entries: list[Any] = [None] * dist.get_world_size()
        with self._exchanges():
            dist.broadcast_object_list(told, 0, group=self._group)
            for part, tensors in zip(PARTS, (checkpoint.model, checkpoint.optimizer), strict=True):
                own |= write_part(Path(told[0]), part, tensors, self._group)
            dist.all_gather_object(entries, own, group=self._group)
        return {name: entry for each in entries for name, entry in each.items()}

    def _read_tensors(self, path: Path, part: str) -> dict[str, Tensor]:
        return read_part(path, part, self._like)


class OwnRows(CheckpointStore):
    """The weights of another run, without its optimizer, to be read by processes that hold rows of them.

    Args:
        folder: `checkpoints/` of that run.
        warn: takes sentences about damaged checkpoints.
        like: the parameters; of the sharded ones, this process's rows are read.
    """

    def __init__(self, folder: Path, warn: Warn, like: Mapping[str, Tensor]):
        super().__init__(folder, warn=warn)
        self._like = like

    def _read_tensors(self, path: Path, part: str) -> dict[str, Tensor]:
        return read_part(path, part, self._like) if part == PARTS[0] else {}
