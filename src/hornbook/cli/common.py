"""What several subcommands share: the types of some arguments, and opening the text that they name."""

from __future__ import annotations

import inspect
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from hornbook.data.special_text import InText
from hornbook.data.text_kinds import Kind
from hornbook.errors import ConfigError, DataError

if TYPE_CHECKING:
    from hornbook.data.text_reader import TextReader
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tracking.console import Console


TextKind = Kind
TokenizerFormat = Literal["hornbook", "gpt2", "tiktoken", "huggingface"]
SpecialTokens = Annotated[tuple[str, ...], "TOKEN …"]


def command(*words: object) -> str:
    """Return a command that can be pasted into this user's shell: hornbook and the words, quoted where they must be.

    hornbook goes by its name where that is found, else by the path by which it was called.
    """
    called = sys.argv[0]
    by_path = Path(called).name == "hornbook" and shutil.which("hornbook") is None
    return shlex.join([called if by_path else "hornbook", *map(str, words)])


def check_folders(folders: Iterable[str | os.PathLike[str]], usual: Iterable[str]) -> None:
    """Raise DataError for a folder that the user named and that is not there; the usual ones may be missing."""
    for folder in folders:
        if not Path(folder).is_dir() and os.fspath(folder) not in usual:
            raise DataError(f"there is no folder {folder}; check the path")


def taken(out: Path, flag: str = "name") -> DataError:
    """Return the error of a place that is to be new and is not."""
    return DataError(f"{out} is there already; nothing was written. Give another {flag}, or remove it first")


def refuse_unused(subcommand: Callable[..., int], given: Mapping[str, Any], used: Collection[str], where: str) -> None:
    """Raise ConfigError for an argument that was given, not as its default is, and would be passed over.

    Args:
        subcommand: a function of the command line.
        given: its arguments.
        used: those that count.
        where: what passes over the rest, as the end of a sentence.
    """
    for name, parameter in inspect.signature(subcommand).parameters.items():
        if name not in used and given[name] != parameter.default:
            flag = "--" + name.rstrip("_").replace("_", "-")
            raise ConfigError(f"{flag} is not used {where}; leave it out")


def open_corpus(
    files: tuple[str, ...], special_tokens: Iterable[str], *, in_text: InText = "split", **options: Any
) -> TextReader:
    """Open the text that the user named; the first special token separates documents.

    `in_text` says what becomes of others in it, as data.special_tokens_in_text; the text is then for
    `encoder_of(corpus, tokenizer)`. What a folder holds and is not read is said on standard error.

    Raises:
        DataError: no such text, or it is empty.
    """
    from hornbook.data.special_text import SpecialText
    from hornbook.data.text_files import left_out_note
    from hornbook.data.text_reader import TextReader

    special = list(special_tokens)
    watch = SpecialText(special, special[0], in_text) if special and in_text != "split" else None
    corpus = TextReader(files, separator=special[0] if special else "\n\n", special=watch, **options)
    if corpus.total_bytes == 0:
        raise DataError(f"there is no text in {' '.join(files)}: it is empty")
    if corpus.left_out:
        result_console(json=True).print(left_out_note(corpus.left_out))
    return corpus


def encoder_of(corpus: TextReader, tokenizer: Tokenizer) -> Tokenizer:
    """Return what encodes a corpus: the tokenizer, or for one whose special tokens are text, a copy that takes them so.

    Raises as `separated_by`.
    """
    from hornbook.data.special_text import separated_by

    special = corpus.special
    if special is None or special.in_text != "text":
        return tokenizer
    return separated_by(tokenizer, special.mark, special.separator)


def load_tokenizer(path: str | os.PathLike[str]) -> Tokenizer:
    """Read a tokenizer of any format; what had to be assumed is said on standard error. Raises as `Tokenizer.load`."""
    from hornbook.tokenizer.formats import tokenizer_file

    tokenizer_file(path)  # a missing one is told before NumPy is imported
    from hornbook.tokenizer.tokenizer import Tokenizer

    tokenizer = Tokenizer.load(path)
    say_assumed(tokenizer.assumed)
    return tokenizer


def say_assumed(assumed: str) -> None:
    """Say on standard error what the reader of a tokenizer had to assume, if anything."""
    if assumed:
        result_console(json=True).print(f"note: {assumed}")


def result_console(json: bool) -> Console:
    """Return the console of a subcommand: with --json standard output is the JSON alone, the rest goes to stderr."""
    from hornbook.tracking.console import Console

    return Console(stream=sys.stderr if json else sys.stdout)


def show_bytes(stage: Any, corpus: TextReader) -> Callable[..., None]:
    """Return a `progress=` that moves the bar of `stage` by the bytes of the files behind `corpus`."""

    def show(done: int, total: int | None = None) -> None:
        stage.update(corpus.read_bytes or done)

    return show
