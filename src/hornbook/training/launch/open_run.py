"""The folder of a run that is about to train: made for a new run, or opened again with the recipe that is stored.

A new run stores its recipe with everything resolved; a resumed one takes what is stored, so that the same choices are
made again. What may differ on resume is what changes nothing that is computed (tags, checkpoints kept, sinks), and,
with a warning, where and how it is computed. It may be given more steps or time (longer.py).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.checkpoint.store import CheckpointStore
from hornbook.config import dump_toml
from hornbook.data.corpora.registry import find_corpus
from hornbook.data.prepare import Dataset, open_earlier, prepare, settle
from hornbook.data.sampler import BatchSampler
from hornbook.data.text_files import is_glob, settled
from hornbook.data.token_data import TokenData
from hornbook.earlier import is_unsaid
from hornbook.encodings import read_whole
from hornbook.errors import ConfigError, FormatError, HornbookError
from hornbook.fileio import atomic_write, canonical_json, read_json_object
from hornbook.tokenizer.formats.own import TRAINING_FILE
from hornbook.tracking.console import Console
from hornbook.tracking.environment import describe_environment
from hornbook.tracking.run import Run
from hornbook.training.config import TrainConfig, check_decay, resolve, resolve_stored
from hornbook.training.launch.device import resolve_auto
from hornbook.training.launch.longer import KEYS, check_longer
from hornbook.training.load import read_tokenizer

# A resumed run may change these without a word …
FREE = ("run", "checkpoint", "logging", "data.verify", "evaluation.sample_every", "evaluation.sample_tokens")
# … and these with one: the run goes on, but not with the same bits.
MACHINE = (
    "training.device",
    "training.dtype",
    "training.compile",
    "training.fused",
    "training.threads",
    "training.deterministic",
    "training.distributed",
)


PATHS = (
    "data.text",
    "data.validation_text",
    "data.tokens",
    "data.validation_tokens",
    "tokenizer.path",
    "model.init_from",
)


@dataclass(frozen=True)
class OpenRun:
    """A run whose folder this process holds."""

    run: Run
    config: TrainConfig
    """Its recipe, every "auto" resolved."""
    dataset: Dataset
    """Its data."""
    stored: TrainConfig | None = None
    """The recipe that a run which goes on had until now."""


def open_run(recipe: TrainConfig, *, resume: bool, console: Console) -> OpenRun:
    """Make the folder of a recipe's run, or (`resume`) open the one that is there.

    Raises:
        HornbookError: the folder holds a run and `resume` is False; the recipe differs from the stored one; the data
            cannot be used.
        OSError: the folder cannot be written.
    """
    path = recipe.run.path
    exists = (path / "config.toml").exists()
    if exists and not resume and _never_trained(path):
        (path / "config.toml").unlink()
        exists = False
    if exists and not resume:
        raise HornbookError(
            f"{path} already holds a run; continue it with --resume (resume=True in Python), or give this one "
            "another --run.name"
        )
    if resume and not exists:
        console.print(f"there is no run in {path} to resume: it starts at step 0")
    return _reopen(recipe, console) if exists else _create(recipe, console)


def _never_trained(path: Path) -> bool:
    """Return whether the run in a folder failed before it had anything to lose: it may be started over."""
    try:
        return Run.open(path).status == "failed" and not CheckpointStore(path / "checkpoints").steps()
    except HornbookError:
        return False


def _create(recipe: TrainConfig, console: Console) -> OpenRun:
    check_decay(recipe.optimizer)
    recipe = _settled(recipe)
    dataset = prepare(recipe.data, recipe.tokenizer, console)
    aligned = recipe.data.order == "documents"
    if (recipe.data.document_mask or aligned) and dataset.separator_id is None:
        key = 'data.order = "documents"' if aligned else "data.document_mask"
        raise ConfigError(
            f"{key} needs the token between documents, and the data has no tokenizer with a special token; "
            "give tokenizer.special_tokens or --tokenizer.path, or leave it out"
        )
    config = resolve_auto(recipe.with_vocab_size(dataset.vocab_size))
    # An error of the data comes before there is a folder.
    weights = [source.weight for source in config.data.mixture]
    BatchSampler(TokenData.open(dataset.train), 1, config.model.context_length, 0, weights=weights)
    run = Run.create(config.run.path, config.to_dict(), describe_environment())
    _keep_tokenizer(run, dataset)
    _write_data_record(run, dataset, config.data.corpus)
    return OpenRun(run, config, dataset)


def _reopen(recipe: TrainConfig, console: Console) -> OpenRun:
    run = Run.open(recipe.run.path)
    run.hold()
    try:
        stored = resolve_stored(run.config)
        config = _reconcile(stored, recipe, console)
        check_longer(stored, config, max(CheckpointStore(run.path / "checkpoints").steps(), default=0))
        dataset = _data_of(run, config, console)
        if read_tokenizer(run.path) is None:
            _keep_tokenizer(run, dataset)  # killed between the recipe and the tokenizer
        run.config = config.to_dict()
        atomic_write(run.path / "config.toml", dump_toml(run.config))
        run.set_status("running")
    except BaseException:
        run.release()
        raise
    return OpenRun(run, config, dataset, stored)


def _keep_tokenizer(run: Run, dataset: Dataset) -> None:
    """Write the tokenizer into the run's folder, and what its training took where the preparation noted it."""
    if dataset.tokenizer is None:
        return
    dataset.tokenizer.save(run.path / "tokenizer")
    took = dataset.train[0].parent / "tokenizer" / TRAINING_FILE
    if took.is_file():
        atomic_write(run.path / "tokenizer" / TRAINING_FILE, read_whole(took, FormatError))


