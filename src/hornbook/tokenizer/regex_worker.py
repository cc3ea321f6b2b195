"""One process of `regex_pool.py`: counts or encodes the blocks that come over its standard input.

An answer begins with "." or, for a complaint, with "!".
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from hornbook.errors import HornbookError
from hornbook.tokenizer.engines import engine_class
from hornbook.tokenizer.formats.own import read_own
from hornbook.tokenizer.regex_pool import count_text, receive, send


def main(arguments: list[str]) -> int:
    """Work until an empty block or the end of the input comes.

    Args:
        arguments: `count`, the pattern and the special tokens; or `encode` and the folder of a tokenizer.
    """
    mode, *rest = arguments
    engine = None
    if mode == "encode":
        parts = read_own(rest[0])
        engine = engine_class(parts.pattern)(parts.vocab, parts.merges, parts.special_tokens, parts.pattern)
    words: Counter[bytes] = Counter()
    while block := receive(sys.stdin.buffer):
        try:
            if engine is not None:
                answer = engine.encode_array(block, None, 1).tobytes()
            else:
                words += count_text(block.decode(), rest[0], rest[1:])
                answer = b""
            send(sys.stdout.buffer, b"." + answer)
        except HornbookError as error:
            send(sys.stdout.buffer, b"!" + str(error).encode())
    if mode == "count":
        readable = {word.decode("latin-1"): number for word, number in words.items()}
        send(sys.stdout.buffer, b"." + json.dumps(readable).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
