"""A run made from a Hugging Face folder: it is evaluated, sampled, trained on from and exported like any other.

It has one checkpoint, of step 0, the shape and tokenizer of the folder, and no data of its own. Left out: continuing
its training (`--resume`), as no optimizer came with it; `model.init_from` starts a new run from it.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from hornbook.checkpoint.store import Checkpoint, CheckpointStore
from hornbook.checkpoint.tensors import load_module
from hornbook.errors import CheckpointError
from hornbook.fileio import atomic_write, canonical_json, new_folder
from hornbook.interop.huggingface import llama_config, llama_tensors
from hornbook.interop.surroundings import KEPT, put_around, read_surroundings
from hornbook.models.transformer import TransformerLM
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.tracking.environment import describe_environment
from hornbook.tracking.run import Run
from hornbook.training.config import resolve
from hornbook.training.sections import RunSection


def import_run(folder: Path, section: RunSection, source: str) -> tuple[TransformerLM, str]:
    """Make a run of the model in a Hugging Face folder; return the model, and what is put around each text there.

    Args:
        folder: with config.json, weights and (mostly) tokenizer.json.
        section: the run's name and folder.
        source: what the run says it came from: the folder, or a name on the hub.

    Raises:
        CheckpointError: hornbook cannot compute the model, or its weights do not fit its configuration.
        FormatError: a file is damaged, or the tokenizer is one that byte-level BPE cannot express.
        FileExistsError: the run's folder is there already.
        OSError: a file cannot be read or written.
    """
    shape = llama_config(folder)
    tensors = llama_tensors(folder, shape)  # first: they are checked, and a model takes the room that a file claims
    model = TransformerLM(shape, device="meta").to_empty(device="cpu")
    load_module(model, tensors, folder)
    tokenizer = Tokenizer.load(folder) if (folder / "tokenizer.json").is_file() else None
    if tokenizer is not None and tokenizer.vocab_size > shape.vocab_size:
        raise CheckpointError(
            f"{folder}: its tokenizer has {tokenizer.vocab_size:,} entries, and its model only {shape.vocab_size:,}"
        )
    said = {} if tokenizer is None else read_surroundings(folder)
    around = put_around(said, folder / "tokenizer.json")
    note = f"from {source}"
    recipe = resolve({"model": dataclasses.asdict(shape), "run": {"name": section.name, "note": note}})
    with new_folder(section.path) as place:
        run = Run.create(place, recipe.to_dict(), describe_environment())
        try:
            if tokenizer is not None:
                tokenizer.save(place / "tokenizer")
                atomic_write(place / "tokenizer" / KEPT, canonical_json(said))
            _save(model, place / "checkpoints")
            run.set_status("done", f"imported from {source}")
        finally:
            run.release()
    return model, around


def _save(model: TransformerLM, place: Path) -> None:
    try:
        CheckpointStore(place).save(Checkpoint(0, model.state_dict(), {}, {}))
    except CheckpointError as error:
        if isinstance(error.__cause__, OSError):  # no training is here that could go on, as the store's sentence says
            raise error.__cause__ from None
        raise
