"""`hornbook tokenizer train | encode | decode | convert | inspect | compare | ladder`: which function runs which.

Text comes from files of every kind that `hornbook.data.text_reader` reads: text, jsonl and parquet files, packed or
not, folders, globs, and `-` for standard input.
"""

from __future__ import annotations

from collections.abc import Callable

from hornbook.cli.common import parse
from hornbook.cli.tokenizer_compare import compare, ladder
from hornbook.cli.tokenizer_encode import convert, decode, encode
from hornbook.cli.tokenizer_inspect import inspect
from hornbook.cli.tokenizer_train import train
from hornbook.errors import ConfigError, did_you_mean

__all__ = ["main"]

COMMANDS: dict[str, tuple[Callable[..., int], str]] = {
    "train": (train, "train a byte-level BPE on your text"),
    "encode": (encode, "text to token ids: to a token file, or to the terminal"),
    "decode": (decode, "token ids to text"),
    "convert": (convert, "read a tokenizer of any format and write another"),
    "inspect": (inspect, "longest tokens, the merge tree of a word, how a text splits"),
    "compare": (compare, "tokenizers × corpora: bytes per token, throughput"),
    "ladder": (ladder, "five trainers, naive to native, timed on one corpus"),
}


def main(argv: list[str]) -> int:
    """Run the subcommand that `argv` begins with. Returns the exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: hornbook tokenizer COMMAND …     (`hornbook tokenizer COMMAND --help` says what it takes)\n")
        print("\n".join(f"  {name:<8} {summary}" for name, (_, summary) in COMMANDS.items()))
        return 0 if argv else 2
    if argv[0] not in COMMANDS:
        raise ConfigError(
            f"there is no `hornbook tokenizer {argv[0]}`{did_you_mean(argv[0], COMMANDS)}; "
            f"there are {', '.join(COMMANDS)}"
        )
    return parse(COMMANDS[argv[0]][0], argv[1:], prog=f"hornbook tokenizer {argv[0]}")
