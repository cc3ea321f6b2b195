"""`hornbook checkpoint consolidate RUN`: whole files of checkpoints that several processes wrote in shards."""

from __future__ import annotations

from hornbook.format import counted
from hornbook.tracking.run import Run


def consolidate(run: str) -> int:
    """Put a run's checkpoints that are in shards into whole files, each in its place.

    Every command reads checkpoints in shards as they are; whole files are for other programs. A whole model and
    its optimizer's state are in memory for it, one checkpoint at a time.

    Args:
        run: folder of the run, which nobody may be training.

    Examples:
        hornbook checkpoint consolidate runs/large
    """
    opened = Run.open(run)
    from hornbook.checkpoint.store import CheckpointStore

    opened.hold()
    try:
        store = CheckpointStore(opened.path / "checkpoints", keep_last=1 << 30)  # removes none
        done = [step for step in store.steps() if store.consolidate(step)]
    finally:
        opened.release()
    words = ", ".join(f"{step:,}" for step in done)
    print(
        f"{opened.path}: {counted(len(done), 'checkpoint')} put into whole files"
        + (f", of step {words}" if done else "")
    )
    return 0
