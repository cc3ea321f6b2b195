"""A run: one training in one folder (docs/formats/run.md), and the list of all of them.

`Run` reads and writes the folder's own files: `config.toml`, `environment.json`, `status.json`, `metrics.jsonl`,
`log.txt`, `DONE`. Reports and studies read runs only through it. Whether a run is alive is asked of the operating
system: the trainer holds a lock that dies with its process, so a run killed with SIGKILL shows as "stopped".
No torch here. Left out: checkpoints (hornbook.checkpoint) and what is in them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.config import dump_toml, read
from hornbook.errors import ConfigError, FormatError, HornbookError
from hornbook.fileio import atomic_write, canonical_json, make_folder, read_json_object
from hornbook.locks import FolderLock, is_held
from hornbook.tracking.records import check_records, read_records

CONFIG_FILE = "config.toml"
SUMMARY_FILE = "summary.json"
"""Facts that a run, a study, the demo or an evaluation notes about it, such as `entropy_floor_bits_per_byte`."""
NUMBER = (int, float)
METRICS = {"step": (int,)} | dict.fromkeys(
    (
        "train_loss", "val_loss", "val_sample_loss", "val_bits_per_byte", "val_perplexity", "lr", "grad_norm", "tokens",
        "tokens_per_second", "seconds", "mfu", "memory_bytes", "val_tokens",
    ),
    NUMBER,
)  # fmt: skip
SAMPLES = {"step": (int,), "prompt": (str,), "text": (str,)}
STATUSES = ("running", "done", "stopped", "diverged", "failed")


class Run:
    """A run folder. `Run.create` makes one, `Run.open` reads one.

    Attributes:
        path: the folder.
        config: the resolved recipe, as sections of plain values.
        environment: versions, device and commit that it ran with.
    """

    def __init__(self, path: Path, config: dict[str, Any], environment: dict[str, Any]):
        self.path = path
        self.config = config
        self.environment = environment
        self._lock = FolderLock(path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, status={self.status!r})"

    @classmethod
    def create(cls, path: str | Path, config: Mapping[str, Any], environment: Mapping[str, Any]) -> Run:
        """Make the folder of a new run and hold it.

        Raises:
            HornbookError: the folder already holds a run, or another process trains in it.
            OSError: it cannot be written.
        """
        path = Path(path)
        make_folder(path)
        run = cls(path, dict(config), dict(environment))
        run.hold()
        if (path / CONFIG_FILE).exists():
            run.release()
            raise HornbookError(
                f"{path} already holds a run; continue it with --resume, or give this one another --run.name"
            )
        atomic_write(path / "environment.json", canonical_json(run.environment))
        run.set_status("running")
        atomic_write(path / CONFIG_FILE, dump_toml(run.config))
        return run

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Read a run folder.

        Raises:
            HornbookError: there is no run in it.
            FormatError: one of its files is damaged.
        """
        path = Path(path)
        if not (path / CONFIG_FILE).is_file():
            known = [run_path.name for run_path in folders_of_runs(path.parent)] if path.parent.is_dir() else []
            hint = (
                f"; {path.parent} has {', '.join(known[:8])}" if known else "; `hornbook runs` lists the runs there are"
            )
            raise HornbookError(f"there is no run in {path}{hint}")
        config = read(path / CONFIG_FILE)
        environment = read_json_object(path / "environment.json", missing_ok=True)
        _check_config(config, path / CONFIG_FILE)
        check_records([environment], {"time": NUMBER}, path / "environment.json")
        return cls(path, config, environment)

    @property
    def name(self) -> str:
        return self.path.name if self.path.name not in ("", ".") else self.path.resolve().name

    @property
    def tags(self) -> list[str]:
        return list(self.config.get("run", {}).get("tags", []))

    @property
    def note(self) -> str:
        return str(self.config.get("run", {}).get("note", ""))

    @property
    def status(self) -> str:
        """One of "running", "done", "stopped", "diverged", "failed"."""
        status = str(self.status_record().get("status", "stopped"))
        if status == "running" and not self._lock.held and not is_held(self.path):
            return "stopped"
        return status if status in STATUSES else "failed"

    def status_record(self) -> dict[str, Any]:
        """Return `status.json`: the status, since when, and the reason; empty where there is none."""
        path = self.path / "status.json"
        return check_records(
            [read_json_object(path, missing_ok=True)], {"status": (str,), "reason": (str,), "time": NUMBER}, path
        )[0]

    def metrics(self) -> list[dict[str, Any]]:
        """Return the records of `metrics.jsonl`, one per logged step; empty where nothing was logged yet."""
        path = self.path / "metrics.jsonl"
        return check_records(read_records(path), METRICS, path) if path.exists() else []

    def samples(self) -> list[dict[str, Any]]:
        """Return the records of `samples.jsonl`: step, prompt and text."""
        path = self.path / "samples.jsonl"
        return check_records(read_records(path), SAMPLES, path) if path.exists() else []

    def summary(self) -> dict[str, Any]:
        """Return the last value of every metric, with `best_val_loss` and the step it was reached at."""
        last: dict[str, Any] = {}
        records = self.metrics()
        for record in records:
            last.update(record)
        best = best_record(records)
        if best is not None:
            last["best_val_loss"], last["best_step"] = best["val_loss"], best["step"]
        return last

    @property
    def validation_digest(self) -> str | None:
        """What stands for the text that it is validated on; None for a run of an earlier version."""
        path = self.path / "data.json"
        record = check_records([read_json_object(path, missing_ok=True)], {"validation_digest": (str,)}, path)[0]
        return record.get("validation_digest")

    def annotate(self, note: str | None = None, tags: Sequence[str] | None = None) -> None:
        """Write another note or other tags into the recipe, also while a process trains in the folder; None: as it was.

        Raises:
            ConfigError: a tag that is not one word, or text that no file can hold.
            HornbookError: the run is gone, or damaged. OSError: it cannot be written.
        """
        for tag in tags or ():
            if not tag or tag.split() != [tag]:
                raise ConfigError(f"a tag is one word without spaces, and {tag!r} is none")
        try:
            "".join([note or "", *(tags or ())]).encode()
        except UnicodeEncodeError:
            raise ConfigError("a note or tag holds half a character (a lone surrogate); write it in UTF-8") from None
        self.config = Run.open(self.path).config  # a resume may have written it since
        section = self.config.setdefault("run", {})
        if note is not None:
            section["note"] = note
        if tags is not None:
            section["tags"] = list(dict.fromkeys(tags))
        atomic_write(self.path / CONFIG_FILE, dump_toml(self.config))

    def set_status(self, status: str, reason: str = "") -> None:
        """Record how the run stands; "done" also writes `DONE` with the summary, anything else removes it."""
        assert status in STATUSES
        record = {"version": 1, "status": status, "reason": reason, "pid": os.getpid(), "time": time.time()}
        if status == "done":
            atomic_write(self.path / "DONE", canonical_json(self.summary()))
        else:
            (self.path / "DONE").unlink(missing_ok=True)
        atomic_write(self.path / "status.json", canonical_json(record))

    def hold(self) -> None:
        """Take the folder for this process until `release` or its end.

        Raises:
            HornbookError: another process trains in it.
        """
        if not self._lock.take():
            raise HornbookError(f"another process is training in {self.path}; wait for it, or use another --run.name")

    def release(self) -> None:
        """End `hold`: another process may train in the folder."""
        self._lock.release()


