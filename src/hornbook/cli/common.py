"""What several subcommands share: reading their arguments, the types of some, and opening the text they name.

tyro reads the plain flags, what it does not know is left for the recipe's overrides. It prints its complaints in a box;
hornbook prints one sentence, so its output is caught and put plainly.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tyro

from hornbook.errors import ConfigError, DataError

if TYPE_CHECKING:
    from hornbook.data.text_reader import Corpus
    from hornbook.tracking.console import Console

__all__ = ["command", "open_corpus", "parse", "parse_known", "result_console", "show_bytes"]

T = TypeVar("T")
TextKind = Literal["text", "jsonl", "parquet"]
TokenizerFormat = Literal["hornbook", "gpt2", "tiktoken", "huggingface"]
SpecialTokens = Annotated[tuple[str, ...], tyro.conf.arg(metavar="TOKEN …")]


def command() -> str:
    """Return how this user calls hornbook: by its name where that is found, else by the path that was given."""
    called = sys.argv[0]
    return called if Path(called).name == "hornbook" and shutil.which("hornbook") is None else "hornbook"


def parse(target: Callable[..., T], argv: list[str], *, prog: str) -> T:
    """Call `target` (a function or dataclass) with the arguments in `argv`.

    Args:
        target: what takes the arguments; its docstring is the help text.
        argv: the words after the subcommand.
        prog: the command as the user wrote it, such as `hornbook train`.

    Raises:
        ConfigError: an argument that `target` does not take, or a value of the wrong type.
        SystemExit: code 0, after `--help` has been printed.
    """
    with _plain_errors(prog):
        return tyro.cli(target, args=argv, prog=prog)


def parse_known(target: Callable[..., T], argv: list[str], *, prog: str) -> tuple[T, list[str]]:
    """Like `parse`, and also return the arguments that `target` does not take (`--section.key value`)."""
    with _plain_errors(prog):
        value, rest = tyro.cli(target, args=argv, prog=prog, return_unknown_args=True)
        return value, rest


@contextlib.contextmanager
def _plain_errors(prog: str):
    caught = io.StringIO()
    try:
        with contextlib.redirect_stderr(caught):
            yield
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        words = re.sub(r"\x1b\[[0-9;]*m", "", caught.getvalue())
        words = re.sub(r"[─│╭╮╰╯├┤]+|-{4,}", " ", words)
        words = re.sub(r"\s+", " ", words).strip()
        words = re.sub(r"For full helptext, run:? .*$", "", words)  # said below, once
        words = re.sub(r"^Required options Missing from [^:]*:", "this is missing:", words)
        sentence = re.sub(r"^(Invalid|Missing|Unrecognized|Ambiguous)[\w ]*? (?=\1|invalid|error)", "", words).strip(
            " ."
        )
        raise ConfigError(f"{sentence} (`{prog} --help` says what it takes)") from None


def open_corpus(files: tuple[str, ...], special_tokens: Iterable[str], **options: Any) -> Corpus:
    """Open the text that the user named; the first special token separates documents.

    Raises:
        DataError: no such text, or it is empty.
    """
    from hornbook.data.text_reader import Corpus

    corpus = Corpus(files, separator=next(iter(special_tokens), "\n\n"), **options)
    if corpus.total_bytes == 0:
        raise DataError(f"there is no text in {' '.join(files)}: it is empty")
    return corpus


def result_console(json: bool) -> Console:
    """Return the console of a subcommand: with --json standard output is the JSON alone, the rest goes to stderr."""
    from hornbook.tracking.console import Console

    return Console(stream=sys.stderr if json else sys.stdout)


def show_bytes(stage: Any, corpus: Corpus) -> Callable[..., None]:
    """Return a `progress=` that moves the bar of `stage` by the bytes of the files behind `corpus`."""

    def show(done: int, total: int | None = None) -> None:
        stage.update(corpus.read_bytes or done)

    return show