def _data_of(run: Run, config: TrainConfig, console: Console) -> Dataset:
    """Return the data of a run that goes on: prepared again, or as it was where its text is gone and that is whole."""
    sources = (*config.data.texts, *config.data.validation_text)
    gone = [source for source in sources if not is_glob(source) and not Path(source).exists()]
    record = read_json_object(run.path / "data.json", missing_ok=True)
    if gone and record.get("train"):
        folder = Path(record["train"][0]).parent
        earlier = open_earlier(config.data, config.tokenizer, folder, str(record.get("digest")))
        if earlier is not None:
            console.print(f"{gone[0]} is gone; its token files in {folder} are whole, and the run goes on with them")
            return earlier
    return prepare(config.data, config.tokenizer, console)


def _settled(recipe: TrainConfig) -> TrainConfig:
    """Return the recipe as it is stored: resumed from any folder it finds the same files."""
    tokenizer = dataclasses.replace(recipe.tokenizer, path=_absolute(recipe.tokenizer.path))
    start = _absolute(recipe.init_from)
    return dataclasses.replace(recipe, data=settle(recipe.data), tokenizer=tokenizer, init_from=start)


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).absolute())


def _is_same(key: str, value: Any, stored: Any) -> bool:
    """Return whether a recipe says what the stored one does; earlier versions stored paths as they were given."""
    if key == "data.mixture" and stored and len(value) == len(stored):
        pairs = [(f"data.{name}", new[name], old[name]) for new, old in zip(value, stored, strict=True) for name in new]
        return all(_is_same(*pair) for pair in pairs)
    if key in PATHS and value is not None and stored is not None:
        given, kept = (names if isinstance(names, list) else [names] for names in (value, stored))
        return settled(given, missing_ok=True) == settled(kept, missing_ok=True)
    return value == stored


def _reconcile(stored: TrainConfig, recipe: TrainConfig, console: Console) -> TrainConfig:
    """Return the stored recipe with the changes that a resumed run may make. Raises HornbookError on others."""
    sections = stored.to_dict()
    for section, keys in recipe.to_dict().items():
        for name, value in keys.items():
            key, old = f"{section}.{name}", sections[section].get(name)
            default = getattr(type(getattr(recipe, section)), name, None)
            if value == "auto" or key == "model.vocab_size" or is_unsaid(key, value, default):
                continue
            if _is_same(key, value, old):
                continue
            if section not in FREE and key not in FREE + KEYS:
                if key not in MACHINE:
                    raise HornbookError(
                        f"the run was made with {key} = {old!r}, the recipe now says {value!r}; continue without the "
                        "change, or start a new run (--run.name, and --model.init-from to begin with these weights)"
                    )
                console.print(
                    f"continuing with {key} = {value} (it was {old}): not bit for bit what it would have been"
                )
            sections[section][name] = value
    return resolve_auto(resolve(sections))


def _write_data_record(run: Run, dataset: Dataset, corpus: str | None) -> None:
    """Keep where the token files lie, so that `hornbook eval` finds the validation set again."""
    record: dict[str, Any] = {
        "version": 1,
        "digest": dataset.digest,
        "validation_digest": dataset.validation_digest,
        "train": [str(path.resolve()) for path in dataset.train],
        "validation": [str(path.resolve()) for path in dataset.validation],
        "validation_text": None if dataset.validation_text is None else str(dataset.validation_text.resolve()),
    }
    if corpus is not None:
        record[corpus] = find_corpus(corpus).version  # an evaluation may know the text of its own version only
    atomic_write(run.path / "data.json", canonical_json(record))
