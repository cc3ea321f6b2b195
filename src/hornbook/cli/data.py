"""`hornbook data list | get | storyworld | prepare`: corpora by name, files from the web, stories, token files."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

from hornbook.cli.arguments import Overrides
from hornbook.cli.common import command, taken
from hornbook.errors import ConfigError
from hornbook.format import quantity

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


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


def list_corpora() -> int:
    """Print the corpora that have a name, and which of their files are here."""
    from hornbook.data.corpora.registry import CORPORA, find_corpus
    from hornbook.data.datasets import DATASETS
    from hornbook.data.sections import DataSection

    for name in CORPORA:
        corpus = find_corpus(name)
        settings = "".join(f", data.{key} = {json.dumps(getattr(DataSection, key))}" for key in corpus.keys)
        print(f'{name:<12} {corpus.about}\n             data.corpus = "{name}"{settings}')
    for dataset in DATASETS.values():
        print(f"{dataset.name:<12} {dataset.about}: {command('data', 'get', dataset.name)}")
        for file in dataset.files:
            path = Path("data") / file.name
            print(f"             {path}{f', {path.stat().st_size:,} bytes here' if path.exists() else ''}")
    print("your own     text, jsonl, parquet, .gz, .zst, a folder: hornbook train --text FILE")
    return 0


def get(name: str, *, out: str = "data", sha256: str | None = None) -> int:
    """Fetch a corpus from the web; a download that was cut off goes on where it stopped.

    Args:
        name: a name that `hornbook data list` shows, or the address of a file (https://…).
        out: the folder to put the files into; the recipes look for them in data/.
        sha256: what the file must have, for a file by its address.

    Examples:
        hornbook data get tinystories
    """
    from hornbook.data.datasets import find_dataset
    from hornbook.data.download import download
    from hornbook.tracking.console import Console

    dataset = find_dataset(name)
    if sha256 is not None and (len(dataset.files) > 1 or not re.fullmatch(r"[0-9a-fA-F]{64}", sha256)):
        raise ConfigError("--sha256 takes the 64 hexadecimal digits of one file, given by its address")
    console = Console()
    for file in dataset.files:
        wanted = sha256.lower() if sha256 else file.sha256
        print(download(file.url, Path(out) / file.name, console, sha256=wanted, unpack=file.unpack))
    return 0


def storyworld(
    *,
    show: int = 3,
    seed: int = 1,
    level: Literal["easy", "normal", "rich"] = "normal",
    explain: bool = False,
    bytes: Annotated[str | None, "SIZE"] = None,
    out: str | None = None,
) -> int:
    """Print stories, or write a corpus of them to a file.

    Args:
        show: how many stories to print.
        seed: the corpus' seed.
        level: vocabulary, depth and length.
        explain: show each choice and its probability beside the text.
        bytes: write a corpus of at least this size: 500000, 20MB, 1GB.
        out: the file to write it to.

    Examples:
        hornbook data storyworld --show 1 --explain
        hornbook data storyworld --bytes 1GB --out stories.txt
    """
    if (bytes is None) != (out is None):
        raise ConfigError(
            "--bytes SIZE and --out FILE go together: they write a corpus; without them, stories are shown"
        )
    if bytes is not None and out is not None:
        return _write(size_in_bytes(bytes), out, seed, level)
    if show < 1:
        raise ConfigError(f"--show {show} stories cannot be shown; give at least 1")
    from hornbook.data.corpora.storyworld import story

    for index in range(show):
        text = story(index, seed, level)
        print(f"--- story {index} of seed {seed}, {level}\n")
        print(_explained(text, level) if explain else text, end="\n\n")
    return 0


def cloze(
    out: Path, *, items: int = 1000, level: Literal["easy", "normal", "rich"] = "normal", seed: int | None = None
) -> int:
    """Write cloze questions (which of two sentences goes on with the story?) and a task for lm-evaluation-harness.

    Args:
        out: the folder to write; it must not be there yet, and may be moved afterwards.
        items: how many questions.
        level: vocabulary, depth and length of the stories.
        seed: of the stories; `hornbook eval --task cloze` asks those of the default.

    Examples:
        hornbook data cloze cloze --level easy
    """
    from hornbook.data.corpora.storyworld.cloze import SEED, cloze_items
    from hornbook.evaluation.cloze import write_harness_task

    try:
        task = write_harness_task(out, cloze_items(items, level, SEED if seed is None else seed), level)
    except FileExistsError:
        raise taken(out) from None
    print(f"{task}: {items:,} questions of level {level}")
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


def prepare(recipe: str, *, overrides: Overrides) -> int:
    """Make the tokenizer and the token files of a recipe, ahead of its training.

    Args:
        recipe: the recipe, a .toml, .json or .yaml file.
        overrides: keys of the recipe.

    Examples:
        hornbook data prepare recipes/tinystories.toml --tokenizer.vocab-size 4000
    """
    from hornbook.config import merge, read
    from hornbook.training.config import check_paths, resolve

    sections = merge(read(recipe), overrides)
    check_paths(sections)
    from hornbook.data import prepare as data
    from hornbook.tracking.console import Console

    if sections.get("model", {}).get("init_from"):
        from hornbook.training.launch.init_from import fill_from_source

        sections = fill_from_source(sections)  # shape and tokenizer come from there
    config = resolve(sections)
    prepared = data.prepare(config.data, config.tokenizer, Console())
    for name, files in (("train", prepared.train), ("validation", prepared.validation)):
        for file in files:
            print(f"{name:<11} {file}")
    return 0
