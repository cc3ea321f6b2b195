"""`hornbook VERB …`: finds the verb's module, runs it, and turns a user's mistake into one sentence and exit code 2.

A verb is a module of this package with `main(argv) -> exit code`; it is imported only when it is called, so that
`hornbook --help` and the light verbs never wait for torch.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys

from hornbook.errors import HornbookError, did_you_mean

VERBS: dict[str, tuple[str, str]] = {
    "demo": ("hornbook.cli.demo", "the whole line in about five minutes: corpus, tokenizer, model, samples, report"),
    "data": ("hornbook.cli.data", "list, fetch and prepare corpora; print stories"),
    "tokenizer": ("hornbook.cli.tokenizer", "train, encode, decode, inspect, compare, ladder"),
    "train": ("hornbook.cli.train", "train a model from a recipe, or from a text file of yours (--text FILE)"),
    "runs": ("hornbook.cli.runs", "list every run: what changed, final loss, status"),
    "eval": ("hornbook.cli.eval", "loss, perplexity and bits per byte of a run on its validation set or on a file"),
    "generate": ("hornbook.cli.generate", "complete a prompt with a trained model"),
    "study": ("hornbook.cli.study", "list, run and show designed experiments"),
    "report": ("hornbook.cli.report", "one self-contained HTML page for runs or studies"),
    "account": ("hornbook.cli.account", "parameters, FLOPs, memory and time of a model"),
    "doctor": ("hornbook.cli.doctor", "what this machine can do, and what to expect of it"),
}

USAGE = "usage: hornbook VERB [arguments]     (`hornbook VERB --help` says what a verb takes)"


def entry() -> None:
    """Run the command line of this process and exit with its code."""
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
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(help_text())
        return 0 if argv else 2
    if argv[0] in ("-V", "--version"):
        from hornbook import __version__

        print(f"hornbook {__version__}")
        return 0
    verb, rest = argv[0], argv[1:]
    if verb not in VERBS:
        return complain(f"there is no verb {verb!r}{did_you_mean(verb, VERBS)}; `hornbook --help` lists them")
    try:
        code = importlib.import_module(VERBS[verb][0]).main(rest)
        sys.stdout.flush()
        return code
    except HornbookError as error:
        return complain(str(error))
    except BrokenPipeError:
        # The reader of a pipe (`| head`) has left: nothing more can be said; Python's flush at exit must not try.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return complain(describe_os_error(error))
    except KeyboardInterrupt:
        print("hornbook: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def help_text() -> str:
    """Return the overview of all verbs."""
    width = max(len(verb) for verb in VERBS)
    lines = ["hornbook trains language models from first letters.", "", USAGE, ""]
    lines += [f"  {verb:<{width}}  {summary}" for verb, (_, summary) in VERBS.items()]
    return "\n".join(lines)


def complain(sentence: str) -> int:
    """Print one sentence about a mistake to standard error and return exit code 2."""
    print(f"hornbook: {sentence}", file=sys.stderr)
    return 2


def describe_os_error(error: OSError) -> str:
    """Return an operating-system error as a plain sentence that names the file and, where there is one, the way out."""
    name = error.filename or "a file"
    if isinstance(error, FileNotFoundError):
        return f"there is no file or folder {name}; check the path"
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder, and a file was wanted"
    if isinstance(error, NotADirectoryError):
        return f"{name} is not a folder, and one was wanted"
    if isinstance(error, PermissionError):
        return f"{name} may not be opened by this user (permission denied); change its permissions or use another place"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full (writing {name}); make room and run the command again, nothing written before is lost"
    reason = error.strerror or str(error)
    return f"{name}: {reason}" if error.filename else reason
