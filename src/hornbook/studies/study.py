"""What a study is: a question, a plan of arms × seeds at each scale, and a way to read the results.

Plain data and functions, so that the catalogue stays a list of small files. No torch here: planning, listing and
showing are instant. Running is `studies/runner.py`, the standard reading `studies/analysis.py`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from hornbook.config import merge
from hornbook.errors import ConfigError, FormatError, did_you_mean
from hornbook.fileio import atomic_write, canonical_json, read_json_object, sha256_bytes
from hornbook.studies.charts import Figure, Table
from hornbook.studies.verdict import FEWEST_UPDATES, Ending, ending_of
from hornbook.tracking.console import Console

Scale = Literal["tiny", "cpu", "gpu"]
SCALES: tuple[Scale, ...] = ("tiny", "cpu", "gpu")

Settings = dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arm:
    """One setting of a study; it is trained once per seed."""

    name: str
    """Short, unique in the study; the folder of its runs."""
    overrides: Mapping[str, Any] = dataclasses.field(hash=False)
    """Changes to the base recipe, `section.key` → value."""
    x: float | None = None
    """The quantity that the study varies, where it is a number."""
    group: str = ""
    """Arms of one group make one curve over `x`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a study runs at one scale. Without arms, the study only measures."""

    base: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The recipe that all arms share."""
    arms: tuple[Arm, ...] = ()
    seeds: tuple[int, ...] = (0, 1)
    baseline: str | None = None
    """The arm that the others are compared with."""
    metric: str = "val_loss"
    """The final value that is compared: `val_loss`, or `val_bits_per_byte` where tokenizers differ."""
    x_label: str = ""
    """What `Arm.x` is."""
    x_log: bool = True

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        assert len(set(names)) == len(names), f"arms share a name: {names}"
        assert self.baseline is None or self.baseline in names, f"{self.baseline} is not an arm"

    def recipe(self, arm: Arm, seed: int) -> Settings:
        return merge(merge(self.base, arm.overrides), {"training": {"seed": seed}})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What a user may change about a study without writing a new one."""

    seeds: int | None = None
    """Seeds per arm; None: the scale's own number."""
    text: Path | None = None
    """A text file to train on instead of storyworld."""
    web_text: Path | None = None
    """Documentation-like or web text for the studies that need a second corpus."""
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Changes to the base recipe, as sections of keys."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """One finished run of a study, read from its folder."""

    arm: str
    seed: int
    status: str
    """`done`, `diverged` or `failed`."""
    reason: str = ""
    path: Path
    values: Mapping[str, Any]
    """Final metrics: step, tokens, seconds, train_loss, val_loss, val_bits_per_byte, best_val_loss and more."""
    records: Sequence[Mapping[str, Any]] = ()
    """The records of `metrics.jsonl`."""

    @property
    def ending(self) -> Ending:
        """How it ended, in the words of `verdict.ending_of`."""
        return ending_of(self.status, self.values, self.records)

    @property
    def diverged(self) -> bool:
        """Without a number that could be compared: diverged or failed."""
        return self.ending in ("diverged", "failed")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Analysis:
    """What a study found: sentences that state only what was measured, figures and tables."""

    findings: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    """Rows of `results.csv` for studies that measure without training."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Results:
    """What the analysis of a study reads: the plan and how it went, and what was measured without training."""

    plan: Plan
    scale: Scale
    options: Options
    outcomes: Sequence[Outcome]
    """Every run, read from its folder."""
    folder: Path
    """The study folder."""
    console: Console
    commit: str
    """What stands for the code that measures."""

    @functools.cached_property
    def by_arm(self) -> dict[str, list[Outcome]]:
        """The outcomes of every arm, in the order of the plan, seeds ascending."""
        ordered = sorted(self.outcomes, key=lambda outcome: outcome.seed)
        return {arm.name: [o for o in ordered if o.arm == arm.name] for arm in self.plan.arms}

    @functools.cached_property
    def updates(self) -> int | None:
        """Fewest updates of a run that is done; None: there is none."""
        steps = [o.values["step"] for o in self.outcomes if o.status == "done" and "step" in o.values]
        return min(steps, default=None)

    @property
    def too_short(self) -> bool:
        """Whether nothing is judged, because a run made too few updates."""
        return self.updates is not None and self.updates < FEWEST_UPDATES

    def final(self, arm: str, metric: str | None = None) -> dict[int, float]:
        """Return seed → final value (of the plan's metric) of an arm's runs that neither failed nor diverged."""
        key = metric or self.plan.metric
        done = [o for o in self.by_arm[arm] if o.status == "done" and not o.diverged]
        return {o.seed: float(o.values[key]) for o in done if o.values.get(key) is not None}

    def measured(self, key: str, inputs: Any, measure: Callable[[], Any]) -> Any:
        """Return a JSON-ready measurement, from the study folder if the same inputs were measured there before."""
        path = self.folder / "measurements" / f"{key}.json"
        digest = sha256_bytes(canonical_json({"inputs": inputs, "commit": self.commit}).encode())
        with contextlib.suppress(FileNotFoundError, FormatError):  # cut short or changed by hand: measure again
            known = read_json_object(path)
            if known.get("digest") == digest:
                return known["value"]
        value = json.loads(json.dumps(measure()))
        atomic_write(path, canonical_json({"version": 1, "digest": digest, "value": value}))
        return value


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """A question with its design: an entry of the catalogue, or one of your own."""

    name: str
    question: str
    """One sentence that ends in a question mark."""
    design: str
    """How the question is answered: what varies, what is held fixed, what is compared with what."""
    cost: Mapping[str, str]
    """Scale → runs and time, in words."""
    plan: Callable[[Scale, Options], Plan]
    analyse: Callable[[Results], Analysis]


def check_scale(name: str) -> Scale:
    """Return `name` as a scale. Raises ConfigError naming the nearest one."""
    for scale in SCALES:
        if name == scale:
            return scale
    raise ConfigError(f"there is no scale {name!r}{did_you_mean(name, SCALES)}; choose one of {', '.join(SCALES)}")
