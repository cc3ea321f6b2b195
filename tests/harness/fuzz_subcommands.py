"""Damage any file that a subcommand reads, run the subcommand, and see how it ends.

Each case is a forked process: a copy of the folder of an old commit (tests/fixtures/fff94a8: runs, studies,
tokenizers, token files) with one file damaged, and a command over it. Right are the codes 0, 1 and 2; wrong are any
other code, an exception, a signal, an ESC in what is printed, more than SECONDS, or more than MEMORY. `--case` repeats
one.

    python tests/harness/fuzz_subcommands.py --seconds 30
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from harness.fuzz import damage
from hornbook.cli.main import main

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "fff94a8"
RECIPES = Path(__file__).resolve().parents[2] / "recipes"
SECONDS, MEMORY = 60, 6 << 30
# Files that are damaged, and what is run over the folder then.
CASES: list[tuple[str, list[list[str]]]] = [
    ("runs/*/*", [["runs", "runs"], ["runs", "runs", "--json"], ["report", "runs", "--out", "r.html"]]),
    ("runs/*/metrics.jsonl", [["runs", "runs", "--csv"], ["report", "runs", "--out", "r.html"]]),
    ("runs/adamw/checkpoints/*/*", [["generate", "runs/adamw", "--prompt", "a", "--max-new-tokens", "2"]]),
    ("runs/adamw/tokenizer/*", [["generate", "runs/adamw", "--prompt", "a", "--max-new-tokens", "2"]]),
    ("studies/**/*", [["study", "show", "STUDY"], ["report", "STUDY", "--out", "r.html"]]),
    ("tokenizer/*", [["tokenizer", "inspect", "tokenizer"], ["tokenizer", "encode", "tokenizer", "text.txt"]]),
    ("tokenizer-regex/*", [["tokenizer", "encode", "tokenizer-regex", "text.txt"]]),
    ("gpt2/*", [["tokenizer", "inspect", "gpt2"], ["tokenizer", "convert", "gpt2", "out", "--to", "huggingface"]]),
    ("tiktoken/*", [["tokenizer", "inspect", "tiktoken"]]),
    ("huggingface/*", [["tokenizer", "inspect", "huggingface"]]),
    ("tokens.*", [["tokenizer", "decode", "tokenizer", "--tokens", "tokens.npy", "--count", "50"]]),
    ("text.txt", [["tokenizer", "encode", "tokenizer", "text.txt", "--out", "out.npy"]]),
    ("recipes/*.toml", [["account", "FILE"], ["train", "FILE", "--show-recipe"], ["data", "prepare", "FILE"]]),
]


def copy(folder: Path) -> Path:
    """Return a folder to damage files in."""
    shutil.copytree(FIXTURES, folder)
    shutil.copytree(RECIPES, folder / "recipes")
    return folder


def case(number: int, root: Path) -> str:
    """Make and run a case in this process; return what was wrong."""
    chance = random.Random(number)
    folder = copy(root / str(number))
    pattern, commands = CASES[number % len(CASES)]
    path = chance.choice(sorted(path for path in folder.glob(pattern) if path.is_file()))
    path.write_bytes(damage(path.read_bytes(), b"\x1b]0;x\x07\x9b\xe2\x80\xae{}[]\"'\\=\n", chance))
    study = next(iter(sorted((folder / "studies").iterdir())))
    words = [word.replace("FILE", str(path)).replace("STUDY", str(study)) for word in chance.choice(commands)]
    os.chdir(folder)
    os.environ["HORNBOOK_CACHE"] = str(folder / "cache")
    said = io.StringIO()
    where = f"case {number}: {path.relative_to(folder)}: hornbook {' '.join(words)}"
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main(words)
    except BaseException:
        return f"{where}\n{traceback.format_exc(limit=-3)}"
    if code not in (0, 1, 2):
        return f"{where}: code {code}"
    return f"{where}: ESC" if words[1:2] != ["decode"] and "\x1b" in said.getvalue() else ""


def run_case(number: int, root: Path) -> str:
    """Run a case in a forked process; return what was wrong."""
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            os.close(out)
            signal.alarm(SECONDS)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            os.write(into, case(number, root).encode(errors="replace")[:60_000])
            os._exit(0)
        os._exit(9)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        wrong = pipe.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    shutil.rmtree(root / str(number), ignore_errors=True)
    return wrong or (f"case {number}: the process ended with {code}" if code else "")


def run_fuzz(seconds: float, first: int = 0, verbose: bool = False) -> tuple[Counter, list[str]]:
    """Run cases for so many seconds; return counts and what was wrong."""
    counts, wrong, end = Counter(), [], time.monotonic() + seconds
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        number = first
        while time.monotonic() < end:
            counts["cases"] += 1
            if problem := run_case(number, Path(name)):
                wrong.append(problem)
                if verbose:
                    print(problem, flush=True)
            number += 1
    counts["wrong"] = len(wrong)
    return counts, wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--case", type=int)
    arguments = parser.parse_args()
    if arguments.case is not None:
        with tempfile.TemporaryDirectory() as place:
            print(case(arguments.case, Path(place)) or "nothing wrong")
        sys.exit(0)
    result, _ = run_fuzz(arguments.seconds, arguments.first, verbose=True)
    print(dict(result))
    sys.exit(1 if result["wrong"] else 0)
