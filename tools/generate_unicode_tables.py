r"""Generate cpp/src/unicode_table.cpp: the character classes of Unicode 16.0 as a two-stage table.

Every class that a pre-tokenization pattern of the field asks for is kept apart (`\s`, `\p{N}`, `\p{Lu}\p{Lt}`,
`\p{Ll}`, `\p{Lm}\p{Lo}`, `\p{M}`, and the rest), so that gpt2, cl100k and o200k read the same table. The source is the
package unicodedata2, pinned to the version that tiktoken and HF tokenizers agree with; the interpreter's own tables
are older or newer.

    python tools/generate_unicode_tables.py            # writes the file
    python tools/generate_unicode_tables.py --check    # exit code 1 when the committed file differs
"""

from __future__ import annotations

import sys
from pathlib import Path

import unicodedata2
from generated import update

UNICODE_VERSION = "16.0.0"
TARGET = Path(__file__).resolve().parents[1] / "cpp" / "src" / "unicode_table.cpp"
BLOCK = 128
CLASSES = {"Zs": 1, "Zl": 1, "Zp": 1, "Lu": 3, "Lt": 3, "Ll": 4, "Lm": 5, "Lo": 5}
# White_Space outside the Z categories: tab to carriage return, and NEL. U+001C..U+001F are not in it.
CONTROL_WHITESPACE = {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85}


def character_class(code: int) -> int:
    """Return the class of a code point as numbered in hornbook/unicode.hpp."""
    if code in CONTROL_WHITESPACE:
        return 1
    category = unicodedata2.category(chr(code))
    if category in CLASSES:
        return CLASSES[category]
    return {"N": 2, "M": 6}.get(category[0], 0)


def render() -> str:
    """Return the C++ source of the table."""
    index: list[int] = []
    blocks: dict[str, int] = {}
    for start in range(0, 0x110000, BLOCK):
        block = "".join(str(character_class(code)) for code in range(start, start + BLOCK))
        index.append(blocks.setdefault(block, len(blocks)))
    assert len(blocks) <= 256, len(blocks)
    rows = [",".join(str(value) for value in index[row : row + 30]) for row in range(0, len(index), 30)]
    lines = [
        "// Written by tools/generate_unicode_tables.py; do not edit.",
        "// clang-format off",
        '#include "hornbook/unicode.hpp"',
        "",
        "namespace hornbook {",
        "",
        f'const char* const kUnicodeVersion = "{UNICODE_VERSION}";',
        "",
        f"// Block of {BLOCK} code points -> row of kClassBlocks.",
        f"const uint8_t kClassIndex[{len(index)}] = {{",
        *(row + "," for row in rows),
        "};",
        "",
        "// One digit per code point: the number of its CharClass.",
        f"const char kClassBlocks[{len(blocks)}][{BLOCK + 1}] = {{",
        *(f'"{block[:64]}"\n"{block[64:]}",' for block in blocks),
        "};",
        "",
        "}  // namespace hornbook",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    if unicodedata2.unidata_version != UNICODE_VERSION:
        sys.exit(
            f"unicodedata2 {unicodedata2.unidata_version} came, {UNICODE_VERSION} is wanted: "
            f"pip install unicodedata2=={UNICODE_VERSION}"
        )
    return update({TARGET: render()})


if __name__ == "__main__":
    sys.exit(main())
