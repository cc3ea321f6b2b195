"""When a run's state goes to disk and how it comes back: saves, rewinds after a divergence, the loss of a worker."""

from __future__ import annotations

import contextlib

from hornbook.checkpoint.background import Saver
from hornbook.checkpoint.store import CheckpointStore
from hornbook.training.distributed.world import WorkerLostError
from hornbook.training.divergence import Divergence
from hornbook.training.trainer import Trainer


class Checkpointer:
    """Saves and restores a trainer.

    Args:
        trainer: of the run; where there are several processes, each has one.
        store: the run's checkpoints.
        background: write in a thread from a copy in memory.
    """

    def __init__(self, trainer: Trainer, store: CheckpointStore, background: bool):
        self.trainer = trainer
        self.saver = Saver(store, background)

    @property
    def last_saved(self) -> int | None:
        """Step of the last checkpoint, written or being written."""
        return self.saver.last_saved

    def start(self) -> bool:
        """Put back the last sound checkpoint, or start at step 0 where there is none; return whether there was one.

        Raises:
            CheckpointError: there are checkpoints and none of them is sound, or it is of another run.
        """
        store, world = self.saver.store, self.trainer.world
        if world.size == 1:
            found = store.load() if store.steps() else None
        else:
            sound = store.newest_sound() if world.is_main else None
            (step,) = world.agree(-1 if sound is None else sound)
            found = store.load(int(step)) if step >= 0 else None
        if found is None:
            self.trainer.initialise()
            return False
        self.trainer.restore(found)
        self.saver.last_saved = found.step
        return True

    def save(self) -> None:
        """Write a checkpoint of this moment. Raises CheckpointError if it, or the one before, cannot be written."""
        counters, clock = self.trainer.counters, self.trainer.clock
        with clock.aside("checkpoint"):
            if self.saver.last_saved != counters.step:
                best = counters.best_val_loss if counters.best_step == counters.step else None
                self._write(best)
        # At the end the whole of it is waited for, not only the copy.
        clock.closing["checkpoint"] = max(self.saver.seconds, clock.closing["checkpoint"])

    def _write(self, best: float | None) -> None:
        """Have the main process write, and where weights are sharded all of them."""
        trainer = self.trainer
        if trainer.world.is_main or trainer.strategy.sharded:
            self.saver.save(trainer.to_checkpoint(), best)
        self.saver.last_saved = trainer.counters.step

    def rewind(self, divergence: Divergence) -> int:
        """Go back to the last checkpoint (or the start) and leave the offending batch out; return the step."""
        trainer = self.trainer
        skipped = [*trainer.counters.skipped, trainer.state.batch_of_step[divergence.step]]
        rewinds, seconds = trainer.counters.rewinds + 1, trainer.clock.seconds
        self.saver.wait()
        self.start()
        trainer.counters.skipped, trainer.counters.rewinds = skipped, rewinds
        trainer.clock.start(seconds)
        return trainer.counters.step

    def save_after_worker_loss(self) -> str:
        """Save what there is when a process of the group is gone; return in words what became of the run."""
        if not self.trainer.world.is_main:
            return "the run is the main process's"
        if self.trainer.strategy.sharded:
            with contextlib.suppress(WorkerLostError):  # it was in the middle of a checkpoint
                self.saver.wait()
            steps = self.saver.store.steps()
            stands = f"the run stands at its checkpoint of step {steps[-1]:,}" if steps else "no checkpoint was written"
            return f"the weights that it held are gone with it, {stands}"
        self.save()
        return f"the run is saved at its last whole update, step {self.trainer.counters.step:,}"
