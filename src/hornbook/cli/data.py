"""`hornbook data list | get | storyworld | prepare`: corpora by name, files from the web, stories, token files."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from hornbook.cli.common import parse, parse_known
from hornbook.errors import ConfigError, did_you_mean
from hornbook.format import quantity

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
USAGE = """usage: hornbook data list | get | storyworld | prepare

  list        the corpora that have a name, and which of their files are here
  get         fetch one of them, or any file by its address: hornbook data get tinystories
  storyworld  print stories (--show 3), explain their choices (--explain), or write a corpus (--bytes 1GB --out FILE)
  prepare     tokenizer and token files of a recipe, ahead of its training: hornbook data prepare RECIPE.toml"""


@dataclass(frozen=True)
class GetArguments:
    """Fetch a corpus from the web; a download that was cut off goes on where it stopped."""

    name: Annotated[str, tyro.conf.Positional]
    """A name that `hornbook data list` shows, or the address of a file (https://…)."""
    out: str = "data"
    """The folder to put the files into; the recipes look for them in data/."""
    sha256: str | None = None
    """What the file must have, for a file by its address."""


@dataclass(frozen=True)
class StoryworldArguments:
    """Print stories, or write a corpus of them to a file."""

    show: int = 3
    """How many stories to print."""
    seed: int = 1
    """The corpus' seed."""
    level: Literal["easy", "normal", "rich"] = "normal"
    """Vocabulary, depth and length."""
    explain: bool = False
    """Show each choice and its probability beside the text."""
    bytes: str | None = None
    """Write a corpus of at least this size: 500000, 20MB, 1GB."""
    out: str | None = None
    """The file to write it to."""


@dataclass(frozen=True)
class PrepareArguments:
    """Make the tokenizer and the token files of a recipe."""

    recipe: Annotated[str, tyro.conf.Positional]
    """The recipe; overrides such as --tokenizer.vocab-size 4000 may follow."""


def main(argv: list[str]) -> int:
    """Run the verb; returns the exit code."""
    known = {"list": _list, "get": _get, "storyworld": _storyworld, "prepare": _prepare}
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if argv else 2
    if argv[0] not in known:
        raise ConfigError(
            f"`hornbook data` has no {argv[0]!r}{did_you_mean(argv[0], known)}; it has {', '.join(known)}"
        )
    return known[argv[0]](argv[1:])


def size_in_bytes(text: str) -> int:
    """Return the bytes that a size such as `20MB`, `1.5GiB` or `300000` means.

    Raises:
        ConfigError: it is no size.
    """
    number = text.strip().upper().rstrip("BKMGI")
    unit = text.strip().upper()[len(number) :].strip() or "B"
    try:
        size = int(float(number) * UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        raise ConfigError(f"--bytes {text!r} is no size; write a number with B, KB, MB or GB, such as 20MB") from None
    if size < 1:
        raise ConfigError(f"--bytes {text!r} is less than one byte")
    return size


def _list(argv: list[str]) -> int:
    if argv:
        raise ConfigError(f"`hornbook data list` takes no arguments, {' '.join(argv)!r} came")
    from hornbook.data.corpora.registry import CORPORA, find_corpus
    from hornbook.data.datasets import DATASETS
    from hornbook.data.sections import DataSection

    for name in CORPORA:
        corpus = find_corpus(name)
        settings = "".join(f", data.{key} = {json.dumps(getattr(DataSection, key))}" for key in corpus.keys)
        print(f'{name:<12} {corpus.about}\n             data.corpus = "{name}"{settings}')
    for dataset in DATASETS.values():
        print(f"{dataset.name:<12} {dataset.about}: hornbook data get {dataset.name}")
        for file in dataset.files:
            path = Path("data") / file.name
            print(f"             {path}{f', {path.stat().st_size:,} bytes here' if path.exists() else ''}")
    print("your own     text, jsonl, parquet, .gz, .zst, a folder: hornbook train --text FILE")
    return 0


def _get(argv: list[str]) -> int:
    arguments = parse(GetArguments, argv, prog="hornbook data get")
    from hornbook.data.datasets import find_dataset
    from hornbook.data.download import download
    from hornbook.tracking.console import Console

    dataset = find_dataset(arguments.name)
    wanted = arguments.sha256
    if wanted is not None and (len(dataset.files) > 1 or not re.fullmatch(r"[0-9a-fA-F]{64}", wanted)):
        raise ConfigError("--sha256 takes the 64 hexadecimal digits of one file, given by its address")
    console = Console()
    for file in dataset.files:
        path = Path(arguments.out) / file.name
        sha256 = wanted.lower() if wanted else file.sha256
        print(download(file.url, path, console, sha256=sha256, unpack=file.unpack))
    return 0


def _storyworld(argv: list[str]) -> int:
    arguments = parse(StoryworldArguments, argv, prog="hornbook data storyworld")
    if (arguments.bytes is None) != (arguments.out is None):
        raise ConfigError(
            "--bytes SIZE and --out FILE go together: they write a corpus; without them, stories are shown"
        )
    if arguments.bytes is not None and arguments.out is not None:
        return _write(size_in_bytes(arguments.bytes), arguments.out, arguments.seed, arguments.level)
    if arguments.show < 1:
        raise ConfigError(f"--show {arguments.show} stories cannot be shown; give at least 1")
    from hornbook.data.corpora import storyworld

    for index in range(arguments.show):
        text = storyworld.story(index, arguments.seed, arguments.level)
        print(f"--- story {index} of seed {arguments.seed}, {arguments.level}\n")
        print(_explained(text, arguments.level) if arguments.explain else text, end="\n\n")
    return 0


def _explained(text: str, level: str) -> str:
    """Return the story cut at its choices, each piece beside what was chosen there and how likely it was."""
    from math import log

    from hornbook.data.corpora import storyworld

    decisions = storyworld.parse(text, level)
    ends = [*(d.position for d in decisions[1:]), len(text)]
    lines = []
    for decision, end in zip(decisions, ends, strict=True):
        piece = text[decision.position : end].replace("\n", "¶")
        chosen = decision.chosen if len(decision.chosen) <= 50 else decision.chosen[:47] + "..."
        lines.append(f"{decision.weight:>3}/{decision.total:<4} {decision.rule:<16.16} {chosen:<50} | {piece}")
    nats = -storyworld.log_probability(text, level)
    total = f"{len(decisions)} choices, {nats / log(2):.1f} bits, {nats / log(2) / (len(text) + 2):.4f} bits per byte"
    return "\n".join([*lines, "", total])


def _write(size: int, out: str, seed: int, level: str) -> int:
    from hornbook.data.corpora.storyworld import VERSION
    from hornbook.data.corpora.storyworld.corpus import write_corpus
    from hornbook.tracking.console import Console

    begin = time.monotonic()
    with Console(stream=sys.stderr).stage(f"telling {quantity(size, 'B')} of stories", size) as stage:
        written = write_corpus(out, size, seed, level, stage.update)
    seconds = time.monotonic() - begin
    print(f"{out}: {written:,} bytes of storyworld {level}, seed {seed}, version {VERSION}, in {seconds:.1f} s")
    return 0


def _prepare(argv: list[str]) -> int:
    arguments, overrides = parse_known(PrepareArguments, argv, prog="hornbook data prepare")
    from hornbook.config import apply_overrides, read
    from hornbook.data.prepare import prepare
    from hornbook.tracking.console import Console
    from hornbook.training.config import resolve

    recipe = apply_overrides(read(arguments.recipe), overrides)
    if recipe.get("model", {}).get("init_from"):
        from hornbook.training.launch.init_from import inherit

        recipe = inherit(recipe)  # shape and tokenizer come from there
    config = resolve(recipe)
    prepared = prepare(config.data, config.tokenizer, Console())
    for name, files in (("train", prepared.train), ("validation", prepared.validation)):
        for file in files:
            print(f"{name:<11} {file}")
    return 0
