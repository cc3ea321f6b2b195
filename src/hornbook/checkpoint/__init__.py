"""Checkpoints without pickle: one file for any module and optimizer, and the checkpoint folders of a run.

- tensors.py: named tensors ↔ a safetensors file, written in a stream, read with every claim of the header checked;
- single.py: `save_checkpoint`, `load_checkpoint` (CS336 handout §5.2);
- store.py: a run's `checkpoints/step-…/`: atomic, checksummed, keep-last-k and best, damaged ones passed over;
- shards.py, sharded_store.py: the same of a training whose tensors are spread over processes;
- background.py: writing them while training goes on.

The formats: docs/formats/checkpoint.md.
"""

from hornbook.checkpoint.single import load_checkpoint, save_checkpoint

__all__ = ["load_checkpoint", "save_checkpoint"]
