"""`hornbook SUBCOMMAND …`: finds it, runs it, and turns a user's mistake into one sentence and exit code 2.

A subcommand is a function of this package that takes its arguments as parameters (arguments.py) and returns the exit
code; its module is imported only when it is called, so that `hornbook --help` and the light ones never wait for torch.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import TextIO, cast

from hornbook.cli import interrupts
from hornbook.cli.output import Output
from hornbook.errors import ConfigError, HornbookError, did_you_mean
from hornbook.fileio import FULL, NotConfirmedError

SUBCOMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo.main", "corpus, tokenizer, model, samples and report in five minutes"),
    "data list": ("data.list_corpora", "the corpora that have a name, and which of their files are here"),
    "data get": ("data.get", "fetch one of them, or any file by its address"),
    "data storyworld": ("data.storyworld", "print stories, explain their choices, or write a corpus"),
    "data cloze": ("data.cloze", "cloze questions of storyworld, as a task of lm-evaluation-harness"),
    "data prepare": ("data.prepare", "tokenizer and token files of a recipe, ahead of its training"),
    "tokenizer train": ("tokenizer_train.train", "train a byte-level BPE on your text"),
    "tokenizer encode": ("tokenizer_encode.encode", "text to token ids: to a token file, or to the terminal"),
    "tokenizer decode": ("tokenizer_encode.decode", "token ids to text"),
    "tokenizer convert": ("tokenizer_encode.convert", "read a tokenizer of any format and write another"),
    "tokenizer inspect": ("tokenizer_inspect.inspect", "longest tokens, how a word is merged, how a text splits"),
    "tokenizer compare": ("tokenizer_compare.compare", "tokenizers × corpora: bytes per token, throughput"),
    "tokenizer ladder": ("tokenizer_compare.ladder", "five trainers, naive to native, timed on one corpus"),
    "train": ("train.main", "train a model from a recipe, or from a text of yours"),
    "lr-find": ("lr_find.main", "which learning rates do the first updates stand? a range test"),
    "show": ("show.main", "one screen about a run: status, losses, samples, what to do next"),
    "runs": ("runs.main", "list every run: what changed, final loss, status"),
    "ui": ("ui.main", "runs, live curves and a playground in the browser"),
    "note": ("note.main", "the note and the tags of a run, read or changed"),
    "eval": ("eval.main", "loss, perplexity and bits per byte of a run"),
    "generate": ("generate.main", "complete a prompt with a trained model"),
    "serve": ("serve.main", "a trained model behind OpenAI's completions API"),
    "export": ("export.main", "a model for other programs: a Hugging Face folder, GGUF"),
    "import hf": ("import_model.hf", "a run made of a Llama-shaped model of others"),
    "checkpoint consolidate": ("checkpoint.consolidate", "whole files of checkpoints that several processes wrote"),
    "study list": ("study.list_studies", "the catalogue: every study with its question and cost"),
    "study run": ("study.run", "run what is missing of a study, and write its page"),
    "study show": ("study.show", "a study's findings and tables"),
    "study search": ("study.search", "search a recipe's settings with optuna"),
    "report": ("report.main", "one self-contained HTML page for runs or studies"),
    "handin": ("handin.main", "one page: your runs as answers to CS336 assignment 1, in its order"),
    "account": ("account.main", "parameters, FLOPs, memory and time of a model"),
    "doctor": ("doctor.main", "what this machine can do, and what to expect of it"),
    "completion": ("completion.main", "a script that lets your shell complete all of this"),
}
"""Name → function below hornbook.cli, imported when it is called; and what it does, in a line."""
GROUPS = {
    "data": "list, fetch and prepare corpora; print stories",
    "tokenizer": "train, encode, decode, convert, inspect, compare, ladder",
    "import": "models that others trained",
    "checkpoint": "whole files of checkpoints in shards",
    "study": "list, run and show designed experiments",
}


def entry() -> None:
    """Run the command line of this process and exit with its code."""
    interrupts.watch(_run)
    _open_missing()
    # OpenMP threads spin while they wait for work, and two processes of ours then hold each other up: two trainings at
    # once took 1.0 s a step instead of 0.72. 5,000 turns cost a process alone nothing (docs/log.md).
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    sys.exit(main(sys.argv[1:]))


def main(argv: list[str]) -> int:
    """Run one command.

    Args:
        argv: the words after `hornbook`.

    Returns:
        The exit code: 0 done, 1 done with a negative result, 2 bad input, 130 interrupted.
    """
    with contextlib.redirect_stdout(_visible(sys.stdout)), contextlib.redirect_stderr(_visible(sys.stderr)):
        return _main(argv)


def _visible(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, Output) else cast("TextIO", Output(stream))


def _main(argv: list[str]) -> int:
    if argv[:1] in (["-V"], ["--version"]):
        from hornbook import __version__

        print(f"hornbook {__version__}")
        return 0
    if argv[:1] == ["help"]:
        argv = [*argv[1:], "--help"]
    code = 0
    try:
        code = _run(argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of a pipe (`| head`) has left: nothing more can be said; Python's flush at exit must not try.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or interrupts.came():
            say("interrupted")
            return 128 + signal.SIGINT
        if isinstance(error, OSError):
            error = describe_os_error(error)
        if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
            # A record of the run was to hold the name of a file or of the working folder.
            near = os.fsencode(error.object[max(0, error.start - 20) : error.end + 20])
            error = HornbookError(f"…{str(near)[2:-1]}… is not UTF-8: rename the file or folder that is called so")
        if isinstance(error, HornbookError):
            return complain(str(error))
        raise


def _open_missing() -> None:
    """Put /dev/null where standard input, output or error is closed: else a file of ours gets its number and prints."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115


