"""docs/troubleshooting.md quotes what hornbook says: every quoted sentence is in the source."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUOTES = re.findall(r"\*\*`(.+?)`\*\*", (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"), re.DOTALL)


def said(node: ast.AST) -> str | None:
    """Return what a string of the source says, with … for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(said(part) or "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@pytest.fixture(scope="module")
def sentences():
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "src" / "hornbook").rglob("*.py"))
    return [text for source in sources for node in ast.walk(ast.parse(source)) if (text := said(node))]


def test_there_are_quotes():
    assert len(QUOTES) > 30


@pytest.mark.parametrize("quote", QUOTES)
def test_a_quoted_sentence_is_in_the_source(quote, sentences):
    words = " ".join(quote.split()).strip("…")
    pattern = re.compile(".*".join(map(re.escape, words.split("…"))), re.DOTALL)
    assert any(pattern.search(sentence) for sentence in sentences)