def best_record(records: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the record of the lowest validation loss, the first of equals, or None.

    An evaluation that measured more than the others compares by the part that all of them measured.
    """

    def loss(record: dict[str, Any]) -> float:
        return record["val_loss"] if record.get("val_sample_loss") is None else record["val_sample_loss"]

    return min((record for record in records if record.get("val_loss") is not None), key=loss, default=None)


def validation_note(digests: Mapping[str, str | None]) -> str:
    """Return a sentence where runs, given as name → `Run.validation_digest`, were validated on different texts; ""
    where none is known to."""
    groups: dict[str, list[str]] = {}
    for name, digest in digests.items():
        if digest:
            groups.setdefault(digest, []).append(name)
    if len(groups) < 2:
        return ""
    shown = [f"{', '.join(names[:3])}{f' and {len(names) - 3} more' * (len(names) > 3)}" for names in groups.values()]
    more = f" | … {len(groups) - 4} more" if len(groups) > 4 else ""
    return (
        f"the validation losses are of {len(groups)} different texts, and only those of one text compare: "
        + " | ".join(shown[:4])
        + more
    )


def find_runs(
    roots: Iterable[str | Path] = ("runs",), warn: Callable[[str], None] = lambda sentence: None
) -> list[Run]:
    """Return every run below the given folders, oldest first; `warn` takes a sentence about each that is damaged."""
    found = []
    for root in roots:
        for folder in folders_of_runs(Path(root)):
            try:
                found.append(Run.open(folder))
            except (HornbookError, OSError) as error:
                warn(f"passing over {folder}: {error}")
    return sorted(found, key=lambda run: (run.environment.get("time") or 0, run.name))


def _check_config(config: Mapping[str, Any], path: Path) -> None:
    for name, section in config.items():
        if not isinstance(section, Mapping):
            raise FormatError(f"{path}: {name} is no section; the file was changed by hand or damaged")
    run = config.get("run", {})
    tags = run.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise FormatError(f"{path}: run.tags is {tags!r}, wanted a list of words")
    if not isinstance(run.get("note", ""), str):
        raise FormatError(f"{path}: run.note is {run['note']!r}, wanted text")


def folders_of_runs(root: Path) -> list[Path]:
    """Return every run folder below `root`, in order of their paths."""
    return sorted(path.parent for path in root.rglob(CONFIG_FILE) if (path.parent / "environment.json").is_file())
