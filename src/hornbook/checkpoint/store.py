"""The checkpoints of a run: `checkpoints/step-00001000/`, whole and checked, or passed over.

A checkpoint is a new folder (fileio.py) whose manifest, with sizes and SHA-256, is written last. So a folder named
`step-…` is complete, whenever the process or the machine died; a manifest that does not match says that the disk
changed it later, and the next older one is taken. Older checkpoints are removed only after the newer one is in place.
The format: docs/formats/checkpoint.md. Of several processes: sharded_store.py. Left out: remote storage.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from torch import Tensor

from hornbook.checkpoint.shards import read_part
from hornbook.checkpoint.tensors import read_tensors, write_tensors
from hornbook.errors import CheckpointError, FormatError
from hornbook.fileio import (
    NotConfirmedError,
    atomic_write,
    canonical_json,
    make_folder,
    new_folder,
    read_json_object,
    sha256_file,
)

VERSION = 1
FILES = ("model.safetensors", "optimizer.safetensors", "state.json")
Warn = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Checkpoint:
    """What a run continues from."""

    step: int
    """Updates done."""
    model: Mapping[str, Tensor]
    """Weights by state-dict name."""
    optimizer: Mapping[str, Tensor]
    """Optimizer state by `{i}.{key}`."""
    state: Mapping[str, Any]
    """Everything else, as plain values: data position, random states, guard, optimizer groups."""


class CheckpointStore:
    """The folder `checkpoints/` of one run.

    Args:
        folder: made on the first save.
        keep_last: how many of the newest stay; the best one stays besides.
        warn: takes one sentence about each damaged checkpoint that is passed over.
    """

    def __init__(self, folder: str | Path, keep_last: int = 2, warn: Warn = lambda sentence: None):
        self.folder = Path(folder)
        self.keep_last = keep_last
        self.warn = warn

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint folder, sound or not, in ascending order."""
        if not self.folder.is_dir():
            return []
        matches = (re.fullmatch(r"step-(\d{8,18})", path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def path(self, step: int) -> Path:
        """Return the folder of a step's checkpoint, whether it exists or not."""
        return self.folder / f"step-{step:08d}"

    def best_step(self) -> int | None:
        """Return the step with the lowest validation loss, or None where none is recorded."""
        record = self._best_record()
        return record.get("step") if isinstance(record.get("step"), int) else None

    def save(self, checkpoint: Checkpoint, best_val_loss: float | None = None) -> Path:
        """Write a checkpoint, note it as the best one if `best_val_loss` is given, and remove those no longer kept.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written; the sentence says whether the new
                checkpoint is there. All earlier ones that are to be kept are untouched.
        """
        target = self.path(checkpoint.step)
        try:
            make_folder(self.folder)
            self._write(checkpoint, target)
        except NotConfirmedError as error:
            raise CheckpointError(f"{target}: {error.strerror}, then continue with --resume") from error
        except OSError as error:
            kept = ", ".join(str(step) for step in self.steps()) or "none"
            raise CheckpointError(
                f"the checkpoint of step {checkpoint.step} could not be written to {self.folder} "
                f"({error.strerror or error}); earlier checkpoints are untouched (steps: {kept}): free some space, "
                "then continue with --resume"
            ) from error
        failed = "noting it as the best one"
        try:
            if best_val_loss is not None:
                record = {"version": VERSION, "step": checkpoint.step, "val_loss": best_val_loss}
                atomic_write(self.folder / "best.json", canonical_json(record))
            failed = "removing older ones"
            self.prune()
        except OSError as error:
            raise CheckpointError(
                f"the checkpoint of step {checkpoint.step} is whole in {target}, but {failed} failed "
                f"({error.strerror or error}); see to the disk, then continue with --resume"
            ) from error
        return target

    def load(self, which: str | int = "last") -> Checkpoint:
        """Read and verify a checkpoint.

        Args:
            which: "last", "best" (the last where no best is recorded), or a step. For "last" and "best" damaged ones
                are passed over, with a warning, in favour of the newest sound one.

        Raises:
            CheckpointError: there is none, or none that is sound.
        """
        steps = self.steps()
        if not steps:
            raise CheckpointError(f"there is no checkpoint in {self.folder}; was the run stopped before its first one?")
        if isinstance(which, int):
            if which not in steps:
                raise CheckpointError(f"there is no checkpoint of step {which} in {self.folder}; it has {steps}")
            return self._read(which)
        if which not in ("last", "best"):
            raise CheckpointError(f"checkpoint = {which!r} is not understood; use 'best', 'last' or a step")
        order = steps[::-1]
        best = self.best_step() if which == "best" else None
        if best in steps:
            order = [best, *[step for step in order if step != best]]
        return self._first_sound(order, self._read)

    def newest_sound(self) -> int | None:
        """Return the step of the newest checkpoint whose files are whole, or None where there is none at all.

        Raises:
            CheckpointError: all are damaged.
        """
        steps = self.steps()[::-1]
        return int(self._first_sound(steps, self._check)["step"]) if steps else None

    def consolidate(self, step: int) -> bool:
        """Put a checkpoint in shards into whole files, in its place; return False where it is whole already.

        Raises:
            CheckpointError: it is damaged.
            OSError: the disk is full; the checkpoint is then as it was.
        """
        if not (self.path(step) / "model").is_dir():
            return False
        self._write(self._read(step), self.path(step))
        self.prune()
        return True

    def _first_sound(self, order: list[int], read: Callable[[int], Result]) -> Result:
        for step in order:
            try:
                return read(step)
            except (CheckpointError, FormatError, OSError) as error:
                self.warn(f"passing over the checkpoint of step {step}: {error}")
        raise CheckpointError(f"no sound checkpoint is left in {self.folder}; steps {sorted(order)} are all damaged")

    def prune(self) -> None:
        """Remove all but the `keep_last` newest checkpoints and the best one, and what killed processes left behind."""
        steps = self.steps()
        keep = {*steps[-self.keep_last :], self.best_step()}
        for step in steps:
            if step not in keep:
                self._remove(self.path(step))
        for path in self.folder.glob(".*"):
            self._remove(path)

    def _write(self, checkpoint: Checkpoint, target: Path) -> None:
        said = {"version": VERSION, "step": checkpoint.step}
        # What stands there is damaged and was passed over; other sound ones are older and stay.
        with new_folder(target, aside=_hidden(target)) as temporary:
            entries = self._write_tensors(checkpoint, temporary)
            state = canonical_json(said | dict(checkpoint.state)).encode()
            entries[FILES[2]] = _write_hashed(temporary / FILES[2], lambda file: file.write(state))
            (temporary / "MANIFEST.json").write_text(canonical_json(said | {"files": entries}), encoding="utf-8")

    def _write_tensors(self, checkpoint: Checkpoint, folder: Path) -> dict[str, Any]:
        """Write the model and the optimizer; return what the manifest says of their files."""
        contents = zip(FILES, (checkpoint.model, checkpoint.optimizer), strict=False)
        return {
            name: _write_hashed(folder / name, lambda file, tensors=tensors: write_tensors(file, tensors))
            for name, tensors in contents
        }

    def _read(self, step: int) -> Checkpoint:
        path = self.path(step)
        state = self._check(step)
        return Checkpoint(step, self._read_tensors(path, "model"), self._read_tensors(path, "optimizer"), state)

    def _check(self, step: int) -> dict[str, Any]:
        """Return the state of a checkpoint whose files are all what the manifest says."""
        path = self.path(step)
        verify(path, step)
        state = read_json_object(path / FILES[2])
        if state.get("step") != step or state.get("version") != VERSION:
            raise CheckpointError(f"{path / FILES[2]} is of another step or version than its folder says")
        return state

    def _read_tensors(self, path: Path, part: str) -> Mapping[str, Tensor]:
        if (path / part).is_dir():
            return read_part(path, part, {})
        return read_tensors(path / f"{part}.safetensors")[0]

    def _remove(self, path: Path) -> None:
        """Remove a folder; a `step-…` is renamed first, so that it is never found half-removed."""
        if not path.name.startswith("."):
            path = path.rename(_hidden(path))
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def _best_record(self) -> dict[str, Any]:
        try:
            return read_json_object(self.folder / "best.json")
        except FileNotFoundError:
            return {}
        except FormatError as error:
            self.warn(str(error))
            return {}


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")


def verify(path: Path, step: int) -> None:
    """Check every file of a checkpoint folder against its manifest.

    Raises:
        CheckpointError: a file is missing, of another size, or of another content.
        FormatError: the manifest itself is damaged.
    """
    try:
        manifest = read_json_object(path / "MANIFEST.json")
    except FileNotFoundError:
        raise CheckpointError(f"{path} has no MANIFEST.json") from None
    entries = manifest.get("files")
    if (version := manifest.get("version")) != VERSION:
        raise CheckpointError(
            f"{path}/MANIFEST.json has version {version!r:.20}, and this hornbook reads {VERSION}: "
            "a newer one may read it"
        )
    if manifest.get("step") != step or not isinstance(entries, dict):
        raise CheckpointError(f"{path}/MANIFEST.json is of another step, or lists no files")
    parts = {re.sub(r"^(model|optimizer)/shard-[\w.-]+\.safetensors$", r"\1.safetensors", name) for name in entries}
    if parts != set(FILES):
        raise CheckpointError(f"{path}/MANIFEST.json lists {sorted(map(str, entries))}, wanted {sorted(FILES)}")
    for name in entries:
        entry = entries[name] if isinstance(entries[name], dict) else {}
        try:
            size = (path / name).stat().st_size
        except FileNotFoundError:
            raise CheckpointError(f"{path / name} is missing") from None
        if size != entry.get("bytes"):
            raise CheckpointError(f"{path / name} has {size} bytes, its manifest says {entry.get('bytes')}")
        if sha256_file(path / name) != entry.get("sha256"):
            raise CheckpointError(f"{path / name} does not have the content that its manifest says (SHA-256 differs)")


def _write_hashed(path: Path, write: Callable[[Any], object]) -> dict[str, Any]:
    """Write a new file; return its size and SHA-256."""
    with open(path, "xb") as stream:  # noqa: PTH123
        file = _HashingFile(stream)
        write(file)
    return {"bytes": file.size, "sha256": file.hash.hexdigest()}


class _HashingFile:
    """Counts and hashes what is written to a file."""

    def __init__(self, file: BinaryIO):
        self.hash = hashlib.sha256()
        self.size = 0
        self._file = file

    def write(self, content: Any) -> int:
        written = self._file.write(content)
        self.hash.update(content)
        self.size += len(content)
        return written
