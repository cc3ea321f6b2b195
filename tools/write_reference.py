"""Write docs/reference/config.md, every key of a recipe, from the dataclasses that read it (`--check` compares)."""

from __future__ import annotations

import sys
from pathlib import Path

from generated import update

from hornbook.config.describe import Key, Section, type_in_words
from hornbook.training.config import describe

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "config.md"
HEAD = """# Every key of a recipe

Written by `python tools/write_reference.py` from the docstrings under the fields; not edited by hand.
`hornbook train --help` prints the same, `hornbook train RECIPE --show-recipe` a recipe with all its values.
How a file is written, and how a key is given on the command line: [the recipe's format](../formats/config.md).
"""


def main() -> int:
    """Bring the page up to date; return 1 if `--check` finds that it is not."""
    return update({PAGE: page(describe())})


def page(sections: list[Section]) -> str:
    """Return the page: a table for each section."""
    lines = [HEAD]
    for section in sections:
        lines += [
            f"## [{section.name}]\n",
            f"{section.text}\n",
            "| key | type | default | meaning |",
            "|---|---|---|---|",
        ]
        lines += [row(key) for key in section.keys] + [""]
    return "\n".join(lines).rstrip() + "\n"


def row(key: Key) -> str:
    """Return one line of a table."""
    default = key.default if key.default in ("required", "none", "the tokenizer's") else f"`{key.default}`"
    cells = (f"`{key.name}`", type_in_words(key.hint), default, key.text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