def names(group: str = "") -> dict[str, str]:
    """Return the subcommands of hornbook, or those of `data`, `tokenizer` or `study`, each with what it does."""
    if group:
        return {name.split()[1]: text for name, (_, text) in SUBCOMMANDS.items() if name.startswith(f"{group} ")}
    first = dict.fromkeys(name.split()[0] for name in SUBCOMMANDS)
    return {name: GROUPS.get(name) or SUBCOMMANDS[name][1] for name in first}


def find(words: list[str]) -> tuple[str, list[str]]:
    """Return the subcommand or the group that `words` begin with, "" for none, and the words after it."""
    for count in (2, 1):
        name = " ".join(words[:count])
        if len(words) >= count and (name in SUBCOMMANDS or name in GROUPS):
            return name, words[count:]
    return "", words


def load_subcommand(name: str) -> Callable[..., int]:
    """Return the function of a subcommand."""
    module, _, function = SUBCOMMANDS[name][0].partition(".")
    return getattr(importlib.import_module(f"hornbook.cli.{module}"), function)


def _run(argv: list[str]) -> int:
    for word in argv:
        check_utf8(word)
    name, words = find(argv)
    prog = f"hornbook {name}".rstrip()
    wants_help = not {"-h", "--help"}.isdisjoint(words[: words.index("--")] if "--" in words else words)
    if name in SUBCOMMANDS:
        function = load_subcommand(name)
        if wants_help:
            from hornbook.cli.help import command_help

            print(command_help(function, prog))
            return 0
        from hornbook.cli.arguments import parse_words

        return function(**parse_words(function, words, prog))
    known = names(name)
    if words and words[0] not in ("-h", "--help"):
        raise ConfigError(
            f"there is no `{prog} {words[0]}`{did_you_mean(words[0], known)}; it is one of {', '.join(known)} "
            f"(`{prog} --help` says what each does)"
        )
    print(f"usage: {prog} SUBCOMMAND …\n\n{GROUPS.get(name, 'hornbook trains language models from first letters.')}\n")
    print("\n".join(f"  {known_name:<{max(map(len, known))}}  {text}" for known_name, text in known.items()))
    print(f"\n`{prog} SUBCOMMAND --help` says what it takes.")
    return 0 if wants_help else 2


def check_utf8(word: str) -> None:
    """Raise ConfigError for an argument that came as bytes which Python could not read: no record could hold it."""
    try:
        word.encode()
        return
    except UnicodeEncodeError:
        found = os.fsencode(word)
    try:
        meant = found.decode()
    except UnicodeDecodeError:
        raise ConfigError(
            f"{str(found)[2:-1]} is not UTF-8: write it in UTF-8, and rename a file that is called so"
        ) from None
    raise ConfigError(f"{meant} came to a program that reads {sys.getfilesystemencoding()}: set LC_ALL=C.UTF-8")


def complain(sentence: str) -> int:
    """Print one sentence about a mistake to standard error and return exit code 2."""
    say(sentence)
    return 2


def say(sentence: str) -> None:
    """Print a sentence to standard error, if anybody is there."""
    with contextlib.suppress(OSError):
        print(f"hornbook: {sentence}", file=sys.stderr)


def describe_os_error(error: OSError) -> HornbookError:
    """Return an operating-system error as a plain sentence that names the file and, where there is one, the way out."""
    name = error.filename or "a file"
    if isinstance(error, FileNotFoundError):
        return HornbookError(f"there is no file or folder {name}; check the path")
    if isinstance(error, IsADirectoryError):
        return HornbookError(f"{name} is a folder, and a file was wanted")
    if isinstance(error, NotADirectoryError):
        return HornbookError(f"{name} is not a folder, and one was wanted")
    if isinstance(error, FileExistsError):
        return HornbookError(f"{name} is there already; give another name, or remove it first")
    if isinstance(error, PermissionError):
        return HornbookError(
            f"{name} may not be opened by this user (permission denied); change its permissions or use another place"
        )
    if error.errno in FULL and not isinstance(error, NotConfirmedError):
        return HornbookError(
            f"the disk is full (writing {name}); make room and run the command again, nothing written before is lost"
        )
    reason = error.strerror or str(error)
    return HornbookError(f"{name}: {reason}" if error.filename else reason)
